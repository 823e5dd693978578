"""Ranks and cycle breaking."""

from __future__ import annotations

import pytest

from autoflow.graph.layout.ranks import assign_ranks, find_back_edges

pytestmark = pytest.mark.core


def test_a_late_input_stands_beside_the_run_that_reads_it() -> None:
    """A source, and a chain that leads to one card only, are pulled right; a source of several runs is not."""
    following = [[1], [2], [3], [], [5], [2, 3]]
    assert assign_ranks(following) == [0, 1, 2, 3, 0, 1]
    late = [[1], [2], [3], [], [5], [3]]  # 4 -> 5 -> 3, and 3 has another way of length 3
    assert assign_ranks(late) == [0, 1, 2, 3, 1, 2]


def test_outputs_stay_beside_the_run_that_wrote_them() -> None:
    """A run's second output is not pulled towards its late use."""
    following = [[1, 4], [2], [3], [5], [5], []]
    assert assign_ranks(following)[4] == 1


def test_a_cycle_is_broken_once() -> None:
    """One edge of a cycle is a back edge, and the self-loop; no other."""
    assert find_back_edges([[1], [2], [0, 2]], range(3)) == {(2, 0), (2, 2)}


def test_a_very_long_chain_needs_no_recursion() -> None:
    """Depth is bounded by memory, not by the interpreter's stack."""
    size = 50_000
    chain = [[vertex + 1] for vertex in range(size - 1)] + [[]]
    assert find_back_edges(chain, range(size)) == set()
    assert assign_ranks(chain)[-1] == size - 1
