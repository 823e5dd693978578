"""Blobs in a folder of this machine: read-only files, written aside, then renamed to their place.

Renamed is not durable: `sync` makes files so, many of them by one sync of the file system. A process killed before
leaves files that nothing names, which the collector removes.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from autoflow.errors import ServerBusy
from autoflow.server import private_files
from autoflow.server.blobs import durable, file_system
from autoflow.server.blobs.content import (
    CHUNK_BYTES,
    MARK,
    QUARANTINE,
    TRASH,
    BlobFile,
    Probe,
    ReceivedBlob,
    blob_path,
    hash_from_name,
)
from autoflow.server.errors import Busy, StorageFailed, StorageFull

SYNC_ALL_FROM = 8  # files from which on one sync of the whole file system is cheaper
_NEW = "new"


class FolderBlobStore:
    """The blobs in a folder, made when something is kept."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._mark = os.path.join(folder, MARK)
        self._marked = False

    @property
    def address(self) -> str:
        """See `Blobs`."""
        return self._folder

    def path(self, content: str, generation: str) -> str:
        """Where the file of a hash and generation is."""
        return os.path.join(self._folder, blob_path(content, generation))

    def receive(self, stream: BinaryIO, generation: str, probe: Probe | None = None) -> ReceivedBlob:
        """See `Blobs`."""
        self._see_that_it_is_there()
        written = os.path.join(self._folder, _NEW, generation)
        try:
            private_files.make_folder(os.path.dirname(written))
            digest, size, probed = _write(stream, written, probe)
            received = ReceivedBlob(base64.b64encode(digest).decode(), size, generation, probed)
            target = self.path(received.hash, generation)
            _place(written, target)
        except BaseException as error:
            with contextlib.suppress(OSError):
                os.unlink(written)
            if not isinstance(error, OSError):  # the stream's own: whoever sent it is gone, or sent no form
                raise
            raise _full(error) from error
        return received

    def sync(self, received: Sequence[ReceivedBlob]) -> None:
        """See `Blobs`."""
        paths = [self.path(one.hash, one.generation) for one in received]
        try:
            if len(paths) >= SYNC_ALL_FROM and self._syncs_at_once and durable.sync_all(self._folder):
                return
            for path in paths:
                durable.sync(path)
            for folder in sorted({os.path.dirname(path) for path in paths}):
                durable.sync(folder)
            if paths:
                durable.sync(self._folder)
                _ = self._rooted
        except OSError as error:
            raise _full(error) from error

    @functools.cached_property
    def _syncs_at_once(self) -> bool:
        """Whether one sync means this disk, and not what other machines wrote to it."""
        return file_system.file_system_type(self._folder) not in file_system.NETWORK

    @functools.cached_property
    def _rooted(self) -> bool:
        """The folder's own name made durable: once, as it is made once."""
        durable.sync(os.path.dirname(self._folder))
        return True

    def discard(self, received: ReceivedBlob) -> None:
        """See `Blobs`."""
        with contextlib.suppress(OSError):
            os.unlink(self.path(received.hash, received.generation))

    def read(self, content: str, generation: str, start: int, stop: int) -> Iterator[bytes]:
        """See `Blobs`; the file is open from the first chunk on, and read to its end even if it is removed."""
        with _failing("read"), self._opened(content, generation) as file:
            file.seek(start)
            while start < stop and (chunk := file.read(min(CHUNK_BYTES, stop - start))):
                start += len(chunk)
                yield chunk

    def _opened(self, content: str, generation: str) -> BinaryIO:
        path = self.path(content, generation)
        try:
            return open(path, "rb", buffering=0)
        except FileNotFoundError:
            if not self._bring_back(path):
                raise
            return open(path, "rb", buffering=0)

    def _bring_back(self, path: str) -> bool:
        """Move a file back that is in the trash; gives whether it was."""
        trash = os.path.join(self._folder, TRASH)
        for day in _names(trash):
            with contextlib.suppress(FileNotFoundError):
                os.rename(os.path.join(trash, day, os.path.basename(path)), path)
                return True
        return False

    def size(self, content: str, generation: str) -> int | None:
        """See `Blobs`."""
        path = self.path(content, generation)
        with _failing("look at"):
            try:
                return os.stat(path).st_size
            except FileNotFoundError:
                if self._bring_back(path):
                    return os.stat(path).st_size
                self._see_that_it_is_there()
                return None

    def trash(self, path: str, day: str) -> None:
        """See `Blobs`."""
        target = os.path.join(self._folder, TRASH, day)
        with _failing("move"), contextlib.suppress(FileNotFoundError):
            private_files.make_folder(target)
            os.rename(os.path.join(self._folder, path), os.path.join(target, os.path.basename(path)))

    def empty_trash(self, before: str, limit: int) -> int:
        """See `Blobs`."""
        removed = 0
        trash = os.path.join(self._folder, TRASH)
        with _failing("remove"):
            for day in _names(trash):
                if day >= before:
                    break
                names = _names(os.path.join(trash, day))[: limit - removed]
                for name in names:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(os.path.join(trash, day, name))
                removed += len(names)
                if removed >= limit:
                    break
                with contextlib.suppress(OSError):  # another collector put something into it
                    os.rmdir(os.path.join(trash, day))
        return removed

    def remove(self, path: str) -> None:
        """See `Blobs`."""
        with _failing("remove"), contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self._folder, path))

    def quarantine(self, content: str, generation: str) -> None:
        """See `Blobs`."""
        aside = os.path.join(self._folder, QUARANTINE)
        with _failing("move"), contextlib.suppress(FileNotFoundError):
            private_files.make_folder(aside)
            path = self.path(content, generation)
            os.rename(path, os.path.join(aside, os.path.basename(path)))

    def read_mark(self) -> bytes | None:
        """See `Blobs`."""
        with _failing("read"):
            mark = private_files.read(self._mark)
        self._marked = self._marked or mark is not None
        return mark

    def write_mark(self, mark: bytes) -> None:
        """See `Blobs`."""
        self._see_that_it_is_there()
        try:
            private_files.write_atomically(self._mark, mark)
        except OSError as error:
            raise _full(error) from error
        private_files.restrict_access(self._folder, private_files.FOLDER)
        self._marked = True

    def _see_that_it_is_there(self) -> None:
        """Tell a folder that is not there any more from one that lacks a file.

        Raises:
            ServerBusy: it had a mark and has none: it was unmounted, moved or removed.
        """
        if self._marked and not os.path.exists(self._mark):
            raise Busy(
                f"the folder of blobs {self._folder} is not there, or not the one it was; mount it again, or say where "
                "it is with --blobs",
                retry_after=5.0,
            )

    def files(self, after: str = "") -> Iterator[BlobFile]:
        """See `Blobs`."""
        first = after.partition("/")[0]
        with _failing("list"):
            for folder in _names(self._folder):
                if folder >= first and f"{folder}/" not in {QUARANTINE, TRASH}:
                    for name in _names(os.path.join(self._folder, folder)):
                        if f"{folder}/{name}" > after:
                            yield _found(folder, name)


