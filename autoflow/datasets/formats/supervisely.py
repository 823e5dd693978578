"""Supervisely's format: ``meta.json``, and folders of datasets with ``img``, ``ann``, ``meta`` and ``datasets``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from autoflow.datasets.formats.base import Item, Labels, Listing, Meta, compose
from autoflow.datasets.reading import read
from autoflow.datasets.tree import Tree, join
from autoflow.errors import FolderError

META = "meta.json"
IMAGES, ANNOTATIONS, METAS, NESTED = "img", "ann", "meta", "datasets"
_PARTS = {IMAGES, ANNOTATIONS, NESTED}
_LITTER = {".DS_Store", "Thumbs.db", "desktop.ini"}
# Numbers of the project the folder came from; names say the same in any project.
_NUMBERS = {"id", "classId", "tagId", "labelerLogin", "entityId"}


def is_here(tree: Tree) -> bool:
    """Whether a folder is in this format."""
    return META in tree.files[""] and (
        any(_PARTS & set(tree.folders[folder]) for folder in tree.folders[""])
        or not any(files.keys() - {META} for files in tree.files.values())
    )


class Supervisely:
    """A project in Supervisely's format."""

    word = "supervisely"
    sized = False

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._titles: dict[Any, str] | None = None

    def meta(self) -> Meta:
        """What ``meta.json`` says."""
        path = self._tree.path(META)
        document = parsed(path, read(path, follow=True, keep=None).kept)
        kind = document.get("projectType") or "images"
        if kind != "images":
            raise FolderError(f"{path!r} is of a project of {kind}; folders of images alone become a project")
        found: Meta = {}
        for part, name in (("classes", "title"), ("tags", "name")):
            entries = document.get(part) or []
            if not isinstance(entries, list) or not all(isinstance(one, dict) and one.get(name) for one in entries):
                raise FolderError(f'{path!r}: "{part}" must be a list of objects that have a "{name}"')
            found[part] = [{key: value for key, value in one.items() if key != "id"} for one in entries]
        self._titles = {one.get("id"): one["title"] for one in document.get("classes") or []}
        return found

    def context(self) -> str:
        """Nothing: labels name classes and tags."""
        return ""

    def listing(self) -> Listing:
        """All images of all datasets; a dataset without images is one too."""
        return dict(self._datasets("", ""))

    def _datasets(self, folder: str, dataset: str) -> Iterator[tuple[str, dict[str, Item]]]:
        for name in self._tree.folders.get(folder, ()):
            inside, path = join(folder, name), join(dataset, name)
            if _PARTS & set(self._tree.folders[inside]):
                yield path, self._items(inside)
                yield from self._datasets(join(inside, NESTED), path)

    def _items(self, folder: str) -> dict[str, Item]:
        images = join(folder, IMAGES)
        found = {}
        annotations, metas = join(folder, ANNOTATIONS), join(folder, METAS)
        told = self._tree.files.get(annotations, {})
        known = self._tree.files.get(metas, {})
        for name in self._tree.files.get(images, ()):
            label = meta = f"{name}.json"
            if label not in told:
                label = f"{name.rpartition('.')[0]}.json"  # as older projects have it
            files = (
                f"{annotations}/{label}" if label in told else None,
                f"{metas}/{meta}" if meta in known else None,
            )
            found[name] = Item(f"{images}/{name}", compose((told.get(label), known.get(meta))), files)
        for name in _LITTER & found.keys():
            del found[name]
        return found

    def labels(self, item: Item, contents: Sequence[bytes | None], width: int, height: int) -> Labels:
        """What the image's files say, without the numbers of the project they came from."""
        annotation, meta = (
            {} if content is None or path is None else parsed(self._tree.path(path), content)
            for path, content in zip(item.labels, contents, strict=True)
        )
        path = self._tree.path(item.labels[0] or item.image)
        objects = [self._object(path, one) for one in _list(path, annotation, "objects")]
        tags = [_named(path, tag) for tag in _list(path, annotation, "tags")]
        return Labels({**annotation, "objects": objects, "tags": tags}, meta)

    def _object(self, path: str, told: dict[str, Any]) -> dict[str, Any]:
        title = told.get("classTitle")
        if title is None:
            if self._titles is None:
                self.meta()
            title = (self._titles or {}).get(told.get("classId"))
        if not isinstance(title, str):
            raise FolderError(f'{path!r}: an object has no "classTitle": name its class')
        kept = {key: value for key, value in told.items() if key not in _NUMBERS}
        return {**kept, "classTitle": title, "tags": [_named(path, tag) for tag in _list(path, told, "tags")]}


def _named(path: str, tag: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(tag.get("name"), str):
        raise FolderError(f'{path!r}: a tag has no "name": give it one of those in {META}')
    return {key: value for key, value in tag.items() if key not in _NUMBERS}


def _list(path: str, told: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = [] if told.get(name) is None else told[name]
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise FolderError(f'{path!r}: "{name}" must be a list of objects')
    return found


def parsed(path: str, content: bytes | None) -> dict[str, Any]:
    """A JSON object in a file.

    Raises:
        FolderError: it is none.
    """
    try:
        found = json.loads(content or b"")
    except (ValueError, RecursionError) as error:
        raise FolderError(f"{path!r} is no JSON ({error}): mend it or move it away") from None
    if not isinstance(found, dict):
        raise FolderError(f"{path!r} must be a JSON object")
    return found
