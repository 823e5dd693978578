"""The y coordinates of vertices: each beside its neighbours, without overlap, in the order of the layer.

For one layer this is an isotonic regression: the positions closest to the targets by least squares, among those that
keep the minimum distances. It knows the cards' real heights, which layouts by rows do not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from autoflow.graph.layout.columns import Layering

# For a vertex its neighbour in the layer, and the least distance of its middle from that neighbour's.
Bounds = dict[int, tuple[int, int]]

CARD_GAP = 36
LANE_GAP = 20
PASSES = 6
DUMMY_WEIGHT = 4  # against 1 of a card: an edge is bent less readily than a card is moved


def assign_y(layering: Layering, heights: Sequence[int]) -> list[int]:
    """Return the y of every vertex's middle, in pixels; the topmost edge is at 0.

    Args:
        layering: the ordered layers.
        heights: even heights of the cards, in pixels; dummy vertices have none.
    """
    half = [height // 2 for height in heights] + [0] * (len(layering.rank) - layering.cards)
    weight = [1] * layering.cards + [DUMMY_WEIGHT] * (len(layering.rank) - layering.cards)
    offsets = [_min_offsets(layer, half, layering.cards) for layer in layering.layers]
    y = [0] * len(layering.rank)
    for layer, layer_offsets in zip(layering.layers, offsets, strict=True):
        for vertex, offset in zip(layer, layer_offsets, strict=True):
            y[vertex] = offset
    sides = tuple(_aligned_neighbours(side, layering.cards) for side in (layering.left, layering.right))
    both = [before + after for before, after in zip(*sides, strict=True)]
    stacked = list(zip(layering.layers, offsets, strict=True))
    for step in range(PASSES):
        neighbours = both if step >= PASSES - 2 else sides[step % 2]
        for layer, layer_offsets in stacked if step % 2 == 0 else reversed(stacked):
            _place_layer(layer, layer_offsets, neighbours, weight, y)
    above: Bounds = {}
    below: Bounds = {}
    for layer, layer_offsets in stacked:
        for (upper, start), (lower, end) in pairwise(zip(layer, layer_offsets, strict=True)):
            above[lower] = upper, end - start
            below[upper] = lower, start - end
    chains = _chains(layering)
    for chain in (*layering.trunks, *chains, *chains):  # twice, as the first round makes room for the second
        _straighten(chain, above, below, y)
    top = min((y[vertex] - half[vertex] for vertex in range(len(y))), default=0)
    return [middle - top for middle in y]


def _aligned_neighbours(side: list[list[int]], cards: int) -> list[list[int]]:
    """Return the neighbours to align each vertex with: a trunk follows its own vertices, not its branches."""
    trunks = [[end for end in ends if end >= cards] for ends in side[cards:]]
    return side[:cards] + [trunk or ends for trunk, ends in zip(trunks, side[cards:], strict=True)]


def _min_offsets(layer: list[int], half: list[int], cards: int) -> list[int]:
    """Return the least distance of each vertex below the first vertex of its layer."""
    offsets = [0] * len(layer)
    for index in range(1, len(layer)):
        upper, lower = layer[index - 1], layer[index]
        gap = CARD_GAP if upper < cards and lower < cards else LANE_GAP
        offsets[index] = offsets[index - 1] + half[upper] + gap + half[lower]
    return offsets


def _place_layer(
    layer: list[int], offsets: list[int], neighbours: list[list[int]], weight: list[int], y: list[int]
) -> None:
    """Move one layer's vertices as close to the means of their neighbours as possible (pool adjacent violators)."""
    weights: list[float] = []
    means: list[float] = []
    counts: list[int] = []
    for vertex, offset in zip(layer, offsets, strict=True):
        ends = neighbours[vertex]
        if len(ends) == 1:
            mean = float(y[ends[0]] - offset)
        else:
            mean = (sum([y[end] for end in ends]) / len(ends) if ends else y[vertex]) - offset
        pool_weight: float = weight[vertex]
        count = 1
        while means and means[-1] >= mean:
            previous_weight = weights.pop()
            mean = (means.pop() * previous_weight + mean * pool_weight) / (previous_weight + pool_weight)
            pool_weight += previous_weight
            count += counts.pop()
        weights.append(pool_weight)
        means.append(mean)
        counts.append(count)
    start = 0
    for mean, count in zip(means, counts, strict=True):
        base = int(mean // 1)
        for index in range(start, start + count):
            y[layer[index]] = base + offsets[index]
        start += count


def _chains(layering: Layering) -> list[list[int]]:
    """Return the longest chains of vertices in which each has one successor, whose only predecessor it is."""
    left, right = layering.left, layering.right
    joined = [len(ends) == 1 and len(left[ends[0]]) == 1 for ends in right]
    chains = []
    for vertex in range(len(joined)):
        if joined[vertex] and not (len(left[vertex]) == 1 and joined[left[vertex][0]]):
            chain = [vertex]
            while joined[chain[-1]]:
                chain.append(right[chain[-1]][0])
            chains.append(chain)
    return chains


def _straighten(chain: list[int], above: Bounds, below: Bounds, y: list[int]) -> None:
    """Level a chain in as few stretches as the vertices above and below it allow."""
    stretch: list[int] = []
    low, high = -math.inf, math.inf
    for vertex in chain:
        upper, lower = above.get(vertex), below.get(vertex)
        top = -math.inf if upper is None else y[upper[0]] + upper[1]
        bottom = math.inf if lower is None else y[lower[0]] + lower[1]
        if stretch and max(low, top) > min(high, bottom):
            _level(stretch, low, high, y)
            stretch, low, high = [], -math.inf, math.inf
        stretch.append(vertex)
        low, high = max(low, top), min(high, bottom)
    _level(stretch, low, high, y)


def _level(stretch: list[int], low: float, high: float, y: list[int]) -> None:
    mean = sum(y[vertex] for vertex in stretch) // len(stretch)
    for vertex in stretch:
        y[vertex] = int(min(max(mean, low), high))
