"""The lines of YOLO's label files: a class, and a box, the corners of a polygon, or a box with key points.

The corners of an oriented box are a polygon. A number at the end of a line that has no other meaning is a confidence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from autoflow.datasets.formats import class_names
from autoflow.datasets.formats.base import key_points, polygon, rectangle, round_coordinate
from autoflow.errors import FolderError

_BOX = 4  # numbers of a box
_MAX_POINTS = 10_000
_TOLERANCE = 0.5  # pixels beyond the image that are an error of rounding


class Description(NamedTuple):
    """The content of ``data.yaml``.

    Args:
        file: its path in the folder.
        names: the names of the classes.
        points: the number of key points of each label, 0 if labels have none.
        values: the numbers of a key point: 2, or 3 with its visibility.
        names_by_class: the names of the key points by the number of the class.
    """

    file: str | None
    names: list[str]
    points: int = 0
    values: int = 3
    names_by_class: Mapping[str, list[str]] = {}

    def point_names(self, class_number: int) -> list[str]:
        """Return unique names of the key points of a class: their numbers, if they have no names."""
        names = self.names_by_class.get(str(class_number)) or []
        if len(names) == self.points == len(set(names)):
            return names
        return [str(number) for number in range(self.points)]


def description(file: str, path: str, document: Mapping[str, Any]) -> Description:
    """Return the description in a parsed ``data.yaml``.

    Raises:
        FolderError: it is not valid.
    """
    names = class_names.names_of(path, document)
    shape = document.get("kpt_shape")
    if not shape:
        return Description(file, names)
    try:
        points, values = (int(number) for number in shape)
    except (TypeError, ValueError):
        points = values = 0
    if not 0 < points <= _MAX_POINTS or values not in {2, 3}:
        raise FolderError(f'{path!r}: "kpt_shape" must be the number of key points, and 2 or 3: write [17, 3]')
    by_class = document.get("kpt_names")
    named = by_class.items() if isinstance(by_class, dict) else ()
    return Description(
        file, names, points, values, {key: list(map(str, part)) for key, part in named if isinstance(part, list)}
    )


class LineParser:
    """Converts the lines of one image's label file.

    Args:
        described: the classes and key points.
        width, height: size of the image in pixels.

    Attributes:
        clipped: the number of labels that were larger than the image.
    """

    def __init__(self, described: Description, width: int, height: int) -> None:
        self._described = described
        self._width = width
        self._height = height
        self.clipped = 0

    def objects(self, number: int, words: Sequence[str]) -> list[dict[str, Any]]:
        """Return the objects of one line: a label with key points is two, of one ``instance``.

        Args:
            number: the number of the line, which names the instance.
            words: its words.

        Raises:
            ValueError: the line is not valid.
        """
        class_number, *values = (float(word) for word in words)
        names = self._described.names
        if not class_number.is_integer() or not 0 <= class_number < len(names):
            raise ValueError(f"there is no class {words[0]}; there are {len(names)}, numbered from 0")
        if not all(map(math.isfinite, values)):
            raise ValueError("a number is not finite")
        label: dict[str, Any] = {"classTitle": names[int(class_number)], "tags": []}
        expected = _BOX + self._described.points * self._described.values
        has_confidence = len(values) % 2 == 1 if not self._described.points else len(values) == expected + 1
        if has_confidence and len(values) > _BOX:
            label["customData"] = {"yolo": {"confidence": values.pop()}}
        if self._described.points:
            if len(values) != expected:
                raise ValueError(f"{len(values)} numbers after the class are not a box and key points ({expected})")
            box = self._box(values)
            nodes = self._nodes(values[_BOX:], self._described.point_names(int(class_number)))
            if not nodes:
                return [{**label, **box}]
            return [{**label, **part, "instance": str(number)} for part in (box, key_points(nodes))]
        if len(values) == _BOX:
            return [{**label, **self._box(values)}]
        if len(values) < 6 or len(values) % 2:
            raise ValueError(f"{len(values)} numbers after the class are neither a box (4) nor a polygon (6, 8, 10 …)")
        points = list(zip(values[::2], values[1::2], strict=True))
        self._count_clipped([x for x, _ in points], [y for _, y in points])
        return [{**label, **polygon([(_pixels(x, self._width), _pixels(y, self._height)) for x, y in points])}]

    def _box(self, values: Sequence[float]) -> dict[str, Any]:
        x, y, width, height = values[:_BOX]
        xs, ys = (x - width / 2, x + width / 2), (y - height / 2, y + height / 2)
        self._count_clipped(xs, ys)
        return rectangle(
            _pixels(xs[0], self._width),
            _pixels(ys[0], self._height),
            _pixels(xs[1], self._width),
            _pixels(ys[1], self._height),
        )

    def _nodes(self, values: Sequence[float], names: Sequence[str]) -> dict[str, tuple[float, float, bool]]:
        """Return the key points that are labeled; without visibility, one in the corner of the image is not."""
        nodes = {}
        for index, name in enumerate(names):
            x, y, *visibility = values[index * self._described.values : (index + 1) * self._described.values]
            if visibility[0] > 0 if visibility else x or y:
                is_visible = not visibility or visibility[0] > 1
                nodes[name] = (_pixels(x, self._width), _pixels(y, self._height), is_visible)
        return nodes

    def _count_clipped(self, xs: Sequence[float], ys: Sequence[float]) -> None:
        excesses = [
            max(-min(values), max(values) - 1) * size for values, size in ((xs, self._width), (ys, self._height))
        ]
        self.clipped += max(excesses) > _TOLERANCE


def _pixels(fraction: float, size: int) -> int | float:
    """Return a fraction of a side in pixels, clipped to the image."""
    return round_coordinate(min(max(fraction, 0.0), 1.0) * size)
