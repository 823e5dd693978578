"""The order of vertices within their layers, with few edge crossings (barycenter sweeps, then transposition)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Mapping, Sequence

from autoflow.graph.layout.columns import Layering

MAX_SWEEPS = 24
MAX_STALE_SWEEPS = 6  # sweeps without a better order before giving up
MAX_TRANSPOSE_PASSES = 8


Series = Mapping[int, tuple[int, int]]


def order_layers(layering: Layering, series: Series | None = None) -> int:
    """Sort each layer in place, and return the number of crossings left between neighbouring layers.

    Args:
        layering: the layers.
        series: the series of a vertex and its number in it: in a layer the members of a series, such as the versions of
            a project, stand in the order of their numbers, whatever crosses.
    """
    layers = layering.layers
    series = series or {}
    position = _initial_order(layering)
    _sort_series(layers, series, position)
    best_count, best_layers, stale = count_crossings(layering, position), [list(layer) for layer in layers], 0
    for sweep in range(MAX_SWEEPS):
        if not best_count or stale == MAX_STALE_SWEEPS:
            break
        center = _mean if sweep % 4 < 2 else _median
        if sweep % 2 == 0:
            _sweep(layers[1:], layering.left, position, center)
        else:
            _sweep(layers[-2::-1], layering.right, position, center)
        _sort_series(layers, series, position)
        count = count_crossings(layering, position)
        stale += 1
        if count < best_count:
            best_count, best_layers, stale = count, [list(layer) for layer in layers], 0
    layers[:] = best_layers
    _set_positions(layers, position)
    for _ in range(MAX_TRANSPOSE_PASSES):
        saved = sum(_transpose(layer, layering, position, series) for layer in layers) if best_count else 0
        best_count -= saved
        if not saved:
            break
    return best_count


def count_crossings(layering: Layering, position: Sequence[int]) -> int:
    """Return the number of pairs of edges between neighbouring layers that cross."""
    total = 0
    for layer in layering.layers:
        passed: list[int] = []
        for vertex in layer:
            ends = [position[successor] for successor in layering.right[vertex]]
            for end in ends:
                total += len(passed) - bisect_right(passed, end)
            for end in ends:
                insort(passed, end)
    return total


def _initial_order(layering: Layering) -> list[int]:
    """Fill the layers by a depth-first walk along the edges, and return each vertex's position in its layer."""
    left, right = layering.left, layering.right
    visited = [False] * len(layering.rank)
    layers: list[list[int]] = [[] for _ in layering.layers]
    for start in (vertex for layer in layering.layers for vertex in layer):
        stack = [] if visited[start] else [start]
        while stack:
            vertex = stack.pop()
            if not visited[vertex]:
                visited[vertex] = True
                layers[layering.rank[vertex]].append(vertex)
                stack += [other for other in reversed(left[vertex]) if not visited[other]]
                stack += [other for other in reversed(right[vertex]) if not visited[other]]
    layering.layers[:] = layers
    position = [0] * len(visited)
    _set_positions(layers, position)
    return position


def _set_positions(layers: list[list[int]], position: list[int]) -> None:
    for layer in layers:
        for index, vertex in enumerate(layer):
            position[vertex] = index


def _mean(positions: list[int]) -> float:
    return sum(positions) / len(positions)


def _median(positions: list[int]) -> float:
    positions.sort()
    return (positions[(len(positions) - 1) // 2] + positions[len(positions) // 2]) / 2


def _sweep(
    layers: list[list[int]], neighbours: list[list[int]], position: list[int], center: Callable[[list[int]], float]
) -> None:
    """Sort each layer by the centers of its vertices' neighbours."""
    for layer in layers:
        if len(layer) < 2:
            continue
        target: dict[int, float] = {}
        for vertex in layer:
            ends = neighbours[vertex]
            if len(ends) == 1:
                target[vertex] = position[ends[0]]
            else:
                target[vertex] = center([position[end] for end in ends]) if ends else position[vertex]
        layer.sort(key=target.__getitem__)
        for index, vertex in enumerate(layer):
            position[vertex] = index


def _sort_series(layers: list[list[int]], series: Series, position: list[int]) -> None:
    """Exchange the members of each series among their positions in a layer, so that their numbers ascend."""
    for layer in layers if series else ():
        members: dict[int, list[int]] = {}
        for vertex in layer:
            if vertex in series:
                members.setdefault(series[vertex][0], []).append(vertex)
        for vertices in members.values():
            free = [position[vertex] for vertex in vertices]
            for index, vertex in zip(free, sorted(vertices, key=series.__getitem__), strict=True):
                layer[index] = vertex
                position[vertex] = index


def _transpose(layer: list[int], layering: Layering, position: list[int], series: Series) -> int:
    """Swap adjacent vertices wherever that saves crossings, and return how many it saved."""
    if len(layer) < 2:
        return 0
    ends = [
        {vertex: sorted(position[neighbour] for neighbour in side[vertex]) for vertex in layer}
        for side in (layering.left, layering.right)
    ]
    total = 0
    for index in range(len(layer) - 1):
        upper, lower = layer[index], layer[index + 1]
        if upper in series and lower in series and series[upper][0] == series[lower][0]:
            continue
        saved = sum(
            _pair_crossings(side[upper], side[lower]) - _pair_crossings(side[lower], side[upper]) for side in ends
        )
        if saved > 0:
            layer[index], layer[index + 1] = lower, upper
            position[lower], position[upper] = index, index + 1
            total += saved
    return total


def _pair_crossings(upper: list[int], lower: list[int]) -> int:
    """Return the crossings of two vertices' edges, by the sorted positions of their ends, the upper vertex first."""
    if len(lower) < len(upper):
        return sum(len(upper) - bisect_right(upper, end) for end in lower)
    return sum(bisect_left(lower, end) for end in upper)
