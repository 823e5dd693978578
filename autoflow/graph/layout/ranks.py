"""The column of each card: right of everything it came from, and no further left of its use than it must be."""

from __future__ import annotations

from collections.abc import Sequence


def assign_ranks(following: Sequence[Sequence[int]]) -> list[int]:
    """Give each vertex its column, counted from 0; every link leads to a higher one.

    A vertex stands as far left as its inputs allow. What leads to one place only, a source or a chain that
    began with one, is pulled right beside that place, so that a late run's own inputs stand next to it.

    Args:
        following: for each vertex, the vertices its links lead to; without circles.
    """
    size = len(following)
    missing = [0] * size
    for heads in following:
        for head in heads:
            missing[head] += 1
    ordered = [vertex for vertex in range(size) if not missing[vertex]]
    rank = [0] * size
    anchored = [False] * size
    for vertex in ordered:  # grows while it is walked
        below = rank[vertex] + 1
        heads = following[vertex]
        holds = anchored[vertex] or len(heads) > 1
        for head in heads:
            rank[head] = max(rank[head], below)
            anchored[head] = anchored[head] or holds
            missing[head] -= 1
            if not missing[head]:
                ordered.append(head)
    for vertex in reversed(ordered):
        if following[vertex] and not anchored[vertex]:
            rank[vertex] = min(rank[head] for head in following[vertex]) - 1
    lowest = min(rank, default=0)
    return [number - lowest for number in rank]
