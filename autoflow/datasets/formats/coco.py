"""COCO's format: JSON files with ``images``, ``annotations`` and ``categories``, and the images somewhere beside them.

A file of labels for many images is taken apart: each image has a stamp made of what is said of it alone, so that a
file that was written anew changes only the images it says something new of.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from autoflow.datasets.formats import masks
from autoflow.datasets.formats.base import (
    Item,
    Labels,
    Listing,
    Meta,
    classes,
    is_image,
    polygon,
    put,
    rectangle,
    split_dataset,
)
from autoflow.datasets.reading import read
from autoflow.datasets.tree import Tree, join
from autoflow.errors import FolderError

CROWD = "iscrowd"
_PREFIXES = ("instances_", "person_keypoints_", "panoptic_", "stuff_")
FARTHEST = 1e9  # pixels: what is farther away, or no number, is in no image
_TOLD = ("category_id", "bbox", "segmentation", CROWD)


class _Said(NamedTuple):
    """What the files say of one image: its size, and annotations each with its file and the name of its category."""

    width: int
    height: int
    annotations: list[tuple[str, str, dict[str, Any]]]


class _Read(NamedTuple):
    names: list[str]
    crowded: bool
    images: dict[str, _Said]  # by the path of the image


class Coco:
    """A folder with COCO's files.

    Args:
        tree: the folder.
        files: JSON files that may be COCO's, by their paths inside.
        sealed: whether they and the images are those of the last time: then no file is read before it must be.
    """

    word = "coco"

    def __init__(self, tree: Tree, files: Sequence[str], *, sealed: bool) -> None:
        self._tree = tree
        self._files = files
        self._sealed = sealed

    def is_here(self) -> bool:
        """Whether one of the files is COCO's."""
        return self._sealed or bool(self._documents)

    @property
    def sized(self) -> bool:
        """Whether there are masks: one is no larger than its image."""
        return self._has_masks

    @functools.cached_property
    def _has_masks(self) -> bool:
        annotations = (told for said in self._read.images.values() for _, _, told in said.annotations)
        return any(isinstance(told.get("segmentation"), dict) for told in annotations)

    @functools.cached_property
    def _documents(self) -> dict[str, dict[str, Any]]:
        """The files that are COCO's and name things in images."""
        found = {}
        for path in self._files:
            whole = self._tree.path(path)
            try:
                document = json.loads(read(whole, follow=True, keep=None).kept or b"")
            except (ValueError, RecursionError) as error:
                raise FolderError(f"{whole!r} is no JSON ({error}): mend it or move it away") from None
            parts = ("images", "annotations", "categories")
            if isinstance(document, dict) and all(isinstance(document.get(part), list) for part in parts):
                found[path] = document
        return found

    @functools.cached_property
    def _paths(self) -> dict[str, list[str]]:
        """Paths of all images, by their names alone."""
        found: dict[str, list[str]] = {}
        for folder, files in self._tree.files.items():
            for name in files:
                if is_image(name):
                    found.setdefault(name, []).append(join(folder, name))
        return found

    @functools.cached_property
    def _read(self) -> _Read:
        names: dict[str, None] = {}
        images: dict[str, _Said] = {}
        crowded = False
        for file, document in self._documents.items():
            try:
                titles = {one["id"]: str(one["name"]) for one in document["categories"]}
                names.update(dict.fromkeys(titles.values()))
                here = {one["id"]: self._image(file, one, images) for one in document["images"]}
                for one in document["annotations"]:
                    told = {part: one[part] for part in _TOLD if one.get(part)}
                    told["id"] = one.get("id")
                    here[one["image_id"]].annotations.append((file, titles[one["category_id"]], told))
                    crowded = crowded or CROWD in told
            except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
                raise FolderError(
                    f"{self._tree.path(file)!r} is not as COCO has it: it has no {error}, or what names it is wrong"
                ) from None
        return _Read(list(names), crowded, images)

    def _image(self, file: str, told: dict[str, Any], images: dict[str, _Said]) -> _Said:
        """What is said so far of an image that a file names; other files may say more."""
        path = self._place(file, str(told["file_name"]))
        return images.setdefault(path, _Said(int(told.get("width") or 0), int(told.get("height") or 0), []))

    def _place(self, file: str, named: str) -> str:
        """Where an image is: beside the file, in the folder, in ``images``, in a split's folder; else the only one."""
        named = named.replace("\\", "/").removeprefix("./")
        folder, _, stem = file.rpartition("/")
        split = stem.removesuffix(".json")
        for prefix in _PREFIXES:
            split = split.removeprefix(prefix)
        for base in (folder, join(folder, "images"), split, f"images/{split}", f"{split}/images", "", "images"):
            if self._tree.stamp(join(base, named)) is not None:
                return join(base, named)
        ending = f"/{named}"
        found = [path for path in self._paths.get(named.rpartition("/")[2], ()) if f"/{path}".endswith(ending)]
        if len(found) == 1:
            return found[0]
        problem = f"{len(found)} files are called that" if found else "there is no such file"
        raise FolderError(
            f"{self._tree.path(file)!r} names the image {named!r}, but {problem}: "
            "put the image into the folder, or take it out of the JSON"
        )

    def meta(self) -> Meta:
        """Classes of the names of categories, and a tag for crowds if there are any."""
        tags = [{"name": CROWD, "value_type": "none", "color": "#A0A0A0"}] if self._read.crowded else []
        return {"classes": classes(self._read.names), "tags": tags}

    def context(self) -> str:
        """Nothing: an image's stamp is made of all that is said of it."""
        return ""

    def listing(self) -> Listing:
        """All images of the folder, in datasets by the folders they are in."""
        found: Listing = {}
        for paths in self._paths.values():
            for path in paths:
                folder, _, name = path.rpartition("/")
                stamp = None if self._sealed else self._stamp(path)
                put(found, self._tree, split_dataset(folder, "images"), name, Item(path, stamp))
        return found

    def _said(self, path: str) -> _Said:
        return self._read.images.get(path, _Said(0, 0, []))

    def _stamp(self, path: str) -> bytes:
        text = json.dumps(self._said(path), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).digest()

    def labels(self, item: Item, contents: Sequence[bytes | None], width: int, height: int) -> Labels:
        """What the files say of one image; the same said by two of them counts once."""
        said = self._said(item.image)
        objects: list[dict[str, Any]] = []
        first: dict[str, str] = {}  # the file that said it
        for file, title, told in said.annotations:
            try:
                shapes = list(_shapes(told, said, (width, height)))
            except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
                raise FolderError(
                    f"{self._tree.path(item.image)!r}: the COCO annotation {told['id']} of it "
                    f"cannot be understood: {error}"
                ) from None
            tags = [{"name": CROWD, "value": None}] if CROWD in told else []
            together = {"instance": str(told["id"])} if len(shapes) > 1 else {}
            for shape in shapes:
                whole = {"classTitle": title, **shape, **together, "tags": tags}
                if first.setdefault(json.dumps(whole, sort_keys=True), file) == file:
                    objects.append(whole)
        return Labels({"objects": objects, "tags": []}, stamp=self._stamp(item.image))


