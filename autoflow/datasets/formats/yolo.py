"""YOLO's format: a text file of boxes, polygons or key points per image, relative to its size, and class names.

Label files are in ``labels`` if the images are in ``images``, or beside the images. Splits (``train``, ``val``) are
datasets. The paths in ``data.yaml`` are not used: they are often wrong.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from typing import Any, ClassVar

from autoflow.datasets.formats import class_names, yolo_lines
from autoflow.datasets.formats.base import (
    Item,
    Labels,
    Listing,
    Meta,
    add_item,
    classes,
    combine_stamps,
    dataset_path,
    is_image,
    metadata_files,
    skeleton,
)
from autoflow.datasets.formats.orientation import read_orientation, turned
from autoflow.datasets.formats.yolo_lines import Description, LineParser
from autoflow.datasets.reading import read
from autoflow.datasets.tree import Tree, join
from autoflow.errors import FolderError

IMAGES, LABELS = "images", "labels"
NAME_LISTS = ("classes.txt", "obj.names", "_darknet.labels")


class Yolo:
    """A folder in YOLO's format."""

    name: ClassVar[str] = "yolo"
    metadata_patterns: ClassVar[Sequence[str]] = ("*.yaml", "*.yml", *NAME_LISTS)
    needs_image_size = True

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    @classmethod
    def detect(cls, tree: Tree, *, unchanged: bool) -> Yolo | None:
        """Return the folder if it has class names, and label files beside images or in ``labels``."""
        folder = cls(tree)
        return folder if unchanged or (folder._has_labels() and folder._names) else None

    def _has_labels(self) -> bool:
        folders = [folder for folder, files in self._tree.files.items() if any(map(_is_label, files))]
        return any(LABELS in folder.split("/") or any(map(is_image, self._tree.files[folder])) for folder in folders)

    @functools.cached_property
    def _description(self) -> Description:
        """The description in the topmost file that has class names, else of the one that has their number."""
        numbered = None
        for file in metadata_files(self._tree, self.metadata_patterns):
            path = self._tree.path(file)
            content = read(path, follow=True, max_kept=class_names.MAX_YAML_BYTES)
            if content.data is None:
                raise FolderError(
                    f"{path!r} has {content.size} bytes, too many for a file of class names: move it out of the folder"
                )
            text = _decode(path, content.data)
            if file.rpartition("/")[2] in NAME_LISTS:
                return Description(file, class_names.parse_lines(text))
            if class_names.has_names(text):
                return yolo_lines.description(file, path, class_names.parse_yaml(path, text))
            if numbered is None and class_names.has_count(text):
                numbered = yolo_lines.description(file, path, class_names.parse_yaml(path, text))
        return numbered or Description(None, [])

    @property
    def _names(self) -> list[str]:
        return self._description.names

    def sources(self) -> list[str]:
        """Return the file of class names."""
        return [self._description.file] if self._description.file is not None else []

    def meta(self) -> Meta:
        """Return a class for each name."""
        if len(set(self._names)) < len(self._names):
            duplicate = next(name for name in self._names if self._names.count(name) > 1)
            raise FolderError(f"{self._tree.root!r}: two classes are named {duplicate!r}: rename one of them")
        described = self._description
        entries = classes(self._names)
        if described.points:
            for number, entry in enumerate(entries):
                entry["geometry_config"] = skeleton(described.point_names(number))
        return {"classes": entries, "tags": []}

    def context(self) -> str:
        """Return a hash of the class names and key points, because the label files have numbers only."""
        described = self._description
        parts: Any = [described.names, described.points, described.names_by_class] if described.points else self._names
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def listing(self) -> Listing:
        """Return all images with their label files."""
        listing: Listing = {}
        for folder, files in self._tree.files.items():
            if not any(map(is_image, files)):
                continue
            dataset = dataset_path(folder, IMAGES)
            label_folder = _label_folder(folder) if _label_folder(folder) in self._tree.files else folder
            label_files = self._tree.files[label_folder]
            for name in filter(is_image, files):
                label = f"{name.rpartition('.')[0]}.txt"
                path = join(label_folder, label) if label in label_files else None
                item = Item(join(folder, name), combine_stamps((label_files.get(label),)), (path,))
                add_item(listing, self._tree, dataset, name, item)
        return listing

    def labels(self, item: Item, contents: Sequence[bytes | None], width: int, height: int) -> Labels:
        """Return the boxes, polygons and key points of one image."""
        (content,) = contents
        path = self._tree.path(item.labels[0] or item.image)
        objects = []
        orientation = read_orientation(self._tree.path(item.image))
        lines = LineParser(self._description, *(orientation.shown_size if orientation is not None else (width, height)))
        for number, line in enumerate(_decode(path, content or b"").splitlines(), 1):
            if line.strip():
                try:
                    objects += lines.objects(number, line.split())
                except ValueError as error:
                    raise FolderError(f"{path!r}, line {number}: {error}: correct or remove the line") from None
        if orientation is not None:
            objects = [turned(label, orientation.stored) for label in objects]
        lost = {"labels clipped to their images": lines.clipped} if lines.clipped else None
        return Labels({"objects": objects, "tags": []}, lost=lost)


def _label_folder(folder: str) -> str:
    """Return the folder of label files: the last ``images`` in the path replaced by ``labels``."""
    parts = folder.split("/")
    for index in range(len(parts) - 1, -1, -1):
        if parts[index] == IMAGES:
            return "/".join([*parts[:index], LABELS, *parts[index + 1 :]])
    return LABELS if not folder else f"{folder}/{LABELS}"


def _is_label(name: str) -> bool:
    return name.endswith(".txt") and name not in NAME_LISTS


def _decode(path: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FolderError(f"{path!r} is not UTF-8 text: convert it to UTF-8") from None
