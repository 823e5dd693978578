"""``autoflow graph``: similar cards are combined in pictures, not in text and JSON, unless requested otherwise."""

from __future__ import annotations

import argparse

import pytest

from autoflow.cli import graph as command
from autoflow.graph.graph import Arrow, Card, Graph


@pytest.fixture
def output(monkeypatch, capsys):
    """A function that returns the output for six runs on a project."""
    cards = [Card("project:1", "project", 1, "Lemons", "Lemons")]
    cards += [Card(f"task:{n}", "task", n, "Train", "Train", state="finished") for n in range(6)]
    graph = Graph(tuple(cards), tuple(Arrow("project:1", f"task:{n}", "input") for n in range(6)))
    monkeypatch.setattr(command, "open_api", lambda: None)
    monkeypatch.setattr(command, "graph_of", lambda args, api: graph)

    def show(form, cluster=None):
        assert command.show(argparse.Namespace(format=form, cluster=cluster)) == 0
        return capsys.readouterr().out

    return show


@pytest.mark.parametrize("form", ["mermaid", "dot", "svg", "html"])
def test_pictures_combine_similar_cards(output, form):
    """Six runs of one app are one card, unless --no-cluster is given."""
    assert "6 runs of Train" in output(form)
    assert "6 runs of Train" not in output(form, cluster=False)


@pytest.mark.parametrize("form", ["text", "json"])
def test_text_and_json_have_all_cards(output, form):
    """Unless --cluster is given."""
    assert "6 runs of Train" not in output(form)
    assert "6 runs of Train" in output(form, cluster=True)
