"""The part of a graph around one card; what is left out is counted on the cards at the border."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from autoflow.graph.graph import Graph

Neighbours = Callable[[str], Iterable[str]]


def around(
    graph: Graph, entry: str, *, upstream: int | None = 2, downstream: int | None = 2, limit: int | None = None
) -> Graph:
    """Give the cards that lie before and after `entry`, with it as the entry card.

    A side branch, such as another input of a later run, is not followed; it is counted in `Card.more`.

    Args:
        graph: the whole.
        entry: key of the card to look from.
        upstream: how many arrows to follow against their direction; None for all, 0 for none.
        downstream: how many arrows to follow in their direction; None for all, 0 for none.
        limit: the most cards to keep; the nearest are kept.

    Raises:
        KeyError: the graph has no such card.
    """
    before, after = _neighbours(graph)
    if entry not in before:
        raise KeyError(entry)
    distance = _reach(entry, upstream, before.__getitem__)
    for key, steps in _reach(entry, downstream, after.__getitem__).items():
        distance[key] = min(steps, distance.get(key, steps))
    nearest = sorted(distance, key=distance.__getitem__)
    return replace(_keep(graph, nearest[:limit], before, after), entry=entry)


def upstream(graph: Graph, entry: str) -> Graph:
    """Give everything `entry` came from."""
    return around(graph, entry, upstream=None, downstream=0)


def downstream(graph: Graph, entry: str) -> Graph:
    """Give everything that came from `entry`."""
    return around(graph, entry, upstream=0, downstream=None)


def nearest(graph: Graph, limit: int) -> Graph:
    """Give at most `limit` cards: those nearest to the entry card in any direction, then the graph's first ones."""
    if len(graph.cards) <= limit:
        return graph
    before, after = _neighbours(graph)
    near = {key: (*before[key], *after[key]) for key in before}
    keys = _reach(graph.entry, None, near.__getitem__) if graph.entry in near else {}
    order = [*keys, *(key for key in near if key not in keys)]
    return _keep(graph, order[:limit], before, after)


def induced(graph: Graph, keys: Sequence[str]) -> Graph:
    """Return the graph of these cards alone, in the graph's order."""
    return _keep(graph, keys, *_neighbours(graph))


def _neighbours(graph: Graph) -> tuple[dict[str, dict[str, None]], dict[str, dict[str, None]]]:
    """Give for each key the keys one arrow before it and those one arrow after it, in the order recorded."""
    before: dict[str, dict[str, None]] = {card.key: {} for card in graph.cards}
    after: dict[str, dict[str, None]] = {card.key: {} for card in graph.cards}
    for arrow in graph.arrows:
        if arrow.source in before and arrow.target in before:
            before[arrow.target][arrow.source] = None
            after[arrow.source][arrow.target] = None
    return before, after


def _reach(entry: str, hops: int | None, neighbours: Neighbours) -> dict[str, int]:
    """Give the keys within `hops` arrows and how far each is, nearest first."""
    distance = {entry: 0}
    edge = [entry]
    while edge and (hops is None or distance[edge[0]] < hops):
        further = []
        for key in edge:
            for near in neighbours(key):
                if near not in distance:
                    distance[near] = distance[key] + 1
                    further.append(near)
        edge = further
    return distance


def _keep(
    graph: Graph,
    keys: Sequence[str],
    before: Mapping[str, Mapping[str, None]],
    after: Mapping[str, Mapping[str, None]],
) -> Graph:
    """Cut the graph down to `keys`, counting on each card the neighbours it lost."""
    kept = frozenset(keys)
    cards = tuple(
        replace(card, more=card.more + len({*before[card.key], *after[card.key]} - kept))
        for card in graph.cards
        if card.key in kept
    )
    arrows = tuple(arrow for arrow in graph.arrows if arrow.source in kept and arrow.target in kept)
    return replace(graph, cards=cards, arrows=arrows)
