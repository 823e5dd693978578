"""The order of cards within their columns: few crossings, found by sweeps that keep the best order seen."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Sequence

from autoflow.graph.layout.columns import Layering

MAX_SWEEPS = 24
MAX_STALE_SWEEPS = 6  # sweeps without a better order before giving up
MAX_TRANSPOSE_PASSES = 8


def order_layers(columns: Layering) -> int:
    """Sort each column of `columns` in place; gives the number of crossings left between neighbouring columns."""
    layers = columns.layers
    position = _walk(columns)
    best, kept, stale = count_crossings(columns, position), [list(layer) for layer in layers], 0
    for sweep in range(MAX_SWEEPS):
        if not best or stale == MAX_STALE_SWEEPS:
            break
        middle = _mean if sweep % 4 < 2 else _median
        if sweep % 2 == 0:
            _sweep(layers[1:], columns.left, position, middle)
        else:
            _sweep(layers[-2::-1], columns.right, position, middle)
        count = count_crossings(columns, position)
        stale += 1
        if count < best:
            best, kept, stale = count, [list(layer) for layer in layers], 0
    layers[:] = kept
    _number(layers, position)
    for _ in range(MAX_TRANSPOSE_PASSES):
        gained = sum(_transpose(layer, columns, position) for layer in layers) if best else 0
        best -= gained
        if not gained:
            break
    return best


def count_crossings(columns: Layering, position: Sequence[int]) -> int:
    """Count the pairs of links between neighbouring columns that cross."""
    total = 0
    for layer in columns.layers:
        passed: list[int] = []
        for vertex in layer:
            ends = [position[after] for after in columns.right[vertex]]
            for end in ends:
                total += len(passed) - bisect_right(passed, end)
            for end in ends:
                insort(passed, end)
    return total


def _walk(columns: Layering) -> list[int]:
    """Set a first order: columns filled by a walk along the links, so that a part of the graph stays together."""
    left, right = columns.left, columns.right
    seen = [False] * len(columns.rank)
    layers: list[list[int]] = [[] for _ in columns.layers]
    for start in (vertex for layer in columns.layers for vertex in layer):
        path = [] if seen[start] else [start]
        while path:
            vertex = path.pop()
            if not seen[vertex]:
                seen[vertex] = True
                layers[columns.rank[vertex]].append(vertex)
                path += [near for near in reversed(left[vertex]) if not seen[near]]
                path += [near for near in reversed(right[vertex]) if not seen[near]]
    columns.layers[:] = layers
    position = [0] * len(seen)
    _number(layers, position)
    return position


def _number(layers: list[list[int]], position: list[int]) -> None:
    for layer in layers:
        for place, vertex in enumerate(layer):
            position[vertex] = place


def _mean(places: list[int]) -> float:
    return sum(places) / len(places)


def _median(places: list[int]) -> float:
    places.sort()
    return (places[(len(places) - 1) // 2] + places[len(places) // 2]) / 2


def _sweep(
    layers: list[list[int]], near: list[list[int]], position: list[int], middle: Callable[[list[int]], float]
) -> None:
    for layer in layers:
        if len(layer) < 2:
            continue
        wish: dict[int, float] = {}
        for vertex in layer:
            ends = near[vertex]
            if len(ends) == 1:
                wish[vertex] = position[ends[0]]
            else:
                wish[vertex] = middle([position[end] for end in ends]) if ends else position[vertex]
        layer.sort(key=wish.__getitem__)
        for place, vertex in enumerate(layer):
            position[vertex] = place


def _transpose(layer: list[int], columns: Layering, position: list[int]) -> int:
    """Swap neighbours wherever that saves crossings; gives how many were saved."""
    if len(layer) < 2:
        return 0
    ends = [
        {vertex: sorted(position[near] for near in side[vertex]) for vertex in layer}
        for side in (columns.left, columns.right)
    ]
    saved = 0
    for place in range(len(layer) - 1):
        upper, lower = layer[place], layer[place + 1]
        gain = sum(_inversions(side[upper], side[lower]) - _inversions(side[lower], side[upper]) for side in ends)
        if gain > 0:
            layer[place], layer[place + 1] = lower, upper
            position[lower], position[upper] = place, place + 1
            saved += gain
    return saved


def _inversions(upper: list[int], lower: list[int]) -> int:
    """Count the crossings of links to `upper` and `lower` (sorted places) when the first stands above the second."""
    if len(lower) < len(upper):
        return sum(len(upper) - bisect_right(upper, end) for end in lower)
    return sum(bisect_left(lower, end) for end in upper)
