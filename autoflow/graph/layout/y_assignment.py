"""Where cards stand in their columns: each beside its neighbours, none upon another, order kept.

For one column this is an isotonic regression: the places nearest to the wishes, by least squares, among those
that keep the distances. It knows the cards' real heights, which layouts by rows do not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from autoflow.graph.layout.columns import Layering

# For a vertex its neighbour in the column, and how far from that neighbour's middle its own must be.
Rooms = dict[int, tuple[int, int]]

CARD_GAP = 36
LANE_GAP = 20
PASSES = 6
STIFFNESS = 4  # a lane is bent less readily than a card is moved


def assign_y(columns: Layering, heights: Sequence[int]) -> list[int]:
    """Give the y of every vertex's middle, in pixels; the topmost edge is at 0.

    Args:
        columns: ordered columns.
        heights: even heights of the cards, in pixels; places of lanes have none.
    """
    half = [height // 2 for height in heights] + [0] * (len(columns.rank) - columns.cards)
    weight = [1] * columns.cards + [STIFFNESS] * (len(columns.rank) - columns.cards)
    shifts = [_shifts(layer, half, columns.cards) for layer in columns.layers]
    y = [0] * len(columns.rank)
    for layer, shift in zip(columns.layers, shifts, strict=True):
        for vertex, down in zip(layer, shift, strict=True):
            y[vertex] = down
    sides = tuple(_pulls(side, columns.cards) for side in (columns.left, columns.right))
    both = [before + after for before, after in zip(*sides, strict=True)]
    stacked = list(zip(columns.layers, shifts, strict=True))
    for step in range(PASSES):
        near = both if step >= PASSES - 2 else sides[step % 2]
        for layer, shift in stacked if step % 2 == 0 else reversed(stacked):
            _settle(layer, shift, near, weight, y)
    above: Rooms = {}
    below: Rooms = {}
    for layer, shift in stacked:
        for (upper, start), (lower, end) in pairwise(zip(layer, shift, strict=True)):
            above[lower] = upper, end - start
            below[upper] = lower, start - end
    threads = _threads(columns)
    for thread in (*columns.trunks, *threads, *threads):  # again: the first round made room
        _straighten(thread, above, below, y)
    top = min((y[vertex] - half[vertex] for vertex in range(len(y))), default=0)
    return [middle - top for middle in y]


def _pulls(side: list[list[int]], cards: int) -> list[list[int]]:
    """Give the neighbours each vertex would be level with: a trunk follows itself, not its branches."""
    trunks = [[end for end in ends if end >= cards] for ends in side[cards:]]
    return side[:cards] + [trunk or ends for trunk, ends in zip(trunks, side[cards:], strict=True)]


def _shifts(layer: list[int], half: list[int], cards: int) -> list[int]:
    """Give how far below the first vertex of the column each must be at least."""
    shifts = [0] * len(layer)
    for place in range(1, len(layer)):
        upper, lower = layer[place - 1], layer[place]
        gap = CARD_GAP if upper < cards and lower < cards else LANE_GAP
        shifts[place] = shifts[place - 1] + half[upper] + gap + half[lower]
    return shifts


def _settle(layer: list[int], shifts: list[int], near: list[list[int]], weight: list[int], y: list[int]) -> None:
    """Move one column's vertices to the places nearest to the mean of their neighbours (pool adjacent violators)."""
    weights: list[float] = []
    means: list[float] = []
    counts: list[int] = []
    for vertex, shift in zip(layer, shifts, strict=True):
        ends = near[vertex]
        if len(ends) == 1:
            mean = float(y[ends[0]] - shift)
        else:
            mean = (sum([y[end] for end in ends]) / len(ends) if ends else y[vertex]) - shift
        mass: float = weight[vertex]
        count = 1
        while means and means[-1] >= mean:
            earlier = weights.pop()
            mean = (means.pop() * earlier + mean * mass) / (earlier + mass)
            mass += earlier
            count += counts.pop()
        weights.append(mass)
        means.append(mean)
        counts.append(count)
    place = 0
    for mean, count in zip(means, counts, strict=True):
        base = int(mean // 1)
        for number in range(place, place + count):
            y[layer[number]] = base + shifts[number]
        place += count


def _threads(columns: Layering) -> list[list[int]]:
    """Give the chains in which each vertex leads to the next one only and each comes from the one before only."""
    left, right = columns.left, columns.right
    joined = [len(ends) == 1 and len(left[ends[0]]) == 1 for ends in right]
    threads = []
    for vertex in range(len(joined)):
        if joined[vertex] and not (len(left[vertex]) == 1 and joined[left[vertex][0]]):
            thread = [vertex]
            while joined[thread[-1]]:
                thread.append(right[thread[-1]][0])
            threads.append(thread)
    return threads


def _straighten(thread: list[int], above: Rooms, below: Rooms, y: list[int]) -> None:
    """Level a chain of vertices, in as few flat stretches as what stands above and below them allows."""
    stretch: list[int] = []
    low, high = -math.inf, math.inf
    for vertex in thread:
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
    wish = sum(y[vertex] for vertex in stretch) // len(stretch)
    for vertex in stretch:
        y[vertex] = int(min(max(wish, low), high))
