"""Colour refinement: the coarsest partition in which cards of one class have the same classes as neighbours.

A picture that shows several cards as one may draw an arrow between two such nodes only if it holds for all of them:
each card of the first has an arrow to a card of the second, and each card of the second has one from the first. That is
a bisimulation in both directions; without it a path through a node may join two paths that share no card.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from autoflow.graph.graph import Graph

EdgeLabel = tuple[str, bool]  # the kind of an arrow, and whether it leaves
Adjacency = Sequence[Sequence[tuple[int, EdgeLabel]]]


def adjacency(graph: Graph) -> Adjacency:
    """Return for each card its neighbours as (index, (kind, whether the arrow leaves)); other arrows are skipped."""
    index = {card.key: number for number, card in enumerate(graph.cards)}
    near: list[list[tuple[int, EdgeLabel]]] = [[] for _ in graph.cards]
    for arrow in dict.fromkeys(graph.arrows):
        if arrow.source in index and arrow.target in index:
            source, target = index[arrow.source], index[arrow.target]
            near[source].append((target, (arrow.kind, True)))
            near[target].append((source, (arrow.kind, False)))
    return near


def number_classes(values: Iterable[Hashable]) -> list[int]:
    """Return a number for each value, equal for equal values."""
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(value, len(numbers)) for value in values]


def refine(colors: Sequence[int], near: Adjacency) -> list[int]:
    """Split classes until all cards of a class have the same classes of neighbours over the same kinds of arrow.

    Only the neighbours of cards that changed class are compared again, and the largest part of a class keeps its
    number, so that long chains cost no more than their length times its logarithm.

    Args:
        colors: the class of each card to begin with; the result is a refinement of it.
        near: the neighbours of each card, see `links`.
    """
    color = list(colors)
    members: dict[int, set[int]] = {}
    for vertex, own in enumerate(color):
        members.setdefault(own, set()).add(vertex)
    fresh = max(members, default=0) + 1
    dirty = set(range(len(color)))
    while dirty:
        touched: dict[int, list[int]] = {}
        for vertex in dirty:
            if len(members[color[vertex]]) > 1:
                touched.setdefault(color[vertex], []).append(vertex)
        parts = [part for own, some in touched.items() for part in _split(members[own], some, color, near)]
        dirty = set()
        for part in parts:
            members[color[part[0]]].difference_update(part)
            members[fresh] = set(part)
            for vertex in part:
                color[vertex] = fresh
                dirty.update(other for other, _ in near[vertex])
            fresh += 1
    return color


def _split(members: set[int], some: Sequence[int], color: Sequence[int], near: Adjacency) -> list[list[int]]:
    """Return the parts that leave a class: `some` of its cards may differ from the rest, which are alike."""
    parts: dict[frozenset[Hashable], list[int]] = {}
    for vertex in some:
        signature = frozenset((color[other], label) for other, label in near[vertex])
        parts.setdefault(signature, []).append(vertex)
    waiting = len(members) - len(some)
    if waiting:
        compared = set(some)
        other = next(vertex for vertex in members if vertex not in compared)
        staying = frozenset((color[neighbour], label) for neighbour, label in near[other])
        if waiting + len(parts.get(staying, ())) >= max(map(len, parts.values())):
            parts.pop(staying, None)
            return list(parts.values())
        parts.setdefault(staying, []).extend(members - compared)
    largest = max(parts.values(), key=len)
    return [part for part in parts.values() if part is not largest]
