"""Supervisely's format: ``meta.json``, and folders of datasets with ``img``, ``ann``, ``meta`` and ``datasets``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from autoflow.datasets.formats.base import Item, Labels, Listing, Meta, combine_stamps
from autoflow.datasets.reading import read
from autoflow.datasets.tree import Tree, join
from autoflow.errors import FolderError

META = "meta.json"
IMAGES, ANNOTATIONS, METAS, NESTED = "img", "ann", "meta", "datasets"
_DATASET_FOLDERS = {IMAGES, ANNOTATIONS, NESTED}
_SYSTEM_FILES = {".DS_Store", "Thumbs.db", "desktop.ini"}
# Ids of the project that the folder was exported from; names identify the same in any project.
_IDS = {"id", "classId", "tagId", "labelerLogin", "entityId"}


class Supervisely:
    """A project in Supervisely's format."""

    name: ClassVar[str] = "supervisely"
    metadata_patterns: ClassVar[Sequence[str]] = (META,)
    needs_image_size = False

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._class_titles: dict[Any, str] | None = None

    @classmethod
    def detect(cls, tree: Tree, *, unchanged: bool) -> Supervisely | None:
        """Return the folder if it has ``meta.json``, and folders of datasets or nothing else."""
        is_project = META in tree.files[""] and (
            any(_DATASET_FOLDERS & set(tree.folders[folder]) for folder in tree.folders[""])
            or not any(files.keys() - {META} for files in tree.files.values())
        )
        return cls(tree) if unchanged or is_project else None

    def meta(self) -> Meta:
        """Return the classes and tags of ``meta.json``, without their ids."""
        path = self._tree.path(META)
        document = parse_json(path, read(path, follow=True, max_kept=None).data)
        kind = document.get("projectType") or "images"
        if kind != "images":
            raise FolderError(f"{path!r} belongs to a project of {kind}; only projects of images can be imported")
        meta: Meta = {}
        for part, name in (("classes", "title"), ("tags", "name")):
            entries = document.get(part) or []
            if not isinstance(entries, list) or not all(
                isinstance(entry, dict) and entry.get(name) for entry in entries
            ):
                raise FolderError(f'{path!r}: "{part}" must be a list of objects that have a "{name}"')
            meta[part] = [{key: value for key, value in entry.items() if key != "id"} for entry in entries]
        self._class_titles = {entry.get("id"): entry["title"] for entry in document.get("classes") or []}
        return meta

    def context(self) -> str:
        """Return an empty text, because annotations name their classes and tags."""
        return ""

    def sources(self) -> list[str]:
        """Return the file of classes and tags."""
        return [META]

    def listing(self) -> Listing:
        """Return all images of all datasets, and the datasets without images."""
        return dict(self._datasets("", ""))

    def _datasets(self, folder: str, dataset: str) -> Iterator[tuple[str, dict[str, Item]]]:
        for name in self._tree.folders.get(folder, ()):
            inside, path = join(folder, name), join(dataset, name)
            if _DATASET_FOLDERS & set(self._tree.folders[inside]):
                yield path, self._items(inside)
                yield from self._datasets(join(inside, NESTED), path)

    def _items(self, folder: str) -> dict[str, Item]:
        images, annotations, metas = join(folder, IMAGES), join(folder, ANNOTATIONS), join(folder, METAS)
        annotation_stamps = self._tree.files.get(annotations, {})
        meta_stamps = self._tree.files.get(metas, {})
        items = {}
        for name in self._tree.files.get(images, ()):
            if name in _SYSTEM_FILES:
                continue
            annotation = meta = f"{name}.json"
            if annotation not in annotation_stamps:
                annotation = f"{name.rpartition('.')[0]}.json"  # the name in older projects
            files = (
                f"{annotations}/{annotation}" if annotation in annotation_stamps else None,
                f"{metas}/{meta}" if meta in meta_stamps else None,
            )
            stamp = combine_stamps((annotation_stamps.get(annotation), meta_stamps.get(meta)))
            items[name] = Item(f"{images}/{name}", stamp, files)
        return items

    def labels(self, item: Item, contents: Sequence[bytes | None], width: int, height: int) -> Labels:
        """Return an image's annotation and metadata, without ids of the project they were exported from."""
        annotation, meta = (
            {} if content is None or path is None else parse_json(self._tree.path(path), content)
            for path, content in zip(item.labels, contents, strict=True)
        )
        path = self._tree.path(item.labels[0] or item.image)
        objects = [self._object(path, entry) for entry in _list(path, annotation, "objects")]
        tags = [_tag(path, tag) for tag in _list(path, annotation, "tags")]
        return Labels({**annotation, "objects": objects, "tags": tags}, meta)

    def _object(self, path: str, source: dict[str, Any]) -> dict[str, Any]:
        title = source.get("classTitle")
        if title is None:
            if self._class_titles is None:
                self.meta()
            title = (self._class_titles or {}).get(source.get("classId"))
        if not isinstance(title, str):
            raise FolderError(f'{path!r}: an object has no "classTitle": name its class')
        members = {key: value for key, value in source.items() if key not in _IDS}
        return {**members, "classTitle": title, "tags": [_tag(path, tag) for tag in _list(path, source, "tags")]}


def _tag(path: str, tag: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(tag.get("name"), str):
        raise FolderError(f'{path!r}: a tag has no "name": use one of those in {META}')
    return {key: value for key, value in tag.items() if key not in _IDS}


def _list(path: str, document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    entries = [] if document.get(name) is None else document[name]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise FolderError(f'{path!r}: "{name}" must be a list of objects')
    return entries


def parse_json(path: str, content: bytes | None) -> dict[str, Any]:
    """Parse a JSON object.

    Raises:
        FolderError: the content is not a JSON object.
    """
    try:
        document = json.loads(content or b"")
    except (ValueError, RecursionError) as error:
        raise FolderError(f"{path!r} is not valid JSON ({error}): correct it, or move it out of the folder") from None
    if not isinstance(document, dict):
        raise FolderError(f"{path!r} must be a JSON object")
    return document
