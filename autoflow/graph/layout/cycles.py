"""Circles in the data's way, opened: a run that writes into what it has read points back, everything else forward."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def find_back_edges(following: Sequence[Sequence[int]], starts: Iterable[int]) -> set[tuple[int, int]]:
    """Find the links that close a circle; without them (self-references among them) none is left.

    Args:
        following: for each vertex, the vertices its links lead to.
        starts: all vertices, in the order in which to start walking; what is reached first stands further left.
    """
    waiting, walking, done = 0, 1, 2
    state = [waiting] * len(following)
    found: set[tuple[int, int]] = set()
    for start in starts:
        if state[start] != waiting:
            continue
        state[start] = walking
        path = [(start, iter(following[start]))]
        while path:
            vertex, rest = path[-1]
            for after in rest:
                if state[after] == walking:
                    found.add((vertex, after))
                elif state[after] == waiting:
                    state[after] = walking
                    path.append((after, iter(following[after])))
                    break
            else:
                state[vertex] = done
                path.pop()
    return found
