"""Filters of a graph by type, app and time."""

from __future__ import annotations

import pytest

from autoflow.graph.filters import FilterOptions, facets, filter_graph
from autoflow.graph.graph import Graph


def names(graph):
    return {card.name for card in graph.cards}


def test_facets_count_types_and_apps(demo):
    """The time spans that of the runs."""
    filtered = facets(demo)
    assert filtered["kinds"]["task"] == 10
    assert filtered["apps"] == dict.fromkeys(
        ("Import digits", "Train digits", "Evaluate digits", "Export to COCO", "Serve digits"), 2
    )
    assert (filtered["since"], filtered["until"]) == ("2026-11-22T11:09:00Z", "2026-11-23T11:13:00Z")
    assert facets(Graph()) == {"kinds": {}, "apps": {}, "since": None, "until": None, "cards": 0}


def test_empty_options_change_nothing(demo):
    """The graph itself is returned."""
    assert filter_graph(demo, FilterOptions()) is demo


def test_types_are_shown_with_the_entry(demo):
    """Only cards of the types, the entry card, and the arrows between them remain."""
    filtered = filter_graph(demo, FilterOptions(kinds=frozenset({"task"})))
    assert {card.type for card in filtered.cards} == {"task", "project"}
    assert {arrow.source for arrow in filtered.arrows} | {arrow.target for arrow in filtered.arrows} >= {"project:1"}


def test_hidden_cards_are_bridged(demo):
    """An arrow leads from each card to those it led to by way of hidden ones, but not past a card that is shown."""
    filtered = filter_graph(demo, FilterOptions(kinds=frozenset({"project", "model_weight"})))
    assert filtered.arrows
    assert {arrow.kind for arrow in filtered.arrows} == {"indirect"}
    assert filter_graph(demo, FilterOptions(kinds=frozenset(card.type for card in demo.cards))).arrows == demo.arrows


def test_an_apps_runs_come_with_their_data(demo):
    """Inputs and outputs of its runs remain, and the project of a version they read; other apps do not."""
    filtered = filter_graph(demo, FilterOptions(apps=frozenset({"Train digits"})))
    assert {card.name for card in filtered.cards if card.type == "task"} == {"Train digits"}
    assert {card.type for card in filtered.cards} == {"task", "project", "project_version", "model_weight"}
    assert all({arrow.source, arrow.target} <= {card.key for card in filtered.cards} for arrow in filtered.arrows)


@pytest.mark.parametrize(
    ("options", "turns"),
    [
        (FilterOptions(since="2026-11-23T00:00:00Z"), {2}),
        (FilterOptions(until="2026-11-23T00:00:00Z"), {1}),
        (FilterOptions(since="2026-11-22T00:00:00Z", until="2026-11-24T00:00:00Z"), {1, 2}),
        (FilterOptions(since="2027-01-01T00:00:00Z"), set()),
    ],
)
def test_times_select_runs(demo, options, turns):
    """Runs that began outside the time are left out, with data that only they used."""
    filtered = filter_graph(demo, options)
    assert {int(card.id) // 10 for card in filtered.cards if card.type == "task"} == turns
    assert "project:1" in {card.key for card in filtered.cards}
