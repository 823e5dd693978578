"""YOLO's format: a text file of boxes or polygons for each image, in parts of the image's size, and names of classes.

Labels stand in ``labels`` where images stand in ``images``, or beside the images. Splits (``train``, ``val``) are
datasets. What ``data.yaml`` says of paths is not needed, and often wrong.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Sequence
from typing import Any

from autoflow.datasets.formats import class_names
from autoflow.datasets.formats.base import (
    Item,
    Labels,
    Listing,
    Meta,
    classes,
    compose,
    is_image,
    polygon,
    put,
    rectangle,
    split_dataset,
)
from autoflow.datasets.reading import read
from autoflow.datasets.tree import Tree, join
from autoflow.errors import FolderError

IMAGES, LABELS = "images", "labels"
LISTS = ("classes.txt", "obj.names", "_darknet.labels")


class Yolo:
    """A folder in YOLO's format.

    Args:
        tree: the folder.
        files: those that may have the names of classes, by their paths inside.
    """

    word = "yolo"
    sized = True

    def __init__(self, tree: Tree, files: Sequence[str]) -> None:
        self._tree = tree
        self._files = files

    def is_here(self) -> bool:
        """Whether there are names, and labels of an image beside an image or in ``labels``."""
        texts = [folder for folder, files in self._tree.files.items() if any(map(_is_label, files))]
        there = any(LABELS in folder.split("/") or any(map(is_image, self._tree.files[folder])) for folder in texts)
        return there and bool(self._names)

    @functools.cached_property
    def _names(self) -> list[str]:
        for file in self._files:
            path = self._tree.path(file)
            text = _text(path, read(path, follow=True, keep=None).kept)
            if file.rpartition("/")[2] in LISTS:
                return class_names.of_lines(text)
            found = class_names.of_yaml(path, text)
            if found is None:
                continue
            if "kpt_shape" in class_names.keys_of(text):
                raise FolderError(
                    f"{path!r} is of key points, which are not read: leave out kpt_shape and their numbers"
                )
            return found
        return []

    def meta(self) -> Meta:
        """Classes of the names."""
        if len(set(self._names)) < len(self._names):
            twice = next(name for name in self._names if self._names.count(name) > 1)
            raise FolderError(f"{self._tree.root!r}: two classes are named {twice!r}: give each a name of its own")
        return {"classes": classes(self._names), "tags": []}

    def context(self) -> str:
        """The names: labels have numbers only."""
        return hashlib.sha256(json.dumps(self._names).encode()).hexdigest()

    def listing(self) -> Listing:
        """All images, each with its file of labels."""
        found: Listing = {}
        for folder, files in self._tree.files.items():
            if not any(map(is_image, files)):
                continue
            dataset = split_dataset(folder, IMAGES)
            beside = _labels_of(folder) if _labels_of(folder) in self._tree.files else folder
            texts = self._tree.files[beside]
            for name in filter(is_image, files):
                label = f"{name.rpartition('.')[0]}.txt"
                path = join(beside, label) if label in texts else None
                put(found, self._tree, dataset, name, Item(join(folder, name), compose((texts.get(label),)), (path,)))
        return found

    def labels(self, item: Item, contents: Sequence[bytes | None], width: int, height: int) -> Labels:
        """The boxes and polygons of one image."""
        (content,) = contents
        path = self._tree.path(item.labels[0] or item.image)
        objects = []
        for place, line in enumerate(_text(path, content or b"").splitlines(), 1):
            if line.strip():
                try:
                    objects.append(self._object(line.split(), width, height))
                except ValueError as error:
                    raise FolderError(f"{path!r}, line {place}: {error}: mend it or take it out") from None
        return Labels({"objects": objects, "tags": []})

    def _object(self, words: Sequence[str], width: int, height: int) -> dict[str, Any]:
        """One line.

        Raises:
            ValueError: it is none of YOLO's.
        """
        kind, *parts = (float(word) for word in words)
        if not kind.is_integer() or not 0 <= kind < len(self._names):
            raise ValueError(f"there is no class {words[0]}; there are {len(self._names)}, from 0 on")
        if not all(map(math.isfinite, parts)):
            raise ValueError("a number is not finite")
        if len(parts) == 4:
            x, y, wide, high = parts
            sides = (x - wide / 2, width), (y - high / 2, height), (x + wide / 2, width), (y + high / 2, height)
            shape = rectangle(*(_inside(part, size) for part, size in sides))
        elif len(parts) >= 6 and len(parts) % 2 == 0:
            pairs = zip(parts[::2], parts[1::2], strict=True)
            shape = polygon([(_inside(x, width), _inside(y, height)) for x, y in pairs])
        else:
            raise ValueError(f"{len(parts)} numbers after the class are neither a box (4) nor a polygon (6, 8, 10 …)")
        return {"classTitle": self._names[int(kind)], **shape, "tags": []}


def _inside(part: float, size: int) -> float:
    """A part of a side in pixels, on the image."""
    return min(max(part, 0.0), 1.0) * size


def _labels_of(folder: str) -> str:
    """Where labels of the images in a folder are: the last ``images`` in its path is ``labels`` there."""
    parts = folder.split("/")
    for place in range(len(parts) - 1, -1, -1):
        if parts[place] == IMAGES:
            return "/".join([*parts[:place], LABELS, *parts[place + 1 :]])
    return LABELS if not folder else f"{folder}/{LABELS}"


def _is_label(name: str) -> bool:
    return name.endswith(".txt") and name not in LISTS


def _text(path: str, content: bytes | None) -> str:
    try:
        return (content or b"").decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FolderError(f"{path!r} is no text in UTF-8: write it anew as UTF-8") from None
