"""Parts of a graph; each card at the border counts in `Card.more` the neighbours that are left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from autoflow.graph.graph import Graph

Neighbours = Callable[[str], Iterable[str]]
AdjacentKeys = dict[str, dict[str, None]]  # a dict of None keeps the order recorded


def around(
    graph: Graph, entry: str, *, upstream: int | None = 2, downstream: int | None = 2, limit: int | None = None
) -> Graph:
    """Return the cards upstream and downstream of `entry`, which becomes the entry card.

    Side branches, such as another input of a later run, are not followed.

    Args:
        graph: the graph to take a part of.
        entry: key of the card in the middle.
        upstream: how many arrows to follow against their direction; None for all, 0 for none.
        downstream: how many arrows to follow in their direction; None for all, 0 for none.
        limit: the largest number of cards; the nearest stay.

    Raises:
        KeyError: the graph has no such card.
    """
    before, after = _adjacent_keys(graph)
    if entry not in before:
        raise KeyError(entry)
    distance = _distances(entry, upstream, before.__getitem__)
    for key, steps in _distances(entry, downstream, after.__getitem__).items():
        distance[key] = min(steps, distance.get(key, steps))
    by_distance = sorted(distance, key=distance.__getitem__)
    return replace(_induced(graph, by_distance[:limit], before, after), entry=entry)


def upstream(graph: Graph, entry: str) -> Graph:
    """Return everything that `entry` came from."""
    return around(graph, entry, upstream=None, downstream=0)


def downstream(graph: Graph, entry: str) -> Graph:
    """Return everything that came from `entry`."""
    return around(graph, entry, upstream=0, downstream=None)


def nearest(graph: Graph, limit: int) -> Graph:
    """Return at most `limit` cards: those nearest to the entry card in any direction, then the graph's first ones."""
    if len(graph.cards) <= limit:
        return graph
    before, after = _adjacent_keys(graph)
    neighbours = {key: (*before[key], *after[key]) for key in before}
    reached = _distances(graph.entry, None, neighbours.__getitem__) if graph.entry in neighbours else {}
    keys = [*reached, *(key for key in neighbours if key not in reached)]
    return _induced(graph, keys[:limit], before, after)


def induced(graph: Graph, keys: Sequence[str]) -> Graph:
    """Return these cards and the arrows between them, in the graph's order."""
    return _induced(graph, keys, *_adjacent_keys(graph))


def _adjacent_keys(graph: Graph) -> tuple[AdjacentKeys, AdjacentKeys]:
    """Return for each key the keys one arrow upstream of it, and those one arrow downstream."""
    before: AdjacentKeys = {card.key: {} for card in graph.cards}
    after: AdjacentKeys = {card.key: {} for card in graph.cards}
    for arrow in graph.arrows:
        if arrow.source in before and arrow.target in before:
            before[arrow.target][arrow.source] = None
            after[arrow.source][arrow.target] = None
    return before, after


def _distances(entry: str, max_distance: int | None, neighbours: Neighbours) -> dict[str, int]:
    """Return the keys within a distance in arrows, nearest first, with their distances (breadth-first search)."""
    distance = {entry: 0}
    frontier = [entry]
    while frontier and (max_distance is None or distance[frontier[0]] < max_distance):
        next_frontier = []
        for key in frontier:
            for neighbour in neighbours(key):
                if neighbour not in distance:
                    distance[neighbour] = distance[key] + 1
                    next_frontier.append(neighbour)
        frontier = next_frontier
    return distance


def _induced(
    graph: Graph,
    keys: Sequence[str],
    before: Mapping[str, Mapping[str, None]],
    after: Mapping[str, Mapping[str, None]],
) -> Graph:
    included = frozenset(keys)
    cards = tuple(
        replace(card, more=card.more + len({*before[card.key], *after[card.key]} - included))
        for card in graph.cards
        if card.key in included
    )
    arrows = tuple(arrow for arrow in graph.arrows if arrow.source in included and arrow.target in included)
    return replace(graph, cards=cards, arrows=arrows)
