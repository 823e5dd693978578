"""Groups: every card belongs to one, and a folded group draws the arrows of its cards, merged by kind and counted."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from autoflow.graph.graph import Arrow, Card, Graph
from autoflow.graph.groups import MIN_CARDS, find_groups, fold_groups
from tests.graph.lineages import datum, lineages, task


def test_a_card_belongs_to_the_project_that_it_is_made_from():
    """A run belongs with what it read, its outputs with it; a file that only feeds it joins, a pipeline has its own."""
    cards = (
        *(datum(n, "project", name) for n, name in ((1, "Lemons"), (2, "Limes"))),
        datum(3, "project_version", "Lemons", parent="project:1"),
        *(datum(n, "file", f"{n}.pt") for n in (4, 5, 6, 7)),
        task(1, state="finished"),
        task(2, "Merge", state="failed"),
        task(3, "Crawl", state="finished"),
    )
    arrows = (
        Arrow("project:1", "project_version:3", "version"),
        Arrow("project_version:3", "task:1", "input"),
        Arrow("file:4", "task:1", "input"),
        Arrow("task:1", "file:5", "output"),
        Arrow("file:5", "task:2", "input"),
        Arrow("task:2", "project:2", "output"),
        Arrow("file:6", "task:3", "input"),
        Arrow("task:3", "file:7", "output"),
    )
    graph = Graph(cards, arrows)
    groups = find_groups(graph)
    members = {group.title: {card.key for card in group.cards} for group in groups}
    assert members == {
        "Lemons": {"project:1", "project_version:3", "task:1", "task:2", "file:4", "file:5"},
        "Crawl": {"file:6", "file:7", "task:3"},
    }
    lemons, limes, _ = fold_groups(graph, groups).cards
    assert (lemons.key, lemons.type, lemons.state, limes.key) == ("group:project:1", "project", "failed", "project:2")
    assert lemons.summary == "2 runs, 1 failed, 1 version, 2 files"
    assert fold_groups(graph, groups).arrows == (Arrow("group:project:1", "project:2", "output"),)


@given(lineages(), st.randoms(use_true_random=False))
def test_folding_keeps_all_cards_and_counts_all_edges(graph, chance):
    """Each card is in one node; an arrow stands for exactly the edges between its ends; no other arrow is drawn."""
    groups = find_groups(graph)
    grouped = [card.key for group in groups for card in group.cards]
    assert len(grouped) == len(set(grouped))
    assert all(len(group.cards) >= MIN_CARDS for group in groups)
    chosen = [group for group in groups if chance.random() < 0.6]
    folded = fold_groups(graph, chosen)
    stands = {member: card.key for card in folded.cards for member in (card.members or (card.key,))}
    assert sorted(stands) == sorted(card.key for card in graph.cards)
    between = Counter(
        (stands[arrow.source], stands[arrow.target], arrow.kind)
        for arrow in graph.arrows
        if stands[arrow.source] != stands[arrow.target] or stands[arrow.source] == arrow.source
    )
    drawn = {(arrow.source, arrow.target, arrow.kind): arrow.edges for arrow in folded.arrows}
    assert len(drawn) == len(folded.arrows)
    if chosen:
        assert drawn == {ends: number for ends, number in between.items() if ends[0] != ends[1]}


def test_a_group_keeps_its_key_when_a_card_joins():
    """The key is that of the project, or of the first card of a pipeline."""
    cards: list[Card] = [task(1), datum(1, "file", "a"), datum(2, "file", "b")]
    arrows = [Arrow("task:1", "file:1", "output"), Arrow("task:1", "file:2", "output")]
    before = find_groups(Graph(tuple(cards), tuple(arrows)))
    cards.append(datum(3, "file", "c"))
    arrows.append(Arrow("task:1", "file:3", "output"))
    after = find_groups(Graph(tuple(cards), tuple(arrows)))
    assert [group.key for group in before] == [group.key for group in after] == ["group:task:1"]
