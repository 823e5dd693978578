"""A version written in Supervisely's format: ``meta.json``, and a folder with images and labels for each dataset."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from autoflow.datasets import files_layout
from autoflow.datasets.content_writer import ContentWriter
from autoflow.datasets.filename_allocator import FilenameAllocator
from autoflow.datasets.formats.supervisely import ANNOTATIONS, IMAGES, META, METAS, NESTED
from autoflow.datasets.reading import prefetch
from autoflow.datasets.version_reader import VersionReader
from autoflow.wire.contract import versions as contract

# An image of a folder: the path of its dataset (names joined by slashes), and its file name.
Key = tuple[str, str]


class Entry(NamedTuple):
    """An image of a version, as it is written.

    Args:
        id: its id.
        hash: content hash.
        fingerprint: of its state in the version.
    """

    id: int
    hash: str
    fingerprint: str


class SuperviselyExport:
    """The files of one version.

    Args:
        reader: the version, or a part of it.
        writer: writes the images.

    Attributes:
        entries: the images that are written, complete after `plan` or `write_all`.
    """

    def __init__(self, reader: VersionReader, writer: ContentWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._names: dict[str, FilenameAllocator] = {}
        self._keys: dict[int, Key] = {}
        self.entries: dict[Key, Entry] = {}
        self.folders: dict[str, str] = {}  # the folder of each dataset, by its path
        self._paths: dict[int, str] = {}
        for dataset in reader.datasets:  # parents come before their children
            self._add_dataset(dataset)

    def _add_dataset(self, dataset: contract.VersionDataset) -> None:
        parent = self._paths[dataset["parentId"]] if dataset["parentId"] is not None else None
        above = "" if parent is None else f"{self.folders[parent]}/{NESTED}"
        name = self._allocate(above, dataset["name"])
        path = name if parent is None else f"{parent}/{name}"
        self._paths[dataset["id"]] = path
        self.folders[path] = f"{above}/{name}" if above else name

    def _allocate(self, folder: str, name: str) -> str:
        taken = () if folder else {META}
        if folder not in self._names:
            self._names[folder] = FilenameAllocator(taken)
        return self._names[folder].allocate(name)

    def meta(self) -> bytes:
        """Return the content of ``meta.json``."""
        meta = self._reader.meta
        return _encode({**meta["meta"], "projectType": meta["project"]["type"]})

    def plan(self) -> None:
        """Read which images the version has, without their labels."""
        for page in self._reader.pages(fingerprints=True):
            for item in page:
                self._key(item)

    def _key(self, item: contract.VersionItem) -> Key:
        """Return the key of an image, a new one if it had none."""
        if item["id"] not in self._keys:
            content_hash = files_layout.content_hash(item)
            dataset = self._paths[item["datasetId"]]
            key = self._keys[item["id"]] = (dataset, self._allocate(self.folders[dataset], item["name"]))
            self.entries[key] = Entry(item["id"], content_hash, item.get("fingerprint", ""))
        return self._keys[item["id"]]

    def write_all(self, root: str) -> Iterator[int]:
        """Write the whole version below a folder; yield the number of its images after each page."""
        self.make_folders(root)
        write_bytes(os.path.join(root, META), self.meta())
        for page in prefetch(self._reader.pages(annotations=True, fingerprints=True)):
            self._write_page(root, page)
            yield len(self.entries)

    def write_some(self, root: str, keys: Iterable[Key], present: Iterable[Key]) -> Iterator[int]:
        """Write the labels of some images below a folder, and the images but those that are present."""
        self.make_folders(root)
        skipped = set(present)
        done = 0
        for page in prefetch(self._reader.labeled([self.entries[key].id for key in keys])):
            self._write_page(root, page, skipped)
            done += len(page)
            yield done

    def _write_page(self, root: str, page: Sequence[contract.VersionItem], skipped: Iterable[Key] = ()) -> None:
        images = []
        for item in page:
            key = self._key(item)
            for path, content in self.label_files(key, item).items():
                write_bytes(f"{root}/{path}", content)
            if key not in skipped:
                images.append((f"{root}/{self.image_path(key)}", self.entries[key].hash))
        self._writer.write(images)

    def make_folders(self, root: str) -> None:
        """Create the folders of all datasets."""
        for folder in self.folders.values():
            for part in (IMAGES, ANNOTATIONS):
                os.makedirs(os.path.join(root, folder, part), exist_ok=True)

    def image_path(self, key: Key) -> str:
        """Return the path of an image."""
        dataset, name = key
        return f"{self.folders[dataset]}/{IMAGES}/{name}"

    def label_files(self, key: Key, item: contract.VersionItem) -> Mapping[str, bytes]:
        """Return the files of an image's labels by path: its annotation, and its metadata if it has some."""
        dataset, name = key
        folder = self.folders[dataset]
        files = {f"{folder}/{ANNOTATIONS}/{name}.json": _encode(item.get("annotation"))}
        if item["meta"]:
            files[f"{folder}/{METAS}/{name}.json"] = _encode(item["meta"])
        return files

    def labeled(self, keys: Iterable[Key]) -> Iterator[tuple[Key, contract.VersionItem]]:
        """Yield images with their labels."""
        for page in self._reader.labeled([self.entries[key].id for key in keys]):
            for item in page:
                yield self._key(item), item


_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _encode(document: Any) -> bytes:
    return _to_json(document).encode("utf-8", "surrogatepass")


def write_bytes(path: str, content: bytes) -> None:
    """Write a new file; the folder of metadata is created if it is missing."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o666)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor = os.open(path, flags, 0o666)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
    finally:
        os.close(descriptor)
