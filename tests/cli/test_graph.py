"""``autoflow graph``: pictures take like cards together, text and JSON have them all, and one may ask otherwise."""

from __future__ import annotations

import argparse

import pytest

from autoflow.cli import graph as command
from autoflow.graph.graph import Arrow, Card, Graph


@pytest.fixture
def shown(monkeypatch, capsys):
    """A function that gives what is printed of six runs on a project."""
    cards = [Card("project:1", "project", 1, "Lemons", "Lemons")]
    cards += [Card(f"task:{n}", "task", n, "Train", "Train", state="finished") for n in range(6)]
    whole = Graph(tuple(cards), tuple(Arrow("project:1", f"task:{n}", "input") for n in range(6)))
    monkeypatch.setattr(command, "server", lambda: None)
    monkeypatch.setattr(command, "graph_of", lambda given, api: whole)

    def show(form, cluster=None):
        assert command.show(argparse.Namespace(format=form, cluster=cluster)) == 0
        return capsys.readouterr().out

    return show


@pytest.mark.parametrize("form", ["mermaid", "dot", "svg", "html"])
def test_pictures_take_like_cards_together(shown, form):
    """Six runs of one app are a card, unless all are asked for."""
    assert "6 runs of Train" in shown(form)
    assert "6 runs of Train" not in shown(form, cluster=False)


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_is_read_by_line_or_by_a_program_has_all(shown, form):
    """Text and JSON are whole, unless clusters are asked for."""
    assert "6 runs of Train" not in shown(form)
    assert "6 runs of Train" in shown(form, cluster=True)
