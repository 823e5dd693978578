"""The interface of an export, and what the exports of image formats share: paths, and counts of what is not kept."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from autoflow.datasets.filename_allocator import FilenameAllocator
from autoflow.datasets.formats.orientation import Orientation, turned
from autoflow.wire.contract.versions import VersionDataset, VersionItem, VersionMetaResponse

BOX, POLYGON, MASK, KEY_POINTS, ORIENTED = "rectangle", "polygon", "bitmap", "graph", "oriented_bbox"
NAMES = {
    BOX: "boxes",
    POLYGON: "polygons",
    MASK: "masks",
    KEY_POINTS: "labels with key points",
    ORIENTED: "oriented boxes",
    "line": "lines",
    "point": "points",
    "cuboid": "cuboids",
    "alpha_mask": "alpha masks",
}
# Members of an object that are its geometry or its identity.
_OWN = {
    *("id", "classId", "classTitle", "tags", "instance", "geometryType", "shape", "points", "nodes", "bitmap"),
    *("angle", "area", "geometry", "labelerLogin", "createdAt", "updatedAt"),
}


class Exporter:
    """Writes the labels of a version to a folder.

    Args:
        root: the folder.
        version: the version with its project, classes and tags.
        datasets: the datasets to write, parents before children.

    Attributes:
        lost: what the format cannot hold so far, as numbers by what it is.
    """

    name: ClassVar[str]
    images: ClassVar[str]
    """Folder of the images."""

    def __init__(self, root: str, version: VersionMetaResponse, datasets: Sequence[VersionDataset]) -> None:
        self._root = root
        self._meta = version["meta"]
        self._tags = {tag["name"]: tag for tag in self._meta["tags"]}
        self._allocators: dict[str, FilenameAllocator] = {}
        self._folders: dict[int, str] = {}  # below the folders of images and labels, by dataset
        self.lost: Counter[str] = Counter()
        self.add_datasets(datasets)

    def add_datasets(self, datasets: Sequence[VersionDataset]) -> None:
        """Choose the folders of all datasets, and create those that are not empty."""
        parents = {dataset["parentId"] for dataset in datasets}
        for dataset in datasets:
            parent = dataset["parentId"]
            above = "" if parent is None else self._folders[parent]
            name = self._allocate(above, dataset["name"])
            if name != dataset["name"]:
                self.lost["names of datasets"] += 1
            self._folders[dataset["id"]] = os.path.join(above, name)
            if dataset["itemsCount"]:
                os.makedirs(os.path.join(self._root, self.images, self._folders[dataset["id"]]))
            elif dataset["id"] not in parents:
                self.lost["datasets without images"] += 1

    def path(self, item: VersionItem) -> str:
        """Return the absolute path for an image."""
        name = self._image_name(item)
        self._lose("names of images", int(name != item["name"]))
        return os.path.join(self._root, self.images, self._folders[item["datasetId"]], name)

    def _image_name(self, item: VersionItem) -> str:
        folder = f"{self._folders[item['datasetId']]}\0"  # apart from datasets
        return self._allocators.setdefault(folder, FilenameAllocator()).allocate(item["name"])

    def add(self, item: VersionItem, path: str) -> None:
        """Write the labels of an image that was written to a path."""
        raise NotImplementedError

    def finish(self) -> None:
        """Write what describes all images."""

    def close(self) -> None:
        """Release temporary files, also if the export was not finished."""

    def _allocate(self, folder: str, name: str) -> str:
        """Return a file name for a dataset in a folder; those of folders of images have no meaning to importers."""
        taken = {"images", "labels", "annotations", "xmls", "JPEGImages", "Annotations"}
        return self._allocators.setdefault(folder, FilenameAllocator(taken)).allocate(name)

    def _lose(self, name: str, count: int = 1) -> None:
        if count:
            self.lost[name] += count

    def _lose_geometry(self, label: Mapping[str, Any]) -> None:
        kind = str(label.get("geometryType"))
        self.lost[NAMES.get(kind, f"labels of type {kind}")] += 1

    def _write(self, text: str, *path: str) -> None:
        target = os.path.join(self._root, *path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "xb") as file:
            file.write(text.encode("utf-8", "surrogatepass"))


class PerImageExporter(Exporter):
    """Writes a file of labels per image, which has the image's name with another suffix."""

    def _image_name(self, item: VersionItem) -> str:
        """Return the name of an image that no other image of its dataset has, even with another suffix."""
        stem, suffix = os.path.splitext(item["name"])
        folder = f"{self._folders[item['datasetId']]}\0"  # apart from datasets
        unique = self._allocators.setdefault(folder, FilenameAllocator()).allocate(stem)
        return unique + suffix.replace("/", "_").replace("\0", "_")


def shown(labels: Iterable[Mapping[str, Any]], orientation: Orientation | None) -> Iterator[Mapping[str, Any]]:
    """Yield objects in the coordinates of the image as it is shown; masks are unchanged."""
    for label in labels:
        if orientation is not None and label.get("geometryType") == ORIENTED:
            ring = {"geometryType": POLYGON, "points": {"exterior": rotated_corners(label), "interior": []}}
            label = {**label, "angle": 0, **ring}
        yield label if orientation is None else turned(label, orientation.shown)


def members(label: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of an object that are neither its geometry nor empty, such as ``customData``."""
    return {
        name: value
        for name, value in label.items()
        if name not in _OWN and value is not None and value not in ("", [], {}, False)
    }


def exterior(label: Mapping[str, Any]) -> list[list[float]]:
    """Return the points of a box, or of the outline of a polygon."""
    points: list[list[float]] = label["points"]["exterior"]
    return points


def corners(label: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of a box."""
    (x, y), (other_x, other_y) = exterior(label)
    return min(x, other_x), min(y, other_y), max(x, other_x), max(y, other_y)


def rotated_corners(label: Mapping[str, Any]) -> list[list[float]]:
    """Return the corners of an oriented box, which is rotated clockwise around its center by its angle in radians."""
    left, top, right, bottom = corners(label)
    x, y = (left + right) / 2, (top + bottom) / 2
    cosine, sine = math.cos(label.get("angle") or 0), math.sin(label.get("angle") or 0)
    offsets = ((left - x, top - y), (right - x, top - y), (right - x, bottom - y), (left - x, bottom - y))
    return [[x + dx * cosine - dy * sine, y + dx * sine + dy * cosine] for dx, dy in offsets]


def grouped(labels: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Yield objects in groups that are parts of one: they have class, instance, tags and other members in common."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for position, label in enumerate(labels):
        instance = label.get("instance")
        if not instance:
            groups[f" {position}"] = [label]
        else:
            tags = [(tag["name"], tag.get("value")) for tag in label["tags"]]
            key = json.dumps([label["classTitle"], instance, tags, members(label)], sort_keys=True)
            groups.setdefault(key, []).append(label)
    yield from groups.values()


def dumped(document: Any) -> str:
    """Return a document as JSON."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
