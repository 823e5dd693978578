"""Export in Pascal VOC's format: boxes, oriented boxes and polygons, with tags as attributes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, ClassVar
from xml.sax.saxutils import escape

from autoflow.datasets.exporters.base import (
    BOX,
    ORIENTED,
    POLYGON,
    PerImageExporter,
    corners,
    exterior,
    members,
)
from autoflow.datasets.formats.coco_objects import bounds_of
from autoflow.datasets.formats.voc import ANNOTATIONS, IMAGES, Voc
from autoflow.datasets.formats.voc_objects import CORNERS, FLAGS, POSE, UNSPECIFIED
from autoflow.wire.contract.versions import VersionItem

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class VocExporter(PerImageExporter):
    """Writes an XML file per image."""

    name: ClassVar[str] = Voc.name
    images: ClassVar[str] = IMAGES

    def add(self, item: VersionItem, path: str) -> None:
        """Write the XML of an image."""
        annotation = item.get("annotation") or {}
        name = os.path.basename(path)
        folder = self._folders[item["datasetId"]]
        meta = dict(item["meta"])
        source = meta.pop("voc", {})
        self._lose("tags of images", len(item["tags"]))
        self._lose("descriptions and metadata of images", bool(meta) + bool(annotation.get("description")))
        objects = [text for label in annotation.get("objects", ()) for text in self._object(label)]
        size = [("width", item["width"] or 0), ("height", item["height"] or 0), ("depth", 3)]
        entries = [
            self._element("folder", os.path.join(IMAGES, folder)),
            self._element("filename", name),
            *(self._tree(key, value) for key, value in source.items()),
            _wrapped("size", [self._element(key, value) for key, value in size]),
            *objects,
        ]
        text = f"{_wrapped('annotation', entries)}\n"
        self._write(text, ANNOTATIONS, folder, f"{os.path.splitext(name)[0]}.xml")

    def _object(self, label: Mapping[str, Any]) -> list[str]:
        geometry = self._geometry(label)
        if not geometry:
            self._lose_geometry(label)
            return []
        flags = dict.fromkeys(FLAGS, 0)
        pose = UNSPECIFIED
        attributes = []
        for tag in label["tags"]:
            name, value = tag["name"], tag.get("value")
            if name in FLAGS and value is None:
                flags[name] = 1
            elif name == POSE and isinstance(value, str) and value.strip() == value not in {"", UNSPECIFIED}:
                pose = value
            else:
                self._lose("types of tags with numbers, which are texts", int(isinstance(value, (int, float))))
                parts = [self._element("name", name)] + ([] if value is None else [self._element("value", value)])
                attributes.append(_wrapped("attribute", parts))
        self._lose("instances of labels", int(bool(label.get("instance"))))
        self._lose("other members of labels", len(members(label)))
        entries = [
            self._element("name", label["classTitle"]),
            self._element(POSE, pose),
            *(self._element(name, value) for name, value in flags.items()),
            *geometry,
            *([_wrapped("attributes", attributes)] if attributes else []),
        ]
        return [_wrapped("object", entries)]

    def _geometry(self, label: Mapping[str, Any]) -> list[str]:
        """Return the elements of a geometry, none if the format has no such."""
        kind = label.get("geometryType")
        if kind == BOX:
            return [self._box(corners(label))]
        if kind == ORIENTED:
            left, top, right, bottom = corners(label)
            values = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top, label.get("angle") or 0)
            names = ("cx", "cy", "w", "h", "angle")
            numbers = [self._element(name, value) for name, value in zip(names, values, strict=True)]
            return [_wrapped("robndbox", numbers)]
        if kind != POLYGON or len(exterior(label)) < 3:
            return []
        self._lose("holes of polygons", len(label["points"].get("interior") or ()))
        points = [
            self._element(f"{axis}{number}", value)
            for number, point in enumerate(exterior(label), 1)
            for axis, value in zip("xy", point, strict=True)
        ]
        return [self._box(bounds_of(exterior(label))), _wrapped("polygon", points)]

    def _box(self, box: tuple[float, float, float, float]) -> str:
        return _wrapped("bndbox", [self._element(name, value) for name, value in zip(CORNERS, box, strict=True)])

    def _tree(self, name: str, value: Any) -> str:
        if isinstance(value, dict):
            return _wrapped(name, [self._tree(key, part) for key, part in value.items()])
        return self._element(name, value)

    def _element(self, name: str, value: Any) -> str:
        text = _NOT_XML.sub("\ufffd", str(value))
        self._lose("texts with characters that XML cannot hold", int(text != str(value)))
        return f"<{name}>{escape(text)}</{name}>"


def _wrapped(name: str, elements: list[str]) -> str:
    content = "".join(elements)
    return f"<{name}>{content}</{name}>"
