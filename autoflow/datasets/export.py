"""Export of a version to a folder, in Supervisely's format or as plain files: all or nothing.

It is written to a temporary folder beside the target, which is then renamed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from autoflow.datasets import files_layout, supervisely_update
from autoflow.datasets.cache_store import CachedImage
from autoflow.datasets.content_writer import MODES, ContentWriter
from autoflow.datasets.formats import supervisely
from autoflow.datasets.formats.files import Files
from autoflow.datasets.staging import staging_folder
from autoflow.datasets.supervisely_export import Key, SuperviselyExport, write_bytes
from autoflow.datasets.version_reader import ALL, Selection, VersionReader
from autoflow.errors import FolderError
from autoflow.transport.base import Transport

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
        path: the folder, which must not exist or be empty, or be one that a version was restored to, or that the
            project was imported from: what differs is replaced. With a selection, its other files stay.
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
            export = SuperviselyExport(reader, writer)
            _write_supervisely(transport, reader, export, target, progress, prune=selection == ALL)
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


def _write_supervisely(
    transport: Transport,
    reader: VersionReader,
    export: SuperviselyExport,
    target: str,
    progress: Progress | None,
    *,
    prune: bool,
) -> None:
    """Write a version in Supervisely's format to a new folder, or make a folder that is known equal to it."""
    if os.path.islink(target) or not os.path.isdir(target):
        _check_empty(target)
    untouched: Mapping[Key, CachedImage] = {}
    if not _is_taken(target):
        with staging_folder(os.path.dirname(target)) as partial:
            _report(progress, 0, reader.total)
            for done in export.write_all(partial):
                _report(progress, done, reader.total)
            reader.check_matched(len(export.entries))
            os.rename(partial, target)
    else:
        export.plan()
        reader.check_matched(len(export.entries))
        difference = supervisely_update.compare(transport, target, export, reader.meta, prune=prune)
        with staging_folder(os.path.dirname(target)) as partial:
            _report(progress, 0, len(difference.changed))
            for done in export.write_some(partial, difference.changed, difference.present):
                _report(progress, done, len(difference.changed))
            if difference.writes_meta:
                write_bytes(os.path.join(partial, supervisely.META), export.meta())
            supervisely_update.replace(difference, export, partial)
        untouched = difference.untouched
    supervisely_update.record(transport, os.path.realpath(target), export, untouched)


def _report(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)
