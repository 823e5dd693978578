"""Color refinement: stable, coarsest, and fast on long chains."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.graph.refinement import refine

pytestmark = pytest.mark.core


@st.composite
def colored(draw):
    """Vertices with colors, and labelled edges in both directions."""
    size = draw(st.integers(1, 9))
    vertices = st.integers(0, size - 1)
    neighbours = [[] for _ in range(size)]
    for source, target, kind in draw(st.lists(st.tuples(vertices, vertices, st.sampled_from("ab")), max_size=18)):
        neighbours[source].append((target, (kind, True)))
        neighbours[target].append((source, (kind, False)))
    return draw(st.lists(st.integers(0, 2), min_size=size, max_size=size)), neighbours


def partition(color):
    return {frozenset(v for v, own in enumerate(color) if own == number) for number in color}


def naive(color, neighbours):
    """Refine by the definition, round by round."""
    while True:
        signatures = [(own, frozenset((color[v], label) for v, label in neighbours[n])) for n, own in enumerate(color)]
        refined = [signatures.index(signature) for signature in signatures]
        if partition(refined) == partition(color):
            return refined
        color = refined


@given(colored())
def test_it_is_the_coarsest_stable_partition(case):
    """The classes equal those of comparing all signatures until nothing changes."""
    color, neighbours = case
    assert partition(refine(color, neighbours)) == partition(naive(color, neighbours))


def test_a_long_chain_compares_each_card_a_few_times():
    """Ten thousand edges in a row take a few iterations each, not ten thousand."""

    class Counted(list):
        iterations = 0

        def __iter__(self):
            Counted.iterations += 1
            return super().__iter__()

    size = 10_000
    neighbours = [Counted() for _ in range(size)]
    for vertex in range(size - 1):
        neighbours[vertex].append((vertex + 1, ("input", True)))
        neighbours[vertex + 1].append((vertex, ("input", False)))
    assert len(set(refine([0] * size, neighbours))) == size
    assert Counted.iterations < 40 * size
