"""Export in YOLO's format: boxes, polygons, and boxes with key points."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from autoflow.datasets.exporters.base import (
    BOX,
    KEY_POINTS,
    ORIENTED,
    POLYGON,
    PerImageExporter,
    corners,
    exterior,
    grouped,
    members,
    rotated_corners,
    shown,
)
from autoflow.datasets.exporters.key_points import PointNames
from autoflow.datasets.formats.coco_objects import bounds
from autoflow.datasets.formats.orientation import read_orientation
from autoflow.datasets.formats.yolo import IMAGES, LABELS, Yolo
from autoflow.wire.contract.versions import VersionDataset, VersionItem, VersionMetaResponse

_SPLITS = ("train", "val", "test")


class YoloExporter(PerImageExporter):
    """Writes a text file per image, and ``data.yaml``; all labels have key points if a class has."""

    name: ClassVar[str] = Yolo.name
    images: ClassVar[str] = IMAGES

    def __init__(self, root: str, version: VersionMetaResponse, datasets: Sequence[VersionDataset]) -> None:
        super().__init__(root, version, datasets)
        self._numbers = {entry["title"]: number for number, entry in enumerate(self._meta["classes"])}
        self._point_names = [PointNames(entry) for entry in self._meta["classes"]]
        self._points = max((len(names) for names in self._point_names), default=0)

    def add(self, item: VersionItem, path: str) -> None:
        """Write the lines of an image, also if it has none."""
        annotation = item.get("annotation") or {}
        orientation = read_orientation(path)
        size = (item["width"] or 1, item["height"] or 1) if orientation is None else orientation.shown_size
        lines = []
        for group in grouped(shown(annotation.get("objects", ()), orientation)):
            lines += self._lines(group, *size)
            for label in group:
                self._lose("tags of labels", len(label["tags"]))
                extra = members(label)
                custom = dict(extra.pop("customData", {}))
                self._lose("confidences", int(custom.pop("yolo", None) is not None))
                self._lose("other members of labels", len(extra) + bool(custom))
        self._lose("tags of images", len(item["tags"]))
        self._lose("descriptions and metadata of images", bool(item["meta"]) + bool(annotation.get("description")))
        stem = os.path.splitext(os.path.basename(path))[0]
        self._write("".join(f"{line}\n" for line in lines), LABELS, self._folders[item["datasetId"]], f"{stem}.txt")

    def _lines(self, group: Sequence[Mapping[str, Any]], width: int, height: int) -> list[str]:
        """Return the lines of the parts of one instance: its box and its key points are one line."""
        number = self._numbers[group[0]["classTitle"]]
        kinds = [label.get("geometryType") for label in group]
        is_pair = self._points > 0 and sorted(map(str, kinds)) == sorted((BOX, KEY_POINTS))
        if is_pair:
            box, graph = (next(label for label in group if label["geometryType"] == kind) for kind in (BOX, KEY_POINTS))
            return self._line(number, self._box(corners(box), width, height), graph, width, height)
        self._lose("instances of several labels", int(bool(group[0].get("instance"))))
        lines = []
        for label in group:
            lines += self._single(number, label, width, height)
        return lines

    def _single(self, number: int, label: Mapping[str, Any], width: int, height: int) -> list[str]:
        kind = label.get("geometryType")
        if kind == BOX:
            return self._line(number, self._box(corners(label), width, height), None, width, height)
        if kind == KEY_POINTS and self._points and label["nodes"]:
            self._lose("key points without a box, which get one")
            return self._line(number, self._box(bounds(dict(label)), width, height), label, width, height)
        if kind not in {POLYGON, ORIENTED} or self._points or len(exterior(label)) < (3 if kind == POLYGON else 2):
            self._lose_geometry(label)
            return []
        points = exterior(label) if kind == POLYGON else rotated_corners(label)
        self._lose("angles of oriented boxes, which are polygons", int(kind == ORIENTED))
        self._lose("holes of polygons", len(label["points"].get("interior") or ()))
        values = [value for x, y in points for value in (x / width, y / height)]
        return [_text(number, self._clipped(values))]

    def _box(self, box: tuple[float, float, float, float], width: int, height: int) -> list[float]:
        left, top, right, bottom = box
        clipped = self._clipped([left / width, top / height, right / width, bottom / height])
        left, top, right, bottom = clipped
        return [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]

    def _clipped(self, values: Sequence[float]) -> list[float]:
        """Return fractions of the image's sides, none outside of it."""
        clipped = [min(max(value, 0.0), 1.0) for value in values]
        self._lose("parts of labels outside of their images", int(clipped != list(values)))
        return clipped

    def _line(
        self, number: int, box: Sequence[float], graph: Mapping[str, Any] | None, width: int, height: int
    ) -> list[str]:
        values = list(box)
        if self._points:
            nodes = self._point_names[number].triples(graph["nodes"]) if graph is not None else []
            for x, y, visibility in [*nodes, *[(0, 0, 0)] * (self._points - len(nodes))]:
                values += [*self._clipped([x / width, y / height]), visibility]
            if graph is not None:
                self._lose("unnamed key points", len(graph["nodes"]) - sum(1 for node in nodes if node[2]))
        return [_text(number, values)]

    def finish(self) -> None:
        """Write the names of classes and key points, and the folders of splits."""
        present = set(self._folders.values())
        splits = {split: f"{IMAGES}/{split}" for split in _SPLITS if split in present}
        splits = {"train": IMAGES, "val": IMAGES, **splits}
        lines = [f"{split}: {folder}" for split, folder in splits.items()]
        lines += [f"nc: {len(self._numbers)}", "names:"]
        lines += [f"  {number}: {_quoted(title)}" for title, number in self._numbers.items()]
        if self._points:
            lines += [f"kpt_shape: [{self._points}, 3]", "kpt_names:"]
            for number, names in enumerate(self._point_names):
                texts = [*names.names, *(f"unused {index}" for index in range(len(names), self._points))]
                lines.append(f"  {number}: [{', '.join(map(_quoted, texts))}]")
        if not self._numbers:
            lines = [*lines[:-1], "names: []"]
        self._write("".join(f"{line}\n" for line in lines), "data.yaml")


def _text(number: int, values: Sequence[float]) -> str:
    return " ".join([str(number), *(repr(int(value)) if value == int(value) else repr(value) for value in values)])


def _quoted(text: str) -> str:
    """Return a text as a YAML scalar, which JSON's are."""
    return json.dumps(text, ensure_ascii=False)
