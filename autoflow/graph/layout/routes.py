"""The ways of arrows: straight from side to side in the strip between columns, flat through the columns passed."""

from __future__ import annotations

from collections.abc import Sequence

from autoflow.graph.layout.columns import Layering
from autoflow.graph.layout.geometry import CARD_WIDTH, COLUMN_WIDTH, Point

Corners = tuple[Point, ...]

BACK_DROP = 20  # an arrow back meets its cards below their middles, so that it never lies upon the arrow forth
LOOP = 28


def route_corners(columns: Layering, y: Sequence[int], tail: int, head: int, *, back: bool) -> Corners:
    """Give the corners of the way from `tail` to `head`.

    An arrow leaves on the right and arrives on the left; an arrow back leaves on the left and arrives on the
    right. A self-reference is a small loop at the right side.

    Args:
        columns: columns with lanes.
        y: the middles of all vertices.
        tail: the source's vertex.
        head: the target's vertex.
        back: whether the link was turned round.
    """
    if tail == head:
        side = columns.rank[tail] * COLUMN_WIDTH + CARD_WIDTH
        above, below = y[tail] - BACK_DROP, y[tail] + BACK_DROP
        return ((side, above), (side + LOOP, above), (side + LOOP, below), (side, below))
    first, last = (head, tail) if back else (tail, head)
    drop = BACK_DROP if back else 0
    points = [(columns.rank[first] * COLUMN_WIDTH + CARD_WIDTH, y[first] + drop)]
    for place in columns.lanes.get((first, last, back), ()):
        x = columns.rank[place] * COLUMN_WIDTH
        points += [(x, y[place]), (x + CARD_WIDTH, y[place])]
    points.append((columns.rank[last] * COLUMN_WIDTH, y[last] + drop))
    points = _straight(points)
    return tuple(reversed(points)) if back else tuple(points)


def _straight(points: list[Point]) -> list[Point]:
    """Leave out corners in the middle of a flat stretch."""
    kept = points[:1]
    for place in range(1, len(points) - 1):
        if not points[place - 1][1] == points[place][1] == points[place + 1][1]:
            kept.append(points[place])
    return kept + points[-1:]
