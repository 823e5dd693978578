"""JPEG images that are to be turned when they are shown, as their EXIF says.

Labels of YOLO and COCO are in the coordinates of the image as it is shown, those of a project in the coordinates of the
stored pixels.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from autoflow.datasets.formats.base import round_coordinate

_JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo")
_HEAD_BYTES = 256 * 1024
_TAG = 0x0112
_EXIF, _SCAN = 0xE1, 0xDA
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}

Point = tuple[float, float]


class Orientation(NamedTuple):
    """The orientation of an image.

    Args:
        code: as in EXIF: 2 mirrored, 3 turned by half, 4 mirrored vertically; 5 to 8: width and height are exchanged.
        width, height: of the stored pixels.
    """

    code: int
    width: int
    height: int

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height of the image as it is shown."""
        return (self.height, self.width) if self.code >= 5 else (self.width, self.height)

    def stored(self, x: float, y: float) -> Point:
        """Return the stored position of a point of the shown image."""
        width, height = self.width, self.height
        positions: dict[int, Point] = {
            2: (width - x, y),
            3: (width - x, height - y),
            4: (x, height - y),
            5: (y, x),
            6: (y, height - x),
            7: (width - y, height - x),
            8: (width - y, x),
        }
        return positions[self.code]

    def shown(self, x: float, y: float) -> Point:
        """Return the position of a stored point in the shown image."""
        width, height = self.width, self.height
        positions: dict[int, Point] = {
            2: (width - x, y),
            3: (width - x, height - y),
            4: (x, height - y),
            5: (y, x),
            6: (height - y, x),
            7: (height - y, width - x),
            8: (y, width - x),
        }
        return positions[self.code]


def read_orientation(path: str) -> Orientation | None:
    """Return the orientation of a JPEG file; None if it is shown as it is stored, or is another file."""
    if not path.lower().endswith(_JPEG_SUFFIXES):
        return None
    try:
        with open(path, "rb") as file:
            return _parse(file.read(_HEAD_BYTES))
    except (OSError, struct.error):
        return None


def _parse(head: bytes) -> Orientation | None:
    """Read a JPEG's segments up to its frame."""
    code, position = 1, 2
    while head[:2] == b"\xff\xd8" and position + 9 <= len(head):
        lead, marker, length = struct.unpack_from(">BBH", head, position)
        if lead != 0xFF or marker == _SCAN:
            return None
        content = head[position + 4 : position + 2 + length]
        if marker == _EXIF and content.startswith(b"Exif\0\0"):
            code = _code(content[6:])
            if not 2 <= code <= 8:
                return None
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, 1)
            return Orientation(code, width, height) if code > 1 else None
        position += 2 + length
    return None


def _code(exif: bytes) -> int:
    """Return the orientation in the first directory of EXIF's data, 1 without."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 1
    (start,) = struct.unpack_from(f"{order}I", exif, 4)
    (count,) = struct.unpack_from(f"{order}H", exif, start)
    for position in range(start + 2, start + 2 + 12 * min(count, 1000), 12):
        tag, _type, _count, value = struct.unpack_from(f"{order}HHIH", exif, position)
        if tag == _TAG:
            return int(value)
    return 1


def turned(label: Mapping[str, Any], position: Callable[[float, float], Point]) -> dict[str, Any]:
    """Return an object with other positions of its points; a mask is unchanged."""
    result = dict(label)
    if "nodes" in label:
        result["nodes"] = {
            name: {**node, "loc": _moved([node["loc"]], position)[0]} for name, node in label["nodes"].items()
        }
    if "points" in label:
        points = label["points"]
        exterior = _moved(points["exterior"], position)
        if label.get("geometryType") == "rectangle":
            exterior = [[edge(axis) for axis in zip(*exterior, strict=True)] for edge in (min, max)]
        interior = [_moved(ring, position) for ring in points.get("interior") or ()]
        result["points"] = {**points, "exterior": exterior, "interior": interior}
    return result


def _moved(points: Sequence[Sequence[float]], position: Callable[[float, float], Point]) -> list[list[float]]:
    return [[round_coordinate(value) for value in position(x, y)] for x, y in points]


def stored_rows(rows: Sequence[bytes], code: int) -> list[bytes]:
    """Return the stored rows of pixels of an image that is shown with these rows."""
    if code >= 5:
        rows = [bytes(column) for column in zip(*rows, strict=True)]
        upside_down, mirrored = code in {6, 7}, code in {7, 8}
    else:
        upside_down, mirrored = code in {3, 4}, code in {2, 3}
    if upside_down:
        rows = rows[::-1]
    return [row[::-1] if mirrored else row for row in rows]
