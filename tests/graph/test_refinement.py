"""Colour refinement: stable, coarsest, and quick on long chains."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.graph.refinement import refine

pytestmark = pytest.mark.core


@st.composite
def colored(draw):
    """Vertices with a colour each, and labelled links in both directions."""
    size = draw(st.integers(1, 9))
    vertices = st.integers(0, size - 1)
    near = [[] for _ in range(size)]
    for source, target, kind in draw(st.lists(st.tuples(vertices, vertices, st.sampled_from("ab")), max_size=18)):
        near[source].append((target, (kind, True)))
        near[target].append((source, (kind, False)))
    return draw(st.lists(st.integers(0, 2), min_size=size, max_size=size)), near


def partition(color):
    return {frozenset(v for v, own in enumerate(color) if own == one) for one in color}


def naive(color, near):
    """The definition, round by round."""
    while True:
        signatures = [(own, frozenset((color[v], label) for v, label in near[n])) for n, own in enumerate(color)]
        refined = [signatures.index(signature) for signature in signatures]
        if partition(refined) == partition(color):
            return refined
        color = refined


@given(colored())
def test_it_is_the_coarsest_stable_partition(case):
    """The same classes as comparing all signatures anew until nothing changes."""
    color, near = case
    assert partition(refine(color, near)) == partition(naive(color, near))


def test_a_long_chain_compares_each_card_a_few_times():
    """Ten thousand links in a row take a few looks each, not ten thousand."""

    class Counted(list):
        looks = 0

        def __iter__(self):
            Counted.looks += 1
            return super().__iter__()

    size = 10_000
    near = [Counted() for _ in range(size)]
    for vertex in range(size - 1):
        near[vertex].append((vertex + 1, ("input", True)))
        near[vertex + 1].append((vertex, ("input", False)))
    assert len(set(refine([0] * size, near))) == size
    assert Counted.looks < 40 * size
