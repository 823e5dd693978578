"""Export in COCO's format: a JSON file per dataset.

Annotations are written to a temporary file first: the key points of a category, and the numbers of categories, are
known at the end. What COCO has no word for (instances, classes and tags) is in members named ``supervisely``.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from autoflow.datasets.exporters.base import (
    BOX,
    KEY_POINTS,
    MASK,
    ORIENTED,
    POLYGON,
    Exporter,
    corners,
    dumped,
    exterior,
    grouped,
    members,
    rotated_corners,
    shown,
)
from autoflow.datasets.exporters.key_points import PointNames
from autoflow.datasets.filename_allocator import FilenameAllocator
from autoflow.datasets.formats import masks
from autoflow.datasets.formats.coco import ATTRIBUTES, CROWD, Coco
from autoflow.datasets.formats.coco_objects import BOX as BOX_MEMBER
from autoflow.datasets.formats.coco_objects import EXTENSION, bounds, bounds_of, union
from autoflow.datasets.formats.coco_tags import SCORE, attributes_of
from autoflow.datasets.formats.orientation import Orientation, read_orientation
from autoflow.wire.contract.labels import LabelDefinitions
from autoflow.wire.contract.versions import VersionDataset, VersionItem, VersionMetaResponse

_NODES = "nodes"  # member of a key point annotation until its names are known


class CocoExporter(Exporter):
    """Writes ``annotations/instances_*.json``, whose image names are relative to the folder."""

    name: ClassVar[str] = Coco.name
    images: ClassVar[str] = "images"

    def __init__(self, root: str, version: VersionMetaResponse, datasets: Sequence[VersionDataset]) -> None:
        super().__init__(root, version, datasets)
        self._point_names = {entry["title"]: PointNames(entry) for entry in self._meta["classes"]}
        self._categories = _category_ids(self._meta)
        self._files: dict[int, _Spool] = {}  # by dataset
        self._images = 0
        self._annotations = 0

    def add(self, item: VersionItem, path: str) -> None:
        """Write the annotations of an image."""
        self._images += 1
        orientation = read_orientation(path)
        size = (item["width"] or 0, item["height"] or 0) if orientation is None else orientation.shown_size
        annotation = item.get("annotation") or {}
        spool = self._files.get(item["datasetId"]) or self._files.setdefault(item["datasetId"], _Spool())
        spool.images.write(self._image(item, annotation, os.path.relpath(path, self._root), size))
        for group in grouped(shown(annotation.get("objects", ()), orientation)):
            for entry in self._annotated(group, size, orientation):
                self._annotations += 1
                spool.annotations.write({"id": self._annotations, "image_id": self._images, **entry})

    def _image(
        self, item: VersionItem, annotation: Mapping[str, Any], path: str, size: tuple[int, int]
    ) -> dict[str, Any]:
        """Return the entry of an image."""
        meta = dict(item["meta"])
        source = meta.pop("coco", {})
        own = {name: annotation[name] for name in annotation if name not in {"objects", "tags", "size"}}
        extension = {
            **({"meta": meta} if meta else {}),
            **({"annotation": filled} if (filled := {key: part for key, part in own.items() if part}) else {}),
        }
        attributes = {**source.get(ATTRIBUTES, {}), **attributes_of(annotation.get("tags", ()), self._tags)}
        return {
            **source,
            "id": self._images,
            "file_name": path,
            "width": size[0],
            "height": size[1],
            **({ATTRIBUTES: attributes} if attributes else {}),
            **({EXTENSION: extension} if extension else {}),
        }

    def _annotated(
        self, group: Sequence[Mapping[str, Any]], size: tuple[int, int], orientation: Orientation | None
    ) -> Iterator[dict[str, Any]]:
        """Yield the annotations for parts of one instance: most are a single one."""
        parts: dict[str, list[Mapping[str, Any]]] = {BOX: [], POLYGON: [], MASK: [], KEY_POINTS: [], ORIENTED: []}
        for label in group:
            kind = str(label.get("geometryType"))
            is_valid = kind in parts and (kind != POLYGON or len(exterior(label)) > 2)
            if not is_valid or (kind == KEY_POINTS and not label["nodes"]):
                self._lose_geometry(label)
                continue
            parts[kind].append(label)
        rest = [[label] for label in (*parts[MASK], *parts[ORIENTED])]
        joined = [*parts[POLYGON], *parts[KEY_POINTS][:1], *parts[BOX][:1]]
        if parts[MASK] and not parts[POLYGON]:
            joined = [*rest.pop(0), *joined]
        rest += [[label] for label in (*parts[KEY_POINTS][1:], *parts[BOX][1:])]
        for part in ([joined] if joined else []) + rest:
            yield self._annotation(part, size, orientation)

    def _annotation(
        self, labels: Sequence[Mapping[str, Any]], size: tuple[int, int], orientation: Orientation | None
    ) -> dict[str, Any]:
        """Return the annotation for labels of which at most one is a mask, a box, and key points each."""
        first = labels[0]
        kinds = {str(label["geometryType"]) for label in labels}
        extra = members(first)
        custom = dict(extra.pop("customData", {}) or {})
        unknown = dict(custom.pop("coco", {}))
        extension = {**extra, **({"customData": custom} if custom else {})}
        if first.get("instance"):
            extension["instance"] = first["instance"]
        has_shape = bool(kinds & {POLYGON, MASK, ORIENTED})
        if (has_shape or KEY_POINTS in kinds) and (BOX in kinds or not has_shape):
            extension[BOX_MEMBER] = BOX in kinds
        tags = [tag for tag in first["tags"] if tag["name"] != CROWD]
        attributes = {**unknown.pop(ATTRIBUTES, {}), **attributes_of(tags, self._tags)}
        score = attributes.pop(SCORE, None) if isinstance(attributes.get(SCORE), (int, float)) else None
        entry: dict[str, Any] = {
            **unknown,
            "category_id": self._categories[first["classTitle"]],
            CROWD: int(len(tags) < len(first["tags"])),
            **self._shape(labels, size, orientation),
        }
        optional = {SCORE: score, ATTRIBUTES: attributes or None, EXTENSION: extension or None}
        return {**entry, **{name: value for name, value in optional.items() if value is not None}}

    def _shape(
        self, labels: Sequence[Mapping[str, Any]], size: tuple[int, int], orientation: Orientation | None
    ) -> dict[str, Any]:
        """Return bbox, area, segmentation and key points; the segmentation of a box is empty, as readers expect one."""
        shape: dict[str, Any] = {"segmentation": []}
        rings: list[list[float]] = []
        boxes: dict[str, tuple[float, float, float, float]] = {}
        area = 0.0
        for label in labels:
            kind = str(label["geometryType"])
            if kind in {POLYGON, ORIENTED}:
                points = exterior(label) if kind == POLYGON else rotated_corners(label)
                self._lose("angles of oriented boxes, which are polygons", int(kind == ORIENTED))
                self._lose("holes of polygons", len(label["points"].get("interior") or ()))
                rings.append([value for point in points for value in point])
                box = bounds_of(points)
                boxes[POLYGON] = union([box, *([boxes[POLYGON]] if POLYGON in boxes else [])])
                area += _area(points)
            elif kind == MASK:
                boxes[MASK] = bounds(dict(label))
                if orientation is not None:
                    left, top, right, bottom = boxes[MASK]
                    boxes[MASK] = bounds_of([orientation.shown(left, top), orientation.shown(right, bottom)])
                code = orientation.code if orientation is not None else 1
                origin = [int(side) for side in boxes[MASK][:2]]
                runs = masks.encode_mask(label["bitmap"]["data"], origin, *size, code)
                shape["segmentation"] = {"size": [size[1], size[0]], "counts": runs}
                area += sum(runs[1::2])
            elif kind == KEY_POINTS:
                self._point_names[label["classTitle"]].add(label["nodes"])
                shape[_NODES] = label["nodes"]
                boxes[KEY_POINTS] = bounds(dict(label))
            else:
                boxes[BOX] = corners(label)
        left, top, right, bottom = next(boxes[kind] for kind in (BOX, POLYGON, MASK, KEY_POINTS) if kind in boxes)
        if rings:
            shape["segmentation"] = rings
        return {
            "bbox": [left, top, right - left, bottom - top],
            "area": area or (right - left) * (bottom - top),
            **shape,
        }

    def finish(self) -> None:
        """Write the JSON files."""
        names = FilenameAllocator()
        for dataset, spool in self._files.items():
            file = names.allocate(f"instances_{self._folders[dataset].replace('/', '_')}")
            path = os.path.join(self._root, "annotations", f"{file}.json")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "x", encoding="utf-8", errors="surrogatepass") as target:
                info = {
                    EXTENSION: {
                        "classes": _without_ids(self._meta["classes"]),
                        "tags": _without_ids(self._meta["tags"]),
                    }
                }
                target.write(f'{{"info":{dumped(info)},\n"categories":{dumped(self._category_list())},\n"images":[')
                target.writelines(_joined(spool.images.lines()))
                target.write('],\n"annotations":[')
                target.writelines(_joined(self._with_key_points(spool.annotations.lines())))
                target.write("]}\n")

    def close(self) -> None:
        """Remove the temporary files."""
        for spool in self._files.values():
            spool.close()

    def _with_key_points(self, lines: Iterable[str]) -> Iterator[str]:
        titles = {number: title for title, number in self._categories.items()}
        for line in lines:
            if f'"{_NODES}":' not in line:
                yield line
                continue
            entry = json.loads(line)
            nodes = entry.pop(_NODES, None)
            if nodes is not None:
                triples = self._point_names[titles[entry["category_id"]]].triples(nodes)
                entry["keypoints"] = [value for triple in triples for value in triple]
                entry["num_keypoints"] = len(nodes)
            yield dumped(entry)

    def _category_list(self) -> list[dict[str, Any]]:
        entries = []
        for definition in self._meta["classes"]:
            title = definition["title"]
            names = self._point_names[title]
            source = _source(definition)
            entry = {**source, "id": self._categories[title], "name": title}
            if len(names):
                entry |= {"keypoints": names.names, "skeleton": [[start + 1, end + 1] for start, end in names.edges]}
            entries.append(entry)
        return entries


class _Spool:
    """The images and annotations of one file."""

    def __init__(self) -> None:
        self.images = _Lines()
        self.annotations = _Lines()

    def close(self) -> None:
        """Remove the temporary files."""
        self.images.close()
        self.annotations.close()


class _Lines:
    """JSON documents in a temporary file, a line each."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=1 << 20)
        self.close = self._file.close

    def write(self, document: Mapping[str, Any]) -> None:
        """Append a document."""
        self._file.write(dumped(document).encode("utf-8", "surrogatepass") + b"\n")

    def lines(self) -> Iterator[str]:
        """Yield all documents as text."""
        self._file.seek(0)
        for line in self._file:
            yield line.decode("utf-8", "surrogatepass")


def _joined(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines with commas between them."""
    for number, line in enumerate(lines):
        yield f"{',' if number else ''}\n{line.rstrip()}"


def _without_ids(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in entry.items() if name != "id"} for entry in entries]


def _source(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a class keeps of the category that it was imported as."""
    return definition.get("coco") or {}


def _category_ids(meta: LabelDefinitions) -> dict[str, int]:
    """Return the ids of categories by title: those that they were imported with, as far as these are unique."""
    ids: dict[str, int] = {}
    wanted = {entry["title"]: _source(entry).get("id") for entry in meta["classes"]}
    used: set[int] = set()
    for title, number in wanted.items():
        if isinstance(number, int) and number not in used:
            ids[title] = number
            used.add(number)
    following = max([0, *used])
    for title in wanted:
        if title not in ids:
            following += 1
            ids[title] = following
    return {title: ids[title] for title in wanted}


def _area(points: Sequence[Sequence[float]]) -> float:
    """Return the area of a polygon."""
    following = [*points[1:], points[0]]
    doubled = sum(x * other_y - other_x * y for (x, y), (other_x, other_y) in zip(points, following, strict=True))
    return abs(doubled) / 2
