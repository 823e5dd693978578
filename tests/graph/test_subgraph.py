"""Parts of a graph."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.graph.graph import Arrow, Card, Graph
from autoflow.graph.subgraph import around, downstream, nearest, upstream

pytestmark = pytest.mark.core


def chain(size: int) -> Graph:
    cards = tuple(Card(str(n), "task", n, "n", "n") for n in range(size))
    return Graph(cards, tuple(Arrow(str(n), str(n + 1), "input") for n in range(size - 1)))


def keys(graph: Graph) -> list[str]:
    return [card.key for card in graph.cards]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    size = draw(st.integers(1, 12))
    pairs = draw(st.lists(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)), max_size=24))
    cards = tuple(Card(str(n), "task", n, "n", "n") for n in range(size))
    return Graph(cards, tuple(Arrow(str(a), str(b), "input") for a, b in pairs))


def test_two_hops_each_way_with_the_rest_counted() -> None:
    """The default shows two arrows before and after; the border cards say how many neighbours are missing."""
    part = around(chain(9), "4")
    assert keys(part) == ["2", "3", "4", "5", "6"]
    assert [card.more for card in part.cards] == [1, 0, 0, 0, 1]
    assert len(part.arrows) == 4
    assert part.entry == "4"


def test_upstream_and_downstream_only() -> None:
    """Everything before a card, and everything after it."""
    assert keys(upstream(chain(6), "3")) == ["0", "1", "2", "3"]
    assert keys(downstream(chain(6), "3")) == ["3", "4", "5"]


def test_side_branches_are_counted_not_followed() -> None:
    """Another input of a later run is counted on that run."""
    graph = Graph(chain(4).cards, (Arrow("0", "1", "input"), Arrow("2", "1", "input"), Arrow("3", "2", "output")))
    part = around(graph, "0", upstream=None, downstream=None)
    assert keys(part) == ["0", "1"]
    assert part.cards[1].more == 1


def test_counts_add_up_when_a_part_is_cut_again() -> None:
    """A part of a part still counts what the first one left out."""
    part = around(around(chain(9), "4", upstream=1, downstream=1), "4", upstream=0, downstream=1)
    assert [(card.key, card.more) for card in part.cards] == [("4", 1), ("5", 1)]


def test_the_limit_keeps_the_nearest() -> None:
    """A cap leaves the cards closest to the entry."""
    assert keys(around(chain(9), "4", upstream=None, downstream=None, limit=3)) == ["3", "4", "5"]


def test_nearest_prefers_the_neighbourhood_of_the_entry() -> None:
    """Of a large graph the cards around its entry remain, in both directions."""
    graph = chain(100)
    part = nearest(Graph(graph.cards, graph.arrows, "50"), 5)
    assert keys(part) == ["48", "49", "50", "51", "52"]
    assert keys(nearest(graph, 2)) == ["0", "1"]
    assert nearest(graph, 100) is graph


def test_an_unknown_card_is_an_error() -> None:
    """The error names the key."""
    with pytest.raises(KeyError, match="absent"):
        around(chain(2), "absent")


@given(graphs(), st.none() | st.integers(0, 4), st.none() | st.integers(0, 4))
def test_every_omitted_neighbour_is_counted(graph: Graph, back: int | None, ahead: int | None) -> None:
    """For each card, neighbours in the part and counted ones add up to all."""
    part = around(graph, "0", upstream=back, downstream=ahead)

    def near(of: Graph, key: str) -> set[str]:
        ends = [(arrow.source, arrow.target) for arrow in of.arrows if key in (arrow.source, arrow.target)]
        return {end for pair in ends for end in pair} - {key}

    for card in part.cards:
        assert len(near(part, card.key)) + card.more == len(near(graph, card.key))


@given(graphs())
def test_without_bounds_each_direction_is_closed(graph: Graph) -> None:
    """Everything that a card of the upstream came from is in it too."""
    included = set(keys(upstream(graph, "0")))
    assert all(arrow.source in included for arrow in graph.arrows if arrow.target in included)
