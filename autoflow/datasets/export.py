"""Export of a version to a folder, in Supervisely's format or as plain files: all or nothing.

It is written to a temporary folder beside the target, which is then renamed.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from autoflow.datasets import files_layout
from autoflow.datasets.content_writer import MODES, ContentWriter
from autoflow.datasets.filename_allocator import FilenameAllocator
from autoflow.datasets.formats import supervisely
from autoflow.datasets.formats.files import Files
from autoflow.datasets.reading import prefetch
from autoflow.datasets.staging import staging_folder
from autoflow.datasets.version_reader import ALL, Selection, VersionReader
from autoflow.errors import FolderError
from autoflow.transport.base import Transport
from autoflow.wire.contract import versions as contract

FORMATS = (supervisely.Supervisely.name, Files.name)

Progress = Callable[[int, int], Any]


def to_folder(
    transport: Transport,
    version: Any,
    path: str | os.PathLike[str],
    mode: str = "auto",
    progress: Progress | None = None,
    *,
    folder_format: str | None = None,
    selection: Selection = ALL,
) -> str:
    """Write a version to a folder; return the folder's absolute path.

    Args:
        transport: the server.
        version: its id, or its VersionInfo.
        path: the folder, which must not exist or be empty; in the format ``files`` it may also be one that a version
            was restored to, or that the project was imported from: what differs is replaced. With a selection,
            its other files stay.
        mode: ``reflink`` clones the server's files or fails, ``copy`` copies them, ``auto`` clones if possible.
        progress: called with the number of items done and the total.
        folder_format: ``files`` without labels, the default for projects of files, or ``supervisely``.
        selection: the items to write.

    Raises:
        FolderError: the folder has other files or cannot be written, or content of the version is not available;
            nothing is left behind.
        ServerError: the server failed, or has no such version; likewise.
    """
    if mode not in MODES:
        raise FolderError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
    if folder_format not in {None, *FORMATS}:
        raise FolderError(f"the format must be one of {', '.join(FORMATS)}, not {folder_format!r}")
    if selection.sample is not None and selection.sample < 1:
        raise FolderError(f"a sample has at least 1 item, not {selection.sample}")
    target = os.path.abspath(path)
    version_id = int(getattr(version, "id", version))
    reader = VersionReader(transport, version_id, selection)
    writer = ContentWriter(transport, version_id, mode)
    is_files = reader.meta["project"]["type"] == Files.name
    with _named_errors(target):
        if folder_format == Files.name or (is_files and folder_format is None):
            _write_files(transport, reader, writer, target, progress, prune=selection == ALL)
        elif is_files:
            raise FolderError(f"version {version_id} is of a project of files: only the format files has them")
        else:
            _check_empty(target)
            with staging_folder(os.path.dirname(target)) as partial:
                _Export(reader, writer, partial, progress).run()
                os.rename(partial, target)
    return target


@contextlib.contextmanager
def _named_errors(target: str) -> Iterator[None]:
    """Turn an error of the file system into one that names the folder."""
    try:
        yield
    except OSError as error:
        raise FolderError(f"{target!r} cannot be written: {error.strerror or error}") from error


def _is_taken(target: str) -> bool:
    return os.path.lexists(target) and (os.path.islink(target) or not os.path.isdir(target) or bool(os.listdir(target)))


def _check_empty(target: str) -> None:
    if _is_taken(target):
        raise FolderError(f"{target!r} exists and is not an empty folder: choose another path, or empty it")


def _write_files(
    transport: Transport,
    reader: VersionReader,
    writer: ContentWriter,
    target: str,
    progress: Progress | None,
    *,
    prune: bool,
) -> None:
    """Write the files of a version to a new folder, or make a folder that is known equal to it."""
    if os.path.islink(target) or not os.path.isdir(target):
        _check_empty(target)
    layout = files_layout.plan(reader)
    if not layout.hashes:
        reader.check_matched(0)
    known = None
    if _is_taken(target):
        known = files_layout.examine(transport, target, layout, reader.meta["project"]["id"], prune=prune)
    changed = list(layout.hashes) if known is None else files_layout.changed_paths(known.hashes, layout)
    with staging_folder(os.path.dirname(target)) as partial:
        _report(progress, 0, len(changed))
        for done in files_layout.write(partial, layout, changed, writer):
            _report(progress, done, len(changed))
        if known is None:
            os.rename(partial, target)
        else:
            files_layout.replace(known, layout, partial, changed, prune=prune)
    files_layout.record(transport, os.path.realpath(target), layout)


def _report(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)


class _Export:
    """Writes one version to one folder in Supervisely's format."""

    def __init__(self, reader: VersionReader, writer: ContentWriter, root: str, progress: Progress | None) -> None:
        self._reader = reader
        self._writer = writer
        self._root = root
        self._progress = progress
        self._filenames: dict[str, FilenameAllocator] = {}

    def run(self) -> None:
        """Write the version."""
        meta = self._reader.meta
        self._write_json({**meta["meta"], "projectType": meta["project"]["type"]}, supervisely.META)
        folders = self._make_datasets(self._reader.datasets)
        total = self._reader.total
        done = 0
        _report(self._progress, done, total)
        for page in prefetch(self._reader.pages(annotations=True)):
            self._writer.write([self._write_labels(item, folders[item["datasetId"]]) for item in page])
            done += len(page)
            _report(self._progress, done, total)
        self._reader.check_matched(done)

    def _make_datasets(self, datasets: Sequence[contract.VersionDataset]) -> dict[int, str]:
        """Create the folders of all datasets; return them by dataset id."""
        folders: dict[int, str] = {}
        for dataset in datasets:  # parents come before their children
            parent = dataset["parentId"]
            above = "" if parent is None else os.path.join(folders[parent], supervisely.NESTED)
            folder = os.path.join(above, self._allocate(above, dataset["name"]))
            for part in (supervisely.IMAGES, supervisely.ANNOTATIONS):
                os.makedirs(os.path.join(self._root, folder, part))
            folders[dataset["id"]] = folder
        return folders

    def _allocate(self, folder: str, name: str) -> str:
        taken = {supervisely.META} if not folder else ()
        return self._filenames.setdefault(folder, FilenameAllocator(taken)).allocate(name)

    def _write_labels(self, item: contract.VersionItem, folder: str) -> tuple[str, str]:
        """Write the annotation and metadata of an image; return the path for the image itself, and its hash."""
        content_hash = files_layout.content_hash(item)
        name = self._allocate(folder, item["name"])
        self._write_json(item.get("annotation"), folder, supervisely.ANNOTATIONS, f"{name}.json")
        if item["meta"]:
            os.makedirs(os.path.join(self._root, folder, supervisely.METAS), exist_ok=True)
            self._write_json(item["meta"], folder, supervisely.METAS, f"{name}.json")
        return os.path.join(self._root, folder, supervisely.IMAGES, name), content_hash

    def _write_json(self, document: Any, *path: str) -> None:
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        with open(os.path.join(self._root, *path), "xb") as file:
            file.write(text.encode("utf-8", "surrogatepass"))
