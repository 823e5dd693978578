"""Export of a version to a folder, in a format of images with labels or as plain files: all or nothing.

It is written to a temporary folder beside the target, which is then renamed.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from autoflow.datasets import files_layout, supervisely_update
from autoflow.datasets.cache_store import CachedImage
from autoflow.datasets.content_writer import MODES, ContentWriter
from autoflow.datasets.exporters import EXPORTERS
from autoflow.datasets.exporters.base import Exporter
from autoflow.datasets.formats import IMAGES, supervisely
from autoflow.datasets.formats.files import Files
from autoflow.datasets.left_out import listed
from autoflow.datasets.reading import prefetch
from autoflow.datasets.staging import staging_folder
from autoflow.datasets.supervisely_export import Key, SuperviselyExport, write_bytes
from autoflow.datasets.version_reader import ALL, Selection, VersionReader
from autoflow.errors import FolderError
from autoflow.transport.base import Transport

FORMATS = (supervisely.Supervisely.name, *EXPORTERS, Files.name)

logger = logging.getLogger("autoflow")

Progress = Callable[[int, int], Any]


class FolderRestore(NamedTuple):
    """A version that was written to a folder.

    Args:
        path: the folder's absolute path.
        lost: what of the labels the format cannot hold, as numbers by what it is.
    """

    path: str
    lost: dict[str, int]


def restore_to_folder(
    transport: Transport,
    version: Any,
    path: str | os.PathLike[str],
    mode: str = "auto",
    progress: Progress | None = None,
    *,
    folder_format: str | None = None,
    selection: Selection = ALL,
    strict: bool = False,
) -> FolderRestore:
    """Write a version to a folder.

    Args:
        transport: the server.
        version: its id, or its VersionInfo.
        path: the folder, which must not exist or be empty; in the formats ``files`` and ``supervisely`` it may also be
            one that a version was restored to, or that the project was imported from: what differs is replaced. With
            a selection, its other files stay.
        mode: ``reflink`` clones the server's files or fails, ``copy`` copies them, ``auto`` clones if possible,
            ``link`` clones if possible and else makes links to them, which can only be read.
        progress: called with the number of items done and the total.
        folder_format: ``files`` without labels, the default for projects of files; else ``supervisely``, the default,
            ``coco``, ``yolo`` or ``voc``. What a format cannot hold is logged.
        selection: the items to write.
        strict: fail if the format cannot hold everything.

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
    name = _format_name(reader, version_id, folder_format)

    def check(lost: Mapping[str, int]) -> None:
        if lost and strict:
            raise FolderError(
                f"the format {name} cannot hold {listed(lost)}: choose another format, or restore without strict"
            )

    lost: Mapping[str, int] = {}
    with _named_errors(target):
        if name == Files.name:
            lost = _write_files(transport, reader, writer, target, progress, check, prune=selection == ALL)
        elif name in EXPORTERS:
            lost = _write_exported(reader, writer, EXPORTERS[name], target, progress, check)
        else:
            export = SuperviselyExport(reader, writer)
            _write_supervisely(transport, reader, export, target, progress, prune=selection == ALL)
    if lost:
        logger.warning("%s: the format %s cannot hold %s", target, name, listed(lost))
    return FolderRestore(target, dict(lost))


def to_folder(*arguments: Any, **options: Any) -> str:
    """Write a version to a folder as `restore_to_folder` does; return the folder's absolute path."""
    return restore_to_folder(*arguments, **options).path


def _format_name(reader: VersionReader, version_id: int, folder_format: str | None) -> str:
    """Return the format to write a version in.

    Raises:
        FolderError: the requested one does not fit the version's type.
    """
    project_type = reader.meta["project"]["type"]
    if project_type == Files.name:
        if folder_format not in {None, Files.name}:
            raise FolderError(f"version {version_id} is of a project of files: only the format files has them")
        return Files.name
    if project_type != IMAGES and folder_format in EXPORTERS:
        raise FolderError(f"version {version_id} is not of a project of images: choose the format files or supervisely")
    return folder_format or supervisely.Supervisely.name


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
    check: Callable[[Mapping[str, int]], None],
    *,
    prune: bool,
) -> Mapping[str, int]:
    """Write the files of a version to a new folder, or make a folder that is known equal to it.

    Returns:
        The numbers of labels and tags, which are not written.
    """
    if os.path.islink(target) or not os.path.isdir(target):
        _check_empty(target)
    layout = files_layout.plan(reader)
    check(layout.lost)
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
    return layout.lost


def _write_exported(
    reader: VersionReader,
    writer: ContentWriter,
    exporter_type: type[Exporter],
    target: str,
    progress: Progress | None,
    check: Callable[[Mapping[str, int]], None],
) -> Mapping[str, int]:
    """Write images with their labels to a new folder; return the numbers of what the format cannot hold."""
    _check_empty(target)
    with (
        staging_folder(os.path.dirname(target)) as partial,
        contextlib.closing(exporter_type(partial, reader.meta, reader.datasets)) as exporter,
    ):
        done = 0
        _report(progress, done, reader.total)
        for page in prefetch(reader.pages(annotations=True)):
            paths = [exporter.path(item) for item in page]
            writer.write([(path, files_layout.content_hash(item)) for path, item in zip(paths, page, strict=True)])
            for path, item in zip(paths, page, strict=True):
                exporter.add(item, path)
            done += len(page)
            _report(progress, done, reader.total)
        reader.check_matched(done)
        exporter.finish()
        check(exporter.lost)
        os.rename(partial, target)
        return exporter.lost


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