def _found(folder: str, name: str) -> BlobFile:
    content = hash_from_name(name)
    return BlobFile(f"{folder}/{name}", content, name if content is None else name.partition(".")[2])


def _names(folder: str) -> list[str]:
    """The names in a folder, sorted; none in what is no folder, or gone."""
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _write(stream: BinaryIO, path: str, probe: Probe | None) -> tuple[bytes, int, Any]:
    """Write a new read-only file; gives its sha256, its size, and what was probed in it."""
    digest = hashlib.sha256()
    size = 0
    with open(path, "x+b", buffering=0, opener=private_files.opener) as file:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
            view = memoryview(chunk)
            while view:
                view = view[file.write(view) :]
        os.fchmod(file.fileno(), 0o400)
        probed = None
        if probe is not None:
            file.seek(0)
            with contextlib.closing(io.BufferedReader(file)) as reader:
                probed = probe(reader)
    return digest.digest(), size, probed


def _place(written: str, target: str) -> None:
    try:
        os.rename(written, target)
    except FileNotFoundError:  # the first of its folder
        private_files.make_folder(os.path.dirname(target))
        os.rename(written, target)


def _full(error: OSError) -> ServerBusy:
    return StorageFull(f"the server cannot keep the file: {error}")


@contextlib.contextmanager
def _failing(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageFailed(f"the server cannot {what} the file: {error}") from error
