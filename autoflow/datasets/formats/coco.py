"""COCO's format: JSON files with ``images``, ``annotations`` and ``categories``, and image files.

The stamp of an image is a hash of its own annotations, so that after a change of a JSON file only those images are
uploaded again whose annotations differ.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

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
    skeleton,
)
from autoflow.datasets.formats.coco_objects import BOX, EXTENSION, geometries
from autoflow.datasets.formats.coco_tags import COLOR, SCORE, AttributeTags
from autoflow.datasets.formats.orientation import Orientation, read_orientation
from autoflow.datasets.reading import read
from autoflow.datasets.tree import Tree, join
from autoflow.errors import FolderError

ATTRIBUTES = "attributes"
CROWD = "iscrowd"
_PREFIXES = ("instances_", "person_keypoints_", "panoptic_", "stuff_")
_FIELDS = ("bbox", "segmentation", "keypoints", CROWD, EXTENSION, ATTRIBUTES, SCORE)
# What follows from the other members, or refers to other parts of the file.
_DERIVED = {"id", "image_id", "category_id", "area", "num_keypoints"}
_EMPTY: tuple[Any, ...] = (None, [], {})
_SIZE = {"id", "file_name", "width", "height"}  # members of an image that are not metadata


class _Annotation(NamedTuple):
    """An annotation with its file and the name of its category."""

    file: str
    title: str
    fields: dict[str, Any]


class _ImageEntry(NamedTuple):
    """An image in the JSON files: its size, its annotations, and its other members."""

    width: int
    height: int
    annotations: list[_Annotation]
    members: dict[str, Any]
    unsupported: list[str]


class _Content(NamedTuple):
    """The content of all JSON files."""

    categories: dict[str, dict[str, Any]]  # by name
    classes: dict[str, dict[str, Any]]  # by name: as an export has written them
    tags: AttributeTags
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
        annotations = (annotation for image in self._content.images.values() for annotation in image.annotations)
        return any(isinstance(annotation.fields.get("segmentation"), dict) for annotation in annotations)

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
        documents = self._documents.items()
        exported = [document["info"][EXTENSION] for _, document in documents if _is_exported(document)]
        tags = AttributeTags(tag for meta in exported for tag in meta["tags"] if tag["name"] != CROWD)
        known = {entry["title"]: entry for meta in exported for entry in meta["classes"]}
        content = _Content({}, known, tags, False, {})
        for file, document in documents:
            try:
                content = self._with(content, file, document)
            except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
                raise FolderError(
                    f"{self._tree.path(file)!r} is not valid COCO: {error} is missing, or refers to nothing"
                ) from None
        return content

    def _with(self, content: _Content, file: str, document: dict[str, Any]) -> _Content:
        """Return the content with that of one more file."""
        titles = {category["id"]: str(category["name"]) for category in document["categories"]}
        for category in document["categories"]:
            _class_members(category)  # fails if its key points or its skeleton are not valid
            known = content.categories.get(str(category["name"]), {})
            content.categories[str(category["name"])] = {**category, **known}
        by_id = {image["id"]: self._image(file, image, content) for image in document["images"]}
        has_crowds = content.has_crowds
        for source in document["annotations"]:
            entry = by_id[source["image_id"]]
            if "category_id" not in source and "segments_info" in source:
                entry.unsupported.append("panoptic segmentations")
                continue
            fields = {name: value for name, value in source.items() if name not in _DERIVED and value not in _EMPTY}
            if not fields.get(CROWD):
                fields.pop(CROWD, None)
            fields["id"] = source.get("id")
            content.tags.observe(_attributes(fields))
            annotation = _Annotation(file, titles[source["category_id"]], fields)
            if not _merged(annotation, entry.annotations):
                entry.annotations.append(annotation)
            has_crowds = has_crowds or CROWD in fields
        return content._replace(has_crowds=has_crowds)

    def _image(self, file: str, image: dict[str, Any], content: _Content) -> _ImageEntry:
        """Return the entry of an image, to which several files may add annotations."""
        path = self._image_path(file, str(image["file_name"]))
        size = (int(image.get("width") or 0), int(image.get("height") or 0))
        entry = content.images.setdefault(path, _ImageEntry(*size, [], {}, []))
        extension = image.get(EXTENSION) or {}
        if not all(isinstance(part, dict) for part in (extension, *extension.values())):
            raise ValueError(f"{EXTENSION!r} of an image")
        entry.members.update({name: value for name, value in image.items() if name not in _SIZE and value is not None})
        content.tags.observe(entry.members.get(ATTRIBUTES) or {})
        return entry

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
        """Return a class per category, and tags for crowds and attributes if there are any."""
        content = self._content
        entries = []
        for entry in classes(list(content.categories)):
            title = entry["title"]
            entries.append(content.classes.get(title) or {**entry, **_class_members(content.categories[title])})
        crowd = [{"name": CROWD, "value_type": "none", "color": COLOR}] if content.has_crowds else []
        return {"classes": entries, "tags": [*crowd, *content.tags.meta]}

    def context(self) -> str:
        """Return a hash of the names of key points and the types of tags; the stamp of an image covers the rest."""
        names = {title: _point_names(category) for title, category in self._content.categories.items()}
        parts = [{title: part for title, part in names.items() if part}, self._content.tags.meta]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest() if any(parts) else ""

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
        return self._content.images.get(path, _ImageEntry(0, 0, [], {}, []))

    def _stamp(self, path: str) -> bytes:
        text = json.dumps(self._entry(path), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).digest()

    def labels(self, item: Item, contents: Sequence[bytes | None], width: int, height: int) -> Labels:
        """Return the annotations of one image; one that several files repeat is included once."""
        entry = self._entry(item.image)
        objects: list[dict[str, Any]] = []
        first_file: dict[str, str] = {}  # by object
        orientation = self._orientation(item.image, entry)
        for annotation in entry.annotations:
            try:
                converted = self._objects(annotation, entry, (width, height), orientation)
            except (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError) as error:
                number = annotation.fields["id"]
                raise FolderError(
                    f"{self._tree.path(item.image)!r}: its COCO annotation {number} is not valid: {error}"
                ) from None
            for label in converted:
                if first_file.setdefault(json.dumps(label, sort_keys=True), annotation.file) == annotation.file:
                    objects.append(label)
        members = dict(entry.members)
        tags, others = self._content.tags.split(members.pop(ATTRIBUTES, None) or {})
        extension = members.pop(EXTENSION, {})
        document = {**extension.get("annotation", {}), "objects": objects, "tags": tags}
        source = {**members, **({ATTRIBUTES: others} if others else {})}
        meta = {**extension.get("meta", {}), **({"coco": source} if source else {})}
        return Labels(document, meta or None, self._stamp(item.image), Counter(entry.unsupported))

    def _orientation(self, path: str, entry: _ImageEntry) -> Orientation | None:
        """Return how an image is turned when it is shown, if the size in the JSON file is that of the shown image."""
        orientation = read_orientation(self._tree.path(path)) if entry.annotations else None
        size = (entry.width, entry.height)
        return orientation if orientation is not None and orientation.shown_size == size else None

    def _objects(
        self, annotation: _Annotation, entry: _ImageEntry, image: tuple[int, int], orientation: Orientation | None
    ) -> list[dict[str, Any]]:
        """Return the objects of one annotation."""
        fields = annotation.fields
        names = _point_names(self._content.categories[annotation.title])
        shapes = geometries(fields, (entry.height, entry.width), image, names, orientation)
        crowd = [{"name": CROWD, "value": None}] if CROWD in fields else []
        tags, others = self._content.tags.split(_attributes(fields))
        unknown = {name: value for name, value in fields.items() if name not in {*_FIELDS, "id"}}
        if others:
            unknown[ATTRIBUTES] = others
        members: dict[str, Any] = {"instance": str(fields["id"])} if len(shapes) > 1 else {}
        members.update({name: value for name, value in fields.get(EXTENSION, {}).items() if name != BOX})
        if unknown:
            members["customData"] = {**members.get("customData", {}), "coco": unknown}
        return [{"classTitle": annotation.title, **shape, **members, "tags": [*crowd, *tags]} for shape in shapes]


def _is_exported(document: dict[str, Any]) -> bool:
    """Return whether a file has the classes and tags of the project that it was exported from."""
    info = document.get("info")
    meta = info.get(EXTENSION) if isinstance(info, dict) else None
    return isinstance(meta, dict) and all(
        isinstance(meta.get(part), list) and all(isinstance(entry, dict) and entry.get(name) for entry in meta[part])
        for part, name in (("classes", "title"), ("tags", "name"))
    )


def _attributes(fields: dict[str, Any]) -> dict[str, Any]:
    score = {SCORE: fields[SCORE]} if SCORE in fields else {}
    return {**score, **fields.get(ATTRIBUTES, {})}


def _merged(annotation: _Annotation, others: Sequence[_Annotation]) -> bool:
    """Add an annotation's members to the same one of another file, which may have only polygons or only key points."""
    if annotation.fields["id"] is None:
        return False
    for other in others:
        if other.file != annotation.file and (other.title, other.fields["id"]) == (
            annotation.title,
            annotation.fields["id"],
        ):
            shared = other.fields.keys() & annotation.fields.keys()
            if all(other.fields[name] == annotation.fields[name] for name in shared) and len(shared) > 1:
                other.fields.update(annotation.fields)
                return True
    return False


def _point_names(category: dict[str, Any]) -> list[str]:
    """Return unique names of a category's key points."""
    names = [str(name) for name in category.get("keypoints") or []]
    return [name if names.index(name) == index else f"{name} {index}" for index, name in enumerate(names)]


def _class_members(category: dict[str, Any]) -> dict[str, Any]:
    """Return what a class keeps of its category: id, supercategory, and the template of its key points."""
    members: dict[str, Any] = {"coco": {name: category[name] for name in ("id", "supercategory") if name in category}}
    if names := _point_names(category):
        edges = [(start - 1, end - 1) for start, end in category.get("skeleton") or []]
        valid = [edge for edge in edges if all(0 <= end < len(names) for end in edge)]
        members["geometry_config"] = skeleton(names, valid)
    return members
