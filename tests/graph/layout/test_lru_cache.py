"""Results that are kept: made once, given up in turn, never more than there is room for; parts of graphs are such."""

from __future__ import annotations

from itertools import pairwise

import pytest

from autoflow.graph import layout
from autoflow.graph.graph import Arrow, Card, Graph
from autoflow.graph.layout import lay_out
from autoflow.graph.layout.lru_cache import Kept

pytestmark = pytest.mark.core


@pytest.fixture
def made():
    """What had to be made, in order."""
    return []


def kept(made, most):
    """Numbers doubled; a number weighs itself."""
    return Kept(lambda number: made.append(number) or 2 * number, lambda number: number, most)


def test_what_was_asked_before_is_not_made_again(made):
    """The same question has the same answer, made once."""
    doubled = kept(made, 100)
    assert [doubled(3), doubled(3), doubled(4)] == [6, 6, 8]
    assert made == [3, 4]


def test_what_was_asked_longest_ago_is_given_up(made):
    """With room for four, a fifth drives out the one that was not asked for again."""
    doubled = Kept(lambda name: made.append(name) or name, lambda name: 2, 8)
    for name in "abcdae":
        doubled(name)
    assert made == list("abcde")
    doubled("a")
    assert made == list("abcde")
    doubled("b")
    assert made == list("abcdeb")


def test_there_is_never_more_than_there_is_room_for(made):
    """Each of many fits, all do not: the last ones are there still, the first is made anew."""
    doubled = kept(made, 40)
    for number in range(1, 11):
        doubled(number)
    doubled(10)
    assert made == list(range(1, 11))
    doubled(1)
    assert made[-1] == 1


def test_what_is_too_heavy_is_made_each_time(made):
    """One result may not drive out all others."""
    doubled = kept(made, 10)
    doubled(2)
    doubled(3), doubled(3)
    doubled(2)
    assert made == [2, 3, 3]


def chain(name, length):
    """A part of a graph."""
    cards = [Card(f"file:{name}{n}", "file", n, "f", "f", at=f"2026-11-01T10:{n:02d}:00Z") for n in range(length)]
    return cards, [Arrow(one.key, other.key, "input") for one, other in pairwise(cards)]


def test_a_part_of_a_graph_that_did_not_change_is_not_laid_out_again(monkeypatch):
    """A new part, or one that grew, is; and the picture is that of the whole laid out anew."""
    drawn = []
    fresh = Kept(lambda piece: drawn.append(len(piece.heights)) or layout._drawn(piece), lambda piece: 1, 1000)
    monkeypatch.setattr(layout, "_kept", fresh)
    first, second, third = chain("a", 3), chain("b", 5), chain("c", 7)
    lay_out(Graph((*first[0], *second[0]), (*first[1], *second[1])))
    assert drawn == [3, 5]
    whole = Graph((*first[0], *second[0], *third[0]), (*first[1], *second[1], *third[1]))
    placed = lay_out(whole)
    assert drawn == [3, 5, 7]
    monkeypatch.setattr(layout, "_kept", layout._drawn)
    assert lay_out(whole) == placed
