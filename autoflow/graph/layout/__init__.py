"""The layered layout of a graph, left to right; the same graph always gets the same layout. Cards that stand on a page
already can be left there (`anchoring`).

It is computed for each connected component by the steps of Sugiyama's method: break cycles, assign ranks, order the
layers, assign y coordinates, route the arrows. The components are then packed on one grid of columns, so that the
strips between columns hold arrows and never a card.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from autoflow.graph.graph import Graph
from autoflow.graph.layout.anchoring import anchor
from autoflow.graph.layout.columns import LayerEdge, Layering
from autoflow.graph.layout.geometry import CARD_WIDTH, COLUMN_WIDTH, Box, Layout, Route, card_height
from autoflow.graph.layout.ordering import order_layers
from autoflow.graph.layout.packing import connected_components, pack_components
from autoflow.graph.layout.ranks import assign_ranks, find_back_edges
from autoflow.graph.layout.routes import Corners, route_corners
from autoflow.graph.layout.y_assignment import assign_y
from autoflow.process.lru_cache import LruCache

__all__ = ["Box", "Layout", "Route", "compute_layout"]

IntPair = tuple[int, int]
RoutedEdge = tuple[Corners, bool]  # the corners of an arrow, and whether it points back

CACHE_WEIGHT = 100_000  # cards and arrows of the components whose layouts are cached


class _Component(NamedTuple):
    """Everything that a connected component's layout depends on; its cards are numbered from 0.

    Args:
        edges: pairs of cards, each once.
        heights: of the cards, in pixels.
        time_ranks: the rank of each card's time among the component's times.
        series: of each card that is one of a series, the series and its number in it.
    """

    edges: tuple[IntPair, ...]
    heights: tuple[int, ...]
    time_ranks: tuple[int, ...]
    series: tuple[tuple[int, IntPair], ...]


class _ComponentLayout(NamedTuple):
    """A component's layout with its origin at the top left.

    Args:
        corners: the top left corner of each card.
        paths: of the edges, in their order.
        size: (columns, height in pixels).
    """

    corners: tuple[IntPair, ...]
    paths: tuple[RoutedEdge, ...]
    size: IntPair


def compute_layout(graph: Graph, positions: Mapping[str, IntPair] | None = None) -> Layout:
    """Compute the box of every card and the route of every arrow.

    The component of the entry card comes first; the others follow in the order of their first cards.

    Args:
        graph: the cards and arrows.
        positions: the top left corners, by key, of cards that are shown already and are to stay there.
    """
    index = {card.key: number for number, card in enumerate(graph.cards)}
    pairs = [(index.get(arrow.source, -1), index.get(arrow.target, -1)) for arrow in graph.arrows]
    edges = list(dict.fromkeys(pair for pair in pairs if min(pair) >= 0))
    heights = [card_height(card) for card in graph.cards]
    times = [(card.at is None, card.at or "") for card in graph.cards]
    entry = index.get(graph.entry or "", -1)
    components = sorted(connected_components(len(graph.cards), edges), key=lambda component: entry not in component)
    edges_of = _edges_by_component(components, edges)
    series = _series(graph)
    corners = {number: positions[key] for key, number in index.items() if key in positions} if positions else {}
    layouts = [
        _component_layout(vertices, component_edges, heights, times, series, corners)
        for vertices, component_edges in zip(components, edges_of, strict=True)
    ]
    wanted = [_shift(*pair, corners) for pair in zip(components, layouts, strict=True)] if corners else ()
    offsets = pack_components([layout.size for layout in layouts], wanted)
    boxes = [Box(0, 0, 0, 0)] * len(graph.cards)
    paths: dict[IntPair, RoutedEdge] = {}
    for component, component_edges, layout, (column, down) in zip(components, edges_of, layouts, offsets, strict=True):
        along = column * COLUMN_WIDTH
        for vertex, (x, y) in zip(component, layout.corners, strict=True):
            boxes[vertex] = Box(x + along, y + down, CARD_WIDTH, heights[vertex])
        for pair, (points, back) in zip(component_edges, layout.paths, strict=True):
            paths[pair] = tuple((x + along, y + down) for x, y in points), back
    return Layout(
        {card.key: box for card, box in zip(graph.cards, boxes, strict=True)},
        tuple(Route(arrow, *paths[pair]) for arrow, pair in zip(graph.arrows, pairs, strict=True) if pair in paths),
        max((box.x + box.width for box in boxes), default=0),
        max((down + layout.size[1] for (_, down), layout in zip(offsets, layouts, strict=True)), default=0),
    )


def _edges_by_component(components: Sequence[Sequence[int]], edges: Sequence[IntPair]) -> list[list[IntPair]]:
    """Return the edges of each component."""
    component_of = {vertex: number for number, component in enumerate(components) for vertex in component}
    grouped: list[list[IntPair]] = [[] for _ in components]
    for edge in edges:
        grouped[component_of[edge[0]]].append(edge)
    return grouped


def _series(graph: Graph) -> dict[int, IntPair]:
    """Return for each version its project's series and its number in it."""
    parents: dict[str, int] = {}
    return {
        number: (parents.setdefault(card.parent, len(parents)), int(card.badge[1:]))
        for number, card in enumerate(graph.cards)
        if card.parent and card.badge and card.badge[1:].isdecimal()
    }


