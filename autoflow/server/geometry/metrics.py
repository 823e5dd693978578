"""What is measured of a geometry in points: the box around it, and its area. Of others nothing is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from autoflow.server import limits

Box = list[float]  # top, left, bottom, right
Corner = tuple[float, float]


def _corners(points: Any) -> Iterator[Corner]:
    for point in points if isinstance(points, list) else ():
        if isinstance(point, list) and len(point) == 2 and all(_number(value) for value in point):
            yield point[0], point[1]


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= limits.COORDINATE


def _enclosed(corners: Sequence[Corner]) -> float:
    ring = [*corners, *corners[:1]]
    return abs(sum(x * next_y - next_x * y for (x, y), (next_x, next_y) in pairwise(ring))) / 2


def measure(geometry: Mapping[str, Any], kind: Any) -> tuple[Box | None, str | None]:
    """Box and area; the area is a text, as on the wire."""
    points = geometry.get("points")
    if not isinstance(points, Mapping):
        return None, None
    corners = list(_corners(points.get("exterior")))
    if not corners:
        return None, None
    across, down = zip(*corners, strict=True)
    box = [min(down), min(across), max(down), max(across)]
    if kind == "rectangle":
        return box, str((box[2] - box[0]) * (box[3] - box[1]))
    if kind != "polygon":
        return box, None
    interior = points.get("interior")
    holes = [list(_corners(hole)) for hole in interior] if isinstance(interior, list) else []
    return box, str(_enclosed(corners) - sum(map(_enclosed, holes)))
