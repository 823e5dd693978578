"""Packing of components."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.graph.layout.packing import connected_components, pack_components

pytestmark = pytest.mark.core

SIZES = st.lists(st.tuples(st.integers(1, 9), st.integers(82, 900)), max_size=25)


@given(SIZES)
def test_components_never_overlap(sizes: list[tuple[int, int]]) -> None:
    """No two components cover the same pixels of a column."""
    taken = [
        {(column + n, y, y + height) for n in range(columns)}
        for (columns, height), (column, y) in zip(sizes, pack_components(sizes), strict=True)
    ]
    for number, first in enumerate(taken):
        for second in taken[:number]:
            assert not any(a == c and b < f and d < e for a, b, e in first for c, d, f in second)


def test_components_are_in_the_order_of_their_first_vertex() -> None:
    """Components and their vertices ascend."""
    assert connected_components(5, [(4, 0), (3, 1)]) == [[0, 4], [1, 3], [2]]


def test_many_small_components_fill_a_sheet_instead_of_a_strip() -> None:
    """A hundred single cards have roughly the aspect ratio of a screen."""
    positions = pack_components([(1, 82)] * 100)
    width = (max(column for column, _ in positions) + 1) * 376
    height = max(y for _, y in positions) + 82
    assert 0.8 <= width / height <= 4
