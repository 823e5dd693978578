"""Cycle breaking: a run that writes into what it read points back, every other edge points forward."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def find_back_edges(successors: Sequence[Sequence[int]], starts: Iterable[int]) -> set[tuple[int, int]]:
    """Return the edges that close a cycle (depth-first search), self-loops included; without them there is no cycle.

    Args:
        successors: for each vertex, the vertices its edges lead to.
        starts: all vertices, in the order in which to start searching; what is reached first stands further left.
    """
    unvisited, on_path, done = 0, 1, 2
    state = [unvisited] * len(successors)
    back_edges: set[tuple[int, int]] = set()
    for start in starts:
        if state[start] != unvisited:
            continue
        state[start] = on_path
        path = [(start, iter(successors[start]))]
        while path:
            vertex, remaining = path[-1]
            for successor in remaining:
                if state[successor] == on_path:
                    back_edges.add((vertex, successor))
                elif state[successor] == unvisited:
                    state[successor] = on_path
                    path.append((successor, iter(successors[successor])))
                    break
            else:
                state[vertex] = done
                path.pop()
    return back_edges
