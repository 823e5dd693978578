"""The bounding box and the area of geometries that consist of points, and of bitmaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from autoflow.model.json_object import JsonObject
from autoflow.server import limits
from autoflow.server.geometry.masks import Box, measure_bitmap

Point = tuple[float, float]
_NUMBERS = (int, float)


def _vertices(points: Any) -> Iterator[Point]:
    for point in points if isinstance(points, list) else ():
        if isinstance(point, list) and len(point) == 2:
            x, y = point
            if _is_coordinate(x) and _is_coordinate(y):
                yield x, y


def _is_coordinate(value: Any) -> bool:
    return type(value) in _NUMBERS and abs(value) <= limits.COORDINATE


def _area(vertices: Sequence[Point]) -> float:
    ring = [*vertices, *vertices[:1]]
    return abs(sum(x * next_y - next_x * y for (x, y), (next_x, next_y) in pairwise(ring))) / 2


def measure(geometry: JsonObject, kind: Any) -> tuple[Box | None, str | None]:
    """Return the bounding box and the area as text (as on the wire), None for what is not defined for this shape."""
    points = geometry.get("points")
    bitmap = geometry.get("bitmap")
    if isinstance(bitmap, Mapping):
        return measure_bitmap(dict(bitmap))
    if not isinstance(points, Mapping):
        return None, None
    vertices = list(_vertices(points.get("exterior")))
    if not vertices:
        return None, None
    xs, ys = zip(*vertices, strict=True)
    box = [min(ys), min(xs), max(ys), max(xs)]
    if kind == "rectangle":
        return box, str((box[2] - box[0]) * (box[3] - box[1]))
    if kind != "polygon":
        return box, None
    interior = points.get("interior")
    holes = [list(_vertices(hole)) for hole in interior] if isinstance(interior, list) else []
    return box, str(_area(vertices) - sum(map(_area, holes)))