def _shapes(told: dict[str, Any], said: _Said, image: tuple[int, int]) -> Iterator[dict[str, Any]]:
    """The shapes of one annotation: its polygons, its mask, else its box.

    Args:
        told: the annotation.
        said: what the file says of its image.
        image: the width and height that the image has, 0 when they were not looked at.

    Raises:
        ValueError, TypeError, KeyError, IndexError, OverflowError: it has them otherwise than COCO.
    """
    outline = told.get("segmentation")
    if isinstance(outline, dict):
        height, width = _mask_size(outline.get("size") or (said.height, said.width), image)
        counts = outline["counts"]
        runs = masks.runs_of(counts) if isinstance(counts, str) else counts
        mask = masks.bitmap(masks.rows_of(runs, width, height))
        if mask is not None:
            yield mask
    elif outline:
        for flat in outline if isinstance(outline[0], list) else [outline]:
            if len(flat) < 6 or len(flat) % 2:
                raise ValueError(f"a polygon has {len(flat)} numbers")
            numbers = _coordinates(flat)
            yield polygon(list(zip(numbers[::2], numbers[1::2], strict=True)))
    elif "bbox" in told:
        left, top, across, down = _coordinates(told["bbox"])
        yield rectangle(left, top, left + across, top + down)


def _mask_size(size: Any, image: tuple[int, int]) -> tuple[int, int]:
    """The height and width of a mask, which is no larger than its image, though it may be turned as its EXIF says.

    Raises:
        ValueError: they are no numbers of pixels, or larger.
    """
    height, width = size
    if any(type(side) is not int or side < 0 for side in (height, width)):
        raise ValueError(f"its size is no height and width: {str(size)[:60]}")
    if 0 not in image and (max(height, width) > max(image) or min(height, width) > min(image)):
        raise ValueError(f"its mask is {width} x {height} pixels, larger than the image, {image[0]} x {image[1]}")
    return height, width


def _coordinates(values: Any) -> list[float]:
    """Coordinates as numbers.

    Raises:
        ValueError, TypeError, OverflowError: one is none, or beyond any image.
    """
    numbers = [float(value) for value in values]
    for number in numbers:
        if not math.isfinite(number) or abs(number) > FARTHEST:
            raise ValueError(f"{number} is no coordinate in an image")
    return numbers
