"""Orders with few crossings."""

from __future__ import annotations

import random

import pytest

from autoflow.graph.layout.columns import Layering
from autoflow.graph.layout.ordering import count_crossings, order_layers

pytestmark = pytest.mark.core


def positions(columns: Layering) -> list[int]:
    position = [0] * len(columns.rank)
    for layer in columns.layers:
        for index, vertex in enumerate(layer):
            position[vertex] = index
    return position


@pytest.mark.parametrize("seed", range(5))
def test_a_forest_is_drawn_without_crossings(seed: int) -> None:
    """Trees of three layers, in any order, have an order without crossings."""
    dice = random.Random(seed)
    rank = [0] * 3 + [1] * 6 + [2] * 12
    links = [(child // 2 - 1 if child < 9 else (child - 9) // 2 + 3, child, False) for child in range(3, 21)]
    links = [((child - 3) // 2 if child < 9 else tail, child, False) for tail, child, _ in links]
    dice.shuffle(links)
    columns = Layering.of(rank, links)
    assert order_layers(columns) == 0
    assert count_crossings(columns, positions(columns)) == 0


@pytest.mark.parametrize("seed", range(5))
def test_the_returned_count_is_that_of_the_final_order(seed: int) -> None:
    """It equals the count over all pairs of edges."""
    dice = random.Random(seed)
    links = sorted({(dice.randrange(8), 8 + dice.randrange(8), False) for _ in range(24)})
    columns = Layering.of([0] * 8 + [1] * 8, links)
    left = order_layers(columns)
    position = positions(columns)
    plain = sum(
        (position[a] - position[c]) * (position[b] - position[d]) < 0
        for n, (a, b, _) in enumerate(links)
        for c, d, _ in links[:n]
    )
    assert left == count_crossings(columns, position) == plain


def test_a_series_is_in_the_order_of_its_numbers() -> None:
    """Versions stand from the first to the last, even if the order of what was made of them then crosses."""
    edges = [(0, 1, False), (0, 2, False), (0, 3, False), (3, 4, False), (2, 5, False), (1, 6, False), (6, 7, False)]
    columns = Layering.of([0, 1, 1, 1, 2, 2, 2, 3], [*edges, (4, 7, False)])
    left = order_layers(columns, {1: (0, 1), 2: (0, 2), 3: (0, 10)})
    assert columns.layers[1] == [1, 2, 3]
    assert left == count_crossings(columns, positions(columns))


def test_edges_of_one_card_share_a_lane() -> None:
    """Three long edges out of one card need one lane, and so do three long edges into one card."""
    out = Layering.of([0, 3, 3, 3], [(0, head, False) for head in (1, 2, 3)])
    into = Layering.of([0, 0, 0, 3], [(tail, 3, False) for tail in (0, 1, 2)])
    assert len(out.rank) - out.cards == len(into.rank) - into.cards == 2
