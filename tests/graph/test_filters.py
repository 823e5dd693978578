"""A graph narrowed by kind, app and time; the entry card stays, and data goes with its runs."""

from __future__ import annotations

import pytest

from autoflow.graph.filters import FilterOptions, facets, filter_graph
from autoflow.graph.graph import Graph


def names(graph):
    return {card.name for card in graph.cards}


def test_what_there_is_to_choose_from(demo):
    """Kinds and apps are counted, and the time spans that of the runs."""
    found = facets(demo)
    assert found["kinds"]["task"] == 10
    assert found["apps"] == dict.fromkeys(
        ("Import digits", "Train digits", "Evaluate digits", "Export to COCO", "Serve digits"), 2
    )
    assert (found["since"], found["until"]) == ("2026-11-22T11:09:00Z", "2026-11-23T11:13:00Z")
    assert facets(Graph()) == {"kinds": {}, "apps": {}, "since": None, "until": None, "cards": 0}


def test_no_wish_changes_nothing(demo):
    """All is shown unless something is asked for."""
    assert filter_graph(demo, FilterOptions()) is demo


def test_kinds_are_shown_with_the_entry(demo):
    """Only cards of the kinds asked for, the entry card, and the arrows between them."""
    found = filter_graph(demo, FilterOptions(kinds=frozenset({"task"})))
    assert {card.type for card in found.cards} == {"task", "project"}
    assert {arrow.source for arrow in found.arrows} | {arrow.target for arrow in found.arrows} >= {"project:1"}


def test_an_apps_runs_come_with_their_data(demo):
    """What its runs read and wrote is there, and the project of a version they read; other apps are not."""
    found = filter_graph(demo, FilterOptions(apps=frozenset({"Train digits"})))
    assert {card.name for card in found.cards if card.type == "task"} == {"Train digits"}
    assert {card.type for card in found.cards} == {"task", "project", "project_version", "model_weight"}
    assert all({arrow.source, arrow.target} <= {card.key for card in found.cards} for arrow in found.arrows)


@pytest.mark.parametrize(
    ("wishes", "turns"),
    [
        (FilterOptions(since="2026-11-23T00:00:00Z"), {2}),
        (FilterOptions(until="2026-11-23T00:00:00Z"), {1}),
        (FilterOptions(since="2026-11-22T00:00:00Z", until="2026-11-24T00:00:00Z"), {1, 2}),
        (FilterOptions(since="2027-01-01T00:00:00Z"), set()),
    ],
)
def test_time_is_that_of_the_runs(demo, wishes, turns):
    """Runs that began outside of it are left out, and what only they read or wrote."""
    found = filter_graph(demo, wishes)
    assert {int(card.id) // 10 for card in found.cards if card.type == "task"} == turns
    assert "project:1" in {card.key for card in found.cards}
