"""Conversion of Pascal VOC's XML to objects in Supervisely's format."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, NamedTuple
from xml.etree import ElementTree

from autoflow.datasets.formats.base import coordinate, polygon, rectangle, round_coordinate
from autoflow.errors import FolderError

FLAGS = ("truncated", "difficult", "occluded")  # 1, or 0: a tag without value, or none
POSE, UNSPECIFIED = "pose", "Unspecified"
CORNERS = ("xmin", "ymin", "xmax", "ymax")
_GEOMETRIES = {"bndbox", "robndbox", "polygon"}
_DERIVED = {"folder", "filename", "path", "size", "segmented", "object"}  # members of an image that are not kept


class Annotation(NamedTuple):
    """The content of an XML file.

    Args:
        objects: its objects, in Supervisely's format.
        members: its other members, such as the source of the image.
        lost: what is not kept, as numbers by what it is.
    """

    objects: list[dict[str, Any]]
    members: dict[str, Any]
    lost: Counter[str]


def is_annotation(content: bytes) -> bool:
    """Return whether an XML file is an annotation by its beginning, so that an invalid one is an error."""
    return b"<annotation" in content[:4096]


def parse(path: str, content: bytes, *, strict: bool = True) -> Annotation | None:
    """Return the annotation in an XML file; None if it is another one, or not valid and not `strict`.

    Raises:
        FolderError: it is not valid.
    """
    try:
        root = _root(content)
        if root.tag != "annotation":
            return None
        lost: Counter[str] = Counter()
        objects = [entry for element in root.iterfind("object") for entry in _objects(element, lost)]
        members = {child.tag: _value(child) for child in root if child.tag not in _DERIVED}
        return Annotation(objects, {name: value for name, value in members.items() if value}, lost)
    except (ElementTree.ParseError, ValueError, OverflowError) as error:
        if not strict:
            return None
        raise FolderError(f"{path!r} is not valid Pascal VOC: {error}: correct it, or move it away") from None


def _root(content: bytes) -> ElementTree.Element:
    """Parse XML without entities of its own, which could make a small file very large."""
    if b"<!ENTITY" in content:
        raise ValueError("it declares entities")
    parser: ElementTree.XMLPullParser[Any] = ElementTree.XMLPullParser(("start",))
    parser.feed(content)
    parser.close()
    for event in parser.read_events():
        element = event[-1]
        if isinstance(element, ElementTree.Element):
            return element
    raise ValueError("it has no element")


def _objects(element: ElementTree.Element, lost: Counter[str]) -> list[dict[str, Any]]:
    title = (element.findtext("name") or "").strip()
    if not title:
        raise ValueError("an object has no name")
    known = {"name", "attributes", POSE, "deleted", "verified", "id", "type", "date", *FLAGS, *_GEOMETRIES}
    lost.update(f"<{child.tag}> of objects" for child in element if child.tag not in known)
    tags: list[dict[str, Any]] = [
        {"name": flag, "value": None} for flag in FLAGS if (element.findtext(flag) or "").strip() in {"1", "true"}
    ]
    pose = (element.findtext(POSE) or "").strip()
    if pose and pose != UNSPECIFIED:
        tags.append({"name": POSE, "value": pose})
    for attribute in element.iterfind("attributes/attribute"):
        if name := (attribute.findtext("name") or "").strip():
            tags.append({"name": name, "value": attribute.findtext("value")})
    return [{"classTitle": title, **geometry, "tags": tags} for geometry in _geometries(element)]


def _geometries(element: ElementTree.Element) -> list[dict[str, Any]]:
    """Return the geometry of an object: its polygon, else its oriented box, else its box."""
    ring = element.find("polygon")
    if ring is not None:
        return [polygon(_points(ring))]
    oriented = element.find("robndbox")
    if oriented is not None:
        x, y, width, height, angle = (_number(oriented, name) for name in ("cx", "cy", "w", "h", "angle"))
        box = rectangle(*map(round_coordinate, (x - width / 2, y - height / 2, x + width / 2, y + height / 2)))
        return [{**box, "geometryType": "oriented_bbox", "angle": angle}]
    box_element = element.find("bndbox")
    if box_element is None:
        raise ValueError("an object has no bndbox")
    return [rectangle(*(_number(box_element, name) for name in CORNERS))]


def _points(ring: ElementTree.Element) -> list[tuple[float, float]]:
    """Return the points of ``<x1>``, ``<y1>``, ``<x2>`` and so on, or of ``<pt>``."""
    if (points := ring.findall("pt")) or (points := ring.findall("point")):
        return [(_number(point, "x"), _number(point, "y")) for point in points]
    count = len([child for child in ring if child.tag.startswith("x")])
    if count < 3:
        raise ValueError(f"a polygon has {count} points")
    return [(_number(ring, f"x{number}"), _number(ring, f"y{number}")) for number in range(1, count + 1)]


def _number(element: ElementTree.Element, name: str) -> float:
    text = element.findtext(name)
    value = float(text) if text is not None else math.nan
    if not math.isfinite(value):
        raise ValueError(f"<{element.tag}> has no number {name!r}")
    return coordinate(value)


def _value(element: ElementTree.Element) -> Any:
    """Return the text of an element, or its children by name."""
    if len(element):
        return {child.tag: _value(child) for child in element}
    return (element.text or "").strip()
