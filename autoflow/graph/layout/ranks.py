"""Rank assignment: the column of each card, right of everything it came from and close to where it is used.

A run that writes into what it read closes a cycle. The edges that do so are left out; the others lead to the right.
"""

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


def assign_ranks(successors: Sequence[Sequence[int]]) -> list[int]:
    """Return the rank of each vertex, counted from 0; every edge leads to a higher one.

    A vertex stands as far left as its inputs allow. What leads to one vertex only (a source, or a chain that starts
    with one) is pulled right beside that vertex, so that the own inputs of a late run stand next to it.

    Args:
        successors: for each vertex, the vertices its edges lead to; without cycles.
    """
    size = len(successors)
    unranked_inputs = [0] * size
    for heads in successors:
        for head in heads:
            unranked_inputs[head] += 1
    ordered = [vertex for vertex in range(size) if not unranked_inputs[vertex]]
    rank = [0] * size
    anchored = [False] * size
    for vertex in ordered:  # the list grows during the loop
        next_rank = rank[vertex] + 1
        heads = successors[vertex]
        is_anchor = anchored[vertex] or len(heads) > 1
        for head in heads:
            rank[head] = max(rank[head], next_rank)
            anchored[head] = anchored[head] or is_anchor
            unranked_inputs[head] -= 1
            if not unranked_inputs[head]:
                ordered.append(head)
    for vertex in reversed(ordered):
        if successors[vertex] and not anchored[vertex]:
            rank[vertex] = min(rank[head] for head in successors[vertex]) - 1
    lowest = min(rank, default=0)
    return [number - lowest for number in rank]
