"""COCO's format: JSON files with ``images``, ``annotations`` and ``categories``, and image files.

The stamp of an image is a hash of its own annotations, so that after a change of a JSON file only those images are
uploaded again whose annotations differ.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

from autoflow.datasets.formats import masks
from autoflow.datasets.formats.base import (
    Item,
    Labels,
    Listing,
    Meta,
    add_item,
    classes,
    dataset_path,
    is_image,
    metadata_files,
    polygon,
    rectangle,
)
from autoflow.datasets.reading import read
from autoflow.datasets.tree import Tree, join
from autoflow.errors import FolderError

CROWD = "iscrowd"
_PREFIXES = ("instances_", "person_keypoints_", "panoptic_", "stuff_")
MAX_COORDINATE = 1e9  # pixels
_FIELDS = ("category_id", "bbox", "segmentation", CROWD)


class _ImageEntry(NamedTuple):
    """An image in the JSON files: its size, and its annotations with their file and the name of their category."""

    width: int
    height: int
    annotations: list[tuple[str, str, dict[str, Any]]]


class _Content(NamedTuple):
    """The content of all JSON files."""

    class_names: list[str]
    has_crowds: bool
    images: dict[str, _ImageEntry]  # by the path of the image


class Coco:
    """A folder with JSON files of COCO.

    Args:
        tree: the folder.
        unchanged: whether the JSON files and the set of images have not changed since the folder was read last; no
            file is then opened before it is needed.
    """

    name: ClassVar[str] = "coco"
    metadata_patterns: ClassVar[Sequence[str]] = ("*.json",)

    def __init__(self, tree: Tree, *, unchanged: bool) -> None:
        self._tree = tree
        self._unchanged = unchanged

    @classmethod
    def detect(cls, tree: Tree, *, unchanged: bool) -> Coco | None:
        """Return the folder if one of its JSON files has the members of COCO's format."""
        folder = cls(tree, unchanged=unchanged)
        return folder if unchanged or folder._documents else None

    def sources(self) -> list[str]:
        """Return the JSON files that label images."""
        return list(self._documents)

    @property
    def needs_image_size(self) -> bool:
        """Whether there are masks, which must not be larger than their images."""
        return self._has_masks

    @functools.cached_property
    def _has_masks(self) -> bool:
        annotations = (annotation for image in self._content.images.values() for _, _, annotation in image.annotations)
        return any(isinstance(annotation.get("segmentation"), dict) for annotation in annotations)

    @functools.cached_property
    def _documents(self) -> dict[str, dict[str, Any]]:
        """The JSON files that have the members of COCO's format, by their paths in the folder."""
        documents = {}
        for file in metadata_files(self._tree, self.metadata_patterns):
            path = self._tree.path(file)
            try:
                document = json.loads(read(path, follow=True, max_kept=None).data or b"")
            except (ValueError, RecursionError) as error:
                raise FolderError(
                    f"{path!r} is not valid JSON ({error}): correct it, or move it out of the folder"
                ) from None
            parts = ("images", "annotations", "categories")
            if isinstance(document, dict) and all(isinstance(document.get(part), list) for part in parts):
                documents[file] = document
        return documents

    @functools.cached_property
    def _paths(self) -> dict[str, list[str]]:
        """The paths of all images by file name."""
        paths: dict[str, list[str]] = {}
        for folder, files in self._tree.files.items():
            for name in files:
                if is_image(name):
                    paths.setdefault(name, []).append(join(folder, name))
        return paths

    @functools.cached_property
    def _content(self) -> _Content:
        class_names: dict[str, None] = {}
        images: dict[str, _ImageEntry] = {}
        has_crowds = False
        for file, document in self._documents.items():
            try:
                titles = {category["id"]: str(category["name"]) for category in document["categories"]}
                class_names.update(dict.fromkeys(titles.values()))
                by_id = {image["id"]: self._image(file, image, images) for image in document["images"]}
                for source in document["annotations"]:
                    annotation = {field: source[field] for field in _FIELDS if source.get(field)}
                    annotation["id"] = source.get("id")
                    by_id[source["image_id"]].annotations.append((file, titles[source["category_id"]], annotation))
                    has_crowds = has_crowds or CROWD in annotation
            except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
                raise FolderError(
                    f"{self._tree.path(file)!r} is not valid COCO: {error} is missing, or refers to nothing"
                ) from None
        return _Content(list(class_names), has_crowds, images)

    def _image(self, file: str, image: dict[str, Any], images: dict[str, _ImageEntry]) -> _ImageEntry:
        """Return the entry of an image, to which several files may add annotations."""
        path = self._image_path(file, str(image["file_name"]))
        return images.setdefault(path, _ImageEntry(int(image.get("width") or 0), int(image.get("height") or 0), []))

    def _image_path(self, file: str, file_name: str) -> str:
        """Return the path of an image: beside the JSON file, in the folder of images or of the split, else anywhere
        in the folder if the name is unique.
        """
        file_name = file_name.replace("\\", "/").removeprefix("./")
        folder, _, stem = file.rpartition("/")
        split = stem.removesuffix(".json")
        for prefix in _PREFIXES:
            split = split.removeprefix(prefix)
        for base in (folder, join(folder, "images"), split, f"images/{split}", f"{split}/images", "", "images"):
            if self._tree.stamp(join(base, file_name)) is not None:
                return join(base, file_name)
        suffix = f"/{file_name}"
        matches = [path for path in self._paths.get(file_name.rpartition("/")[2], ()) if f"/{path}".endswith(suffix)]
        if len(matches) == 1:
            return matches[0]
        problem = f"{len(matches)} files have that name" if matches else "there is no such file"
        raise FolderError(
            f"{self._tree.path(file)!r} lists the image {file_name!r}, but {problem}: "
            "add the image to the folder, or remove it from the JSON"
        )

    def meta(self) -> Meta:
        """Return a class per category, and a tag for crowds if there are any."""
        tags = [{"name": CROWD, "value_type": "none", "color": "#A0A0A0"}] if self._content.has_crowds else []
        return {"classes": classes(self._content.class_names), "tags": tags}

    def context(self) -> str:
        """Return an empty text, because the stamp of an image covers all of its annotations."""
        return ""

    def listing(self) -> Listing:
        """Return all images, in datasets by their folders."""
        listing: Listing = {}
        for paths in self._paths.values():
            for path in paths:
                folder, _, name = path.rpartition("/")
                stamp = None if self._unchanged else self._stamp(path)
                add_item(listing, self._tree, dataset_path(folder, "images"), name, Item(path, stamp))
        return listing

    def _entry(self, path: str) -> _ImageEntry:
        return self._content.images.get(path, _ImageEntry(0, 0, []))

    def _stamp(self, path: str) -> bytes:
        text = json.dumps(self._entry(path), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).digest()

    def labels(self, item: Item, contents: Sequence[bytes | None], width: int, height: int) -> Labels:
        """Return the annotations of one image; one that several files repeat is included once."""
        entry = self._entry(item.image)
        objects: list[dict[str, Any]] = []
        first_file: dict[str, str] = {}  # by object
        for file, title, annotation in entry.annotations:
            try:
                geometries = list(_geometries(annotation, entry, (width, height)))
            except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
                raise FolderError(
                    f"{self._tree.path(item.image)!r}: its COCO annotation {annotation['id']} is not valid: {error}"
                ) from None
            tags = [{"name": CROWD, "value": None}] if CROWD in annotation else []
            instance = {"instance": str(annotation["id"])} if len(geometries) > 1 else {}
            for geometry in geometries:
                label = {"classTitle": title, **geometry, **instance, "tags": tags}
                if first_file.setdefault(json.dumps(label, sort_keys=True), file) == file:
                    objects.append(label)
        return Labels({"objects": objects, "tags": []}, stamp=self._stamp(item.image))


