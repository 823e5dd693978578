"""Pascal VOC's format: an XML file per image with boxes, or polygons, and their attributes.

An XML file is beside its image or in another folder, such as ``Annotations`` for ``JPEGImages``, and has the image's
name. Its numbers are kept as they are: the original data set counts pixels from 1, most tools from 0.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import ClassVar

from autoflow.datasets.formats.base import (
    DEFAULT_DATASET,
    Item,
    Labels,
    Listing,
    Meta,
    add_item,
    classes,
    combine_stamps,
    is_image,
    metadata_files,
)
from autoflow.datasets.formats.voc_objects import Annotation, is_annotation, parse
from autoflow.datasets.reading import read
from autoflow.datasets.tree import Tree, join

IMAGES, ANNOTATIONS = "JPEGImages", "Annotations"
_SUFFIX = ".xml"
_FOLDERS = {IMAGES, ANNOTATIONS, "images", "annotations", "labels", "xmls"}  # components that have no meaning
_MASKS = {"SegmentationClass", "SegmentationObject"}  # folders of images that are no items
_COLOR = "#A0A0A0"


class Voc:
    """A folder with XML files of Pascal VOC."""

    name: ClassVar[str] = "voc"
    metadata_patterns: ClassVar[Sequence[str]] = (f"*{_SUFFIX}",)  # they name the classes
    needs_image_size = False

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    @classmethod
    def detect(cls, tree: Tree, *, unchanged: bool) -> Voc | None:
        """Return the folder if the first XML file with an image's name is an annotation of VOC."""
        folder = cls(tree)
        if unchanged:
            return folder
        stems = set(map(_stem, folder._images()))
        first = next((path for path in folder._files if _stem(path) in stems), None)
        return folder if first is not None and is_annotation(folder._read(first)) else None

    @functools.cached_property
    def _files(self) -> list[str]:
        return metadata_files(self._tree, self.metadata_patterns)

    def _images(self) -> Iterator[str]:
        for folder, files in self._tree.files.items():
            if not _MASKS.intersection(folder.split("/")):
                yield from (join(folder, name) for name in files if is_image(name))

    def _read(self, path: str) -> bytes:
        return read(self._tree.path(path), follow=True, max_kept=None).data or b""

    @functools.cached_property
    def _annotations(self) -> list[Annotation]:
        """The annotations of all images, for their classes and tags."""
        labels = [path for items in self.listing().values() for item in items.values() for path in item.labels]
        parsed = (parse(self._tree.path(path), self._read(path), strict=False) for path in labels if path is not None)
        return [annotation for annotation in parsed if annotation is not None]

    def sources(self) -> list[str]:
        """Return no files: each labels one image."""
        return []

    @functools.cached_property
    def _meta(self) -> Meta:
        """A class and a tag for each name that an annotation has, in the order of the names."""
        titles = {entry["classTitle"] for annotation in self._annotations for entry in annotation.objects}
        tags = {
            (tag["name"], tag["value"] is None)
            for annotation in self._annotations
            for entry in annotation.objects
            for tag in entry["tags"]
        }
        texts = {name for name, is_empty in tags if not is_empty}
        entries = [
            {"name": name, "value_type": "any_string" if name in texts else "none", "color": _COLOR}
            for name in sorted({name for name, _ in tags})
        ]
        return {"classes": classes(sorted(titles)), "tags": entries}

    def meta(self) -> Meta:
        """Return a class and a tag for each name that an annotation has."""
        return self._meta

    def context(self) -> str:
        """Return a hash of the types of tags, which may change with any file."""
        types = {tag["name"]: tag["value_type"] for tag in self._meta["tags"]}
        return hashlib.sha256(json.dumps(types).encode()).hexdigest()

    def listing(self) -> Listing:
        """Return all images with their XML files."""
        by_stem: dict[str, list[str]] = {}
        for path in self._files:
            by_stem.setdefault(_stem(path), []).append(path)
        listing: Listing = {}
        for path in self._images():
            folder, _, name = path.rpartition("/")
            candidates = by_stem.get(_stem(path), [])
            same = [label for label in candidates if _dataset(label.rpartition("/")[0]) == _dataset(folder)]
            label = next(iter(same), candidates[0] if len(candidates) == 1 else None)
            stamp = combine_stamps((self._tree.stamp(label) if label is not None else None,))
            add_item(listing, self._tree, _dataset(folder), name, Item(path, stamp, (label,)))
        return listing

    def labels(self, item: Item, contents: Sequence[bytes | None], width: int, height: int) -> Labels:
        """Return the objects of one image."""
        (content,) = contents
        if content is None:
            return Labels({"objects": [], "tags": []})
        annotation = parse(self._tree.path(item.labels[0] or ""), content)
        if annotation is None:
            return Labels({"objects": [], "tags": []})
        texts = {tag["name"] for tag in self._meta["tags"] if tag["value_type"] == "any_string"}
        objects = []
        for entry in annotation.objects:
            tags = [{**tag, "value": tag["value"] or ""} if tag["name"] in texts else tag for tag in entry["tags"]]
            objects.append({**entry, "tags": tags})
        meta = {"voc": annotation.members} if annotation.members else None
        return Labels({"objects": objects, "tags": []}, meta, lost=annotation.lost)


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]


def _dataset(folder: str) -> str:
    return "/".join(part for part in folder.split("/") if part and part not in _FOLDERS) or DEFAULT_DATASET
