"""Color refinement: the coarsest stable partition of a graph's cards.

In a stable partition all cards of one class have neighbours of the same classes. A picture that shows several cards as
one node may draw an arrow between two such nodes only if it holds for all of their cards: each card of the first has an
arrow to a card of the second, and each card of the second has one from the first. That is a bisimulation in both
directions; without it a path through a node may join two paths that share no card.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from autoflow.graph.graph import Graph

EdgeLabel = tuple[str, bool]  # the kind of an arrow, and whether it leaves the card
Adjacency = Sequence[Sequence[tuple[int, EdgeLabel]]]


def adjacency(graph: Graph) -> Adjacency:
    """Return for each card its neighbours as (index, (kind, whether the arrow leaves)); dangling arrows are skipped."""
    index = {card.key: number for number, card in enumerate(graph.cards)}
    neighbours: list[list[tuple[int, EdgeLabel]]] = [[] for _ in graph.cards]
    for arrow in dict.fromkeys(graph.arrows):
        if arrow.source in index and arrow.target in index:
            source, target = index[arrow.source], index[arrow.target]
            neighbours[source].append((target, (arrow.kind, True)))
            neighbours[target].append((source, (arrow.kind, False)))
    return neighbours


def number_classes(values: Iterable[Hashable]) -> list[int]:
    """Return a number for each value, equal for equal values."""
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(value, len(numbers)) for value in values]


def refine(colors: Sequence[int], neighbours: Adjacency) -> list[int]:
    """Split classes until all cards of a class have the same classes of neighbours over the same kinds of arrow.

    Only neighbours of cards that changed class are compared again, and the largest part of a class keeps its number
    (Hopcroft's rule), so that a long chain costs its length times the logarithm of it.

    Args:
        colors: the initial class of each card; the result refines it.
        neighbours: of each card, see `adjacency`.
    """
    color = list(colors)
    members: dict[int, set[int]] = {}
    for vertex, vertex_color in enumerate(color):
        members.setdefault(vertex_color, set()).add(vertex)
    next_color = max(members, default=0) + 1
    dirty = set(range(len(color)))
    while dirty:
        dirty_by_color: dict[int, list[int]] = {}
        for vertex in dirty:
            if len(members[color[vertex]]) > 1:
                dirty_by_color.setdefault(color[vertex], []).append(vertex)
        parts = [
            part
            for old_color, vertices in dirty_by_color.items()
            for part in _split(members[old_color], vertices, color, neighbours)
        ]
        dirty = set()
        for part in parts:
            members[color[part[0]]].difference_update(part)
            members[next_color] = set(part)
            for vertex in part:
                color[vertex] = next_color
                dirty.update(other for other, _ in neighbours[vertex])
            next_color += 1
    return color


def _split(members: set[int], dirty: Sequence[int], color: Sequence[int], neighbours: Adjacency) -> list[list[int]]:
    """Return the parts that leave a class; its members outside `dirty` all have the same signature."""
    parts: dict[frozenset[Hashable], list[int]] = {}
    for vertex in dirty:
        parts.setdefault(_signature(vertex, color, neighbours), []).append(vertex)
    clean_count = len(members) - len(dirty)
    if clean_count:
        dirty_set = set(dirty)
        clean_vertex = next(vertex for vertex in members if vertex not in dirty_set)
        clean_signature = _signature(clean_vertex, color, neighbours)
        if clean_count + len(parts.get(clean_signature, ())) >= max(map(len, parts.values())):
            parts.pop(clean_signature, None)
            return list(parts.values())
        parts.setdefault(clean_signature, []).extend(members - dirty_set)
    largest = max(parts.values(), key=len)
    return [part for part in parts.values() if part is not largest]


def _signature(vertex: int, color: Sequence[int], neighbours: Adjacency) -> frozenset[Hashable]:
    return frozenset((color[other], label) for other, label in neighbours[vertex])