def _component_layout(
    vertices: Sequence[int],
    edges: Sequence[IntPair],
    heights: Sequence[int],
    times: Sequence[tuple[bool, str]],
    series: Mapping[int, IntPair],
    corners: Mapping[int, IntPair],
) -> _ComponentLayout:
    """Return the layout of one component, from the cache if the component is unchanged.

    Cards that stand elsewhere than that layout has them keep their positions.
    """
    local = {vertex: number for number, vertex in enumerate(vertices)}
    component = _Component(
        tuple((local[tail], local[head]) for tail, head in edges),
        tuple(heights[vertex] for vertex in vertices),
        _time_ranks([times[vertex] for vertex in vertices]),
        tuple((local[vertex], series[vertex]) for vertex in vertices if vertex in series),
    )
    layout = _cache.get_or_create(component, _lay_out)
    standing = {local[vertex]: corners[vertex][1] for vertex in vertices if vertex in corners}
    if len(standing) < 2 or len({layout.corners[number][1] - y for number, y in standing.items()}) == 1:
        return layout
    return _lay_out(component, {number: y + component.heights[number] // 2 for number, y in standing.items()})


def _shift(vertices: Sequence[int], layout: _ComponentLayout, corners: Mapping[int, IntPair]) -> IntPair | None:
    """Return the (column, y) at which most cards of a component stand where they stood; None if all are new."""
    shifts = Counter(
        ((corners[vertex][0] - x) // COLUMN_WIDTH, corners[vertex][1] - y)
        for vertex, (x, y) in zip(vertices, layout.corners, strict=True)
        if vertex in corners
    )
    return shifts.most_common(1)[0][0] if shifts else None


def _time_ranks(times: Sequence[tuple[bool, str]]) -> tuple[int, ...]:
    """Return the rank of each time among them all."""
    rank = {time: number for number, time in enumerate(sorted(set(times)))}
    return tuple(rank[time] for time in times)


def _lay_out(component: _Component, middles: Mapping[int, int] | None = None) -> _ComponentLayout:
    """Lay out one component, around the middles of the cards that stand already."""
    edges, heights, time_ranks, series = component
    successors: list[list[int]] = [[] for _ in heights]
    is_source = [True] * len(heights)
    for tail, head in edges:
        successors[tail].append(head)
        is_source[head] = is_source[head] and tail == head
    # In a cycle the card that existed first stands left: the later run is the one that writes back.
    starts = sorted(range(len(heights)), key=lambda vertex: (not is_source[vertex], time_ranks[vertex], vertex))
    back = find_back_edges(successors, starts)
    acyclic: list[LayerEdge] = [
        (head, tail, True) if (tail, head) in back else (tail, head, False) for tail, head in edges if tail != head
    ]
    forward: list[dict[int, None]] = [{} for _ in heights]
    for tail, head, _ in acyclic:
        forward[tail][head] = None
    layering = Layering.of(assign_ranks([list(heads) for heads in forward]), acyclic)
    if middles:
        y = anchor(layering, heights, middles, dict(series))
    else:
        order_layers(layering, dict(series))
        y = assign_y(layering, list(heights))
    corners = tuple((layering.rank[n] * COLUMN_WIDTH, y[n] - height // 2) for n, height in enumerate(heights))
    paths = tuple(
        (route_corners(layering, y, tail, head, back=(tail, head) in back), (tail, head) in back)
        for tail, head in edges
    )
    bottom = max((top + height for (_, top), height in zip(corners, heights, strict=True)), default=0)
    return _ComponentLayout(corners, paths, (len(layering.layers), max(bottom, max(y, default=0))))


# Most components of a graph are unchanged since it was laid out last.
_cache: LruCache[_Component, _ComponentLayout] = LruCache(
    CACHE_WEIGHT, lambda component: len(component.heights) + len(component.edges)
)