def _geometries(annotation: dict[str, Any], entry: _ImageEntry, image: tuple[int, int]) -> Iterator[dict[str, Any]]:
    """Return the geometries of one annotation: its mask, or its polygons, else its box.

    Args:
        annotation: the annotation.
        entry: the image in the JSON files.
        image: the actual width and height of the image, 0 if they are not known.

    Raises:
        ValueError, TypeError, KeyError, IndexError, OverflowError: the annotation is not valid.
    """
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, dict):
        height, width = _mask_size(segmentation.get("size") or (entry.height, entry.width), image)
        counts = segmentation["counts"]
        runs = masks.decode_runs(counts) if isinstance(counts, str) else counts
        mask = masks.bitmap(masks.decode_mask(runs, width, height))
        if mask is not None:
            yield mask
    elif segmentation:
        for ring in segmentation if isinstance(segmentation[0], list) else [segmentation]:
            if len(ring) < 6 or len(ring) % 2:
                raise ValueError(f"a polygon has {len(ring)} numbers")
            numbers = _coordinates(ring)
            yield polygon(list(zip(numbers[::2], numbers[1::2], strict=True)))
    elif "bbox" in annotation:
        left, top, box_width, box_height = _coordinates(annotation["bbox"])
        yield rectangle(left, top, left + box_width, top + box_height)


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


def _coordinates(values: Any) -> list[float]:
    """Return coordinates as numbers.

    Raises:
        ValueError, TypeError, OverflowError: a value is not a number, or larger than any image.
    """
    numbers = [float(value) for value in values]
    for number in numbers:
        if not math.isfinite(number) or abs(number) > MAX_COORDINATE:
            raise ValueError(f"{number} is not a coordinate in an image")
    return numbers
