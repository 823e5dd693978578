"""Conversion of COCO's annotations to objects in Supervisely's format.

An annotation is several objects of one ``instance`` if it has several polygons, or key points beside them, or a box
that is not just the bounding box of its polygons or mask.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from autoflow.datasets.formats import masks
from autoflow.datasets.formats.base import key_points, polygon, rectangle, round_coordinate
from autoflow.datasets.formats.orientation import Orientation, stored_rows, turned

MAX_COORDINATE = 1e9  # pixels
EXTENSION = "supervisely"  # member for what COCO has no word for: written by an export, read here
BOX = "box"  # its member: whether the bounding box is an object of its own; else that follows from its size
_TOLERANCE = 1.0  # pixels: bounding boxes are often rounded


def geometries(
    annotation: dict[str, Any],
    size: tuple[int, int],
    image: tuple[int, int],
    names: Sequence[str],
    orientation: Orientation | None = None,
) -> list[dict[str, Any]]:
    """Return the geometries of an annotation: its mask or polygons, its key points, and its box.

    Args:
        annotation: the annotation.
        size: height and width of the image in the JSON file.
        image: the actual width and height of the image, 0 if they are not known.
        names: the names of the category's key points.
        orientation: how the image is turned when it is shown, as the annotation means it.

    Raises:
        ValueError, TypeError, KeyError, IndexError, OverflowError: the annotation is not valid.
    """
    shapes = list(_segments(annotation.get("segmentation"), size, image, orientation))
    points = annotation.get("keypoints")
    nodes = _nodes(points, names) if points else {}
    graphs = [key_points(nodes)] if nodes else []
    boxes = []
    if "bbox" in annotation:
        left, top, width, height = coordinates(annotation["bbox"])
        corners = (left, top, round_coordinate(left + width), round_coordinate(top + height))
        is_object = annotation.get(EXTENSION, {}).get(BOX)
        if is_object is None:
            is_object = not shapes or _differs(_corners_of(rectangle(*corners), orientation), shapes)
        boxes = [rectangle(*corners)] if is_object else []
    if orientation is not None:
        graphs, boxes = ([turned(part, orientation.stored) for part in parts] for parts in (graphs, boxes))
    return [*shapes, *graphs, *boxes]


def _corners_of(box: dict[str, Any], orientation: Orientation | None) -> tuple[float, ...]:
    return bounds(box if orientation is None else turned(box, orientation.stored))


def bounds(geometry: dict[str, Any]) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of a geometry."""
    if "bitmap" in geometry:
        left, top = geometry["bitmap"]["origin"]
        width, height = masks.size_of(geometry["bitmap"]["data"])
        return left, top, left + width, top + height
    if "nodes" in geometry:
        points = [node["loc"] for node in geometry["nodes"].values()]
    else:
        points = geometry["points"]["exterior"]
    return bounds_of(points)


def bounds_of(points: Sequence[Sequence[float]]) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of points."""
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    return min(xs), min(ys), max(xs), max(ys)


def union(boxes: Sequence[tuple[float, float, float, float]]) -> tuple[float, float, float, float]:
    """Return the box around boxes."""
    return bounds_of([corner for box in boxes for corner in (box[:2], box[2:])])


def _differs(corners: tuple[float, ...], shapes: Sequence[dict[str, Any]]) -> bool:
    around = union([bounds(shape) for shape in shapes])
    return any(abs(side - around_side) > _TOLERANCE for side, around_side in zip(corners, around, strict=True))


def _segments(
    segmentation: Any, size: tuple[int, int], image: tuple[int, int], orientation: Orientation | None
) -> Iterator[dict[str, Any]]:
    """Yield the mask or the polygons of an annotation, in the coordinates of the stored pixels."""
    if isinstance(segmentation, dict):
        height, width = _mask_size(segmentation.get("size") or size, image)
        counts = segmentation["counts"]
        runs = masks.decode_runs(counts) if isinstance(counts, str) else counts
        rows = masks.decode_mask(runs, width, height)
        mask = masks.bitmap(rows if orientation is None else stored_rows(rows, orientation.code))
        if mask is not None:
            yield mask
    elif segmentation:
        for ring in segmentation if isinstance(segmentation[0], list) else [segmentation]:
            if len(ring) < 6 or len(ring) % 2:
                raise ValueError(f"a polygon has {len(ring)} numbers")
            numbers = coordinates(ring)
            outline = polygon(list(zip(numbers[::2], numbers[1::2], strict=True)))
            yield outline if orientation is None else turned(outline, orientation.stored)


def _nodes(values: Sequence[Any], names: Sequence[str]) -> dict[str, tuple[float, float, bool]]:
    """Return the key points that are labeled, by name, with positions and visibility."""
    numbers = coordinates(values)
    if len(numbers) % 3:
        raise ValueError(f"its key points are {len(numbers)} numbers, not three each")
    triples = zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)
    return {
        names[index] if index < len(names) else str(index): (x, y, visibility > 1)
        for index, (x, y, visibility) in enumerate(triples)
        if visibility > 0
    }


def _mask_size(size: Any, image: tuple[int, int]) -> tuple[int, int]:
    """Return the height and width of a mask; it is no larger than its image, but may be rotated as in its EXIF.

    Raises:
        ValueError: they are not numbers of pixels, or too large.
    """
    height, width = size
    if any(type(side) is not int or side < 0 for side in (height, width)):
        raise ValueError(f"its size must be a height and a width, not {str(size)[:60]}")
    if 0 not in image and (max(height, width) > max(image) or min(height, width) > min(image)):
        raise ValueError(f"its mask is {width} x {height} pixels, larger than the image, {image[0]} x {image[1]}")
    return height, width


def coordinates(values: Any) -> list[float]:
    """Return coordinates as numbers.

    Raises:
        ValueError, TypeError, OverflowError: a value is not a number, or larger than any image.
    """
    numbers = [float(value) for value in values]
    for number in numbers:
        if not math.isfinite(number) or abs(number) > MAX_COORDINATE:
            raise ValueError(f"{number} is not a coordinate in an image")
    return numbers
