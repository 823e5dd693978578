"""Routes of arrows: sloped in the strip between two columns, level through each column they pass."""

from __future__ import annotations

from collections.abc import Sequence

from autoflow.graph.layout.columns import Layering
from autoflow.graph.layout.geometry import CARD_WIDTH, COLUMN_WIDTH, Corner

Corners = tuple[Corner, ...]

BACK_OFFSET = 20  # arrows that point back end below the middle of their cards, so that they never cover a forward arrow
LOOP_WIDTH = 28


def route_corners(layering: Layering, y: Sequence[int], tail: int, head: int, *, back: bool) -> Corners:
    """Return the corners of the route from `tail` to `head`.

    An arrow leaves on the right and arrives on the left; one that points back leaves on the left and arrives on the
    right. A self-loop is drawn at the right side.

    Args:
        layering: the layers, with dummy vertices.
        y: the middle of each vertex, in pixels.
        tail: the source's vertex.
        head: the target's vertex.
        back: whether the edge was reversed to break a cycle.
    """
    if tail == head:
        side = layering.rank[tail] * COLUMN_WIDTH + CARD_WIDTH
        above, below = y[tail] - BACK_OFFSET, y[tail] + BACK_OFFSET
        return ((side, above), (side + LOOP_WIDTH, above), (side + LOOP_WIDTH, below), (side, below))
    first, last = (head, tail) if back else (tail, head)
    offset = BACK_OFFSET if back else 0
    points = [(layering.rank[first] * COLUMN_WIDTH + CARD_WIDTH, y[first] + offset)]
    for vertex in layering.lanes.get((first, last, back), ()):
        x = layering.rank[vertex] * COLUMN_WIDTH
        points += [(x, y[vertex]), (x + CARD_WIDTH, y[vertex])]
    points.append((layering.rank[last] * COLUMN_WIDTH, y[last] + offset))
    points = _without_collinear(points)
    return tuple(reversed(points)) if back else tuple(points)


def _without_collinear(points: list[Corner]) -> list[Corner]:
    """Drop corners in the middle of a level stretch."""
    corners = points[:1]
    for index in range(1, len(points) - 1):
        if not points[index - 1][1] == points[index][1] == points[index + 1][1]:
            corners.append(points[index])
    return corners + points[-1:]
