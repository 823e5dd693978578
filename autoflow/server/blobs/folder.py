"""A blob store in a folder of this machine: read-only files, written under a temporary name, then renamed.

A rename is not durable; `sync` makes files durable, many of them by one sync of the file system. A process that is
killed before leaves files that no row names, which the garbage collector removes.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
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
    is_erased,
)
from autoflow.server.errors import Busy, StorageFailed, StorageFull
from autoflow.wire.content_hash import encode_hash

SYNC_ALL_FROM = 8  # files from which on one sync of the whole file system is cheaper
_NEW = "new"
_READ_ONLY = 0o400
_TRIAL_BYTES = 4096  # a block: fewer may fit into an inode of a full disk


class FolderBlobStore:
    """A blob store in a folder, which is created when the first blob is written."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._mark = os.path.join(folder, MARK)
        self._marked = False
        self._parent_is_synced = False

    @property
    def address(self) -> str:
        """See `BlobStore`."""
        return self._folder

    def path(self, blob_hash: str, generation: str) -> str:
        """Return the path of a blob's file."""
        return os.path.join(self._folder, blob_path(blob_hash, generation))

    def receive(self, stream: BinaryIO, generation: str, probe: Probe | None = None) -> ReceivedBlob:
        """See `BlobStore`."""
        self._check_mounted()
        temporary = f"{self._folder}/{_NEW}/{generation}"
        try:
            blob_hash, size, probed = _write(stream, temporary, probe)
            received = ReceivedBlob(blob_hash, size, generation, probed)
            _rename(temporary, self.path(received.hash, generation))
        except BaseException as error:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            if not isinstance(error, OSError):  # the stream's: its client has disconnected, or sent no form
                raise
            raise _storage_full(error) from error
        return received

    def sync(self, received: Sequence[ReceivedBlob]) -> None:
        """See `BlobStore`."""
        paths = [self.path(blob.hash, blob.generation) for blob in received]
        try:
            if len(paths) >= SYNC_ALL_FROM and self._syncs_at_once and durable.sync_all(self._folder):
                return
            for path in paths:
                durable.sync(path)
            for folder in sorted({os.path.dirname(path) for path in paths}):
                durable.sync(folder)
            if paths:
                durable.sync(self._folder)
                self._sync_parent()
        except OSError as error:
            raise _storage_full(error) from error

    @functools.cached_property
    def _syncs_at_once(self) -> bool:
        """Return whether syncing the file system costs this machine's writes alone, not those of other machines."""
        return file_system.file_system_type(self._folder) not in file_system.NETWORK

    def _sync_parent(self) -> None:
        """Make the folder's own entry durable; once, as the folder is created once."""
        if not self._parent_is_synced:
            durable.sync(os.path.dirname(self._folder))
            self._parent_is_synced = True

    def discard(self, received: ReceivedBlob) -> None:
        """See `BlobStore`."""
        with contextlib.suppress(OSError):
            os.unlink(self.path(received.hash, received.generation))

    def read(self, blob_hash: str, generation: str, start: int, stop: int) -> Iterator[bytes]:
        """See `BlobStore`; once opened, the file can be read to its end even if it is deleted."""
        with _translate_errors("read"), self._open(blob_hash, generation) as file:
            file.seek(start)
            while start < stop and (chunk := file.read(min(CHUNK_BYTES, stop - start))):
                start += len(chunk)
                yield chunk

    def _open(self, blob_hash: str, generation: str) -> BinaryIO:
        path = self.path(blob_hash, generation)
        try:
            return open(path, "rb", buffering=0)
        except FileNotFoundError:
            if not self._restore_from_trash(path):
                raise
            return open(path, "rb", buffering=0)

    def _restore_from_trash(self, path: str) -> bool:
        """Move a file back if it is in the trash; return whether it was."""
        trash = os.path.join(self._folder, TRASH)
        for day in _names(trash):
            with contextlib.suppress(FileNotFoundError):
                os.rename(os.path.join(trash, day, os.path.basename(path)), path)
                return True
        return False

    def size(self, blob_hash: str, generation: str) -> int | None:
        """See `BlobStore`."""
        path = self.path(blob_hash, generation)
        with _translate_errors("read"):
            try:
                return os.stat(path).st_size
            except FileNotFoundError:
                if self._restore_from_trash(path):
                    return os.stat(path).st_size
                self._check_mounted()
                return None

    def trash(self, path: str, day: str) -> None:
        """See `BlobStore`."""
        target = os.path.join(self._folder, TRASH, day)
        with _translate_errors("move"), contextlib.suppress(FileNotFoundError):
            private_files.make_folder(target)
            os.rename(os.path.join(self._folder, path), os.path.join(target, os.path.basename(path)))

    def empty_trash(self, before: str, limit: int) -> int:
        """See `BlobStore`."""
        removed = 0
        trash = os.path.join(self._folder, TRASH)
        with _translate_errors("remove"):
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
                with contextlib.suppress(OSError):  # another collector has moved a file to it
                    os.rmdir(os.path.join(trash, day))
        return removed

    def erase(self, blob_hash: str, keeps: Callable[[str], bool]) -> int:
        """See `BlobStore`."""
        trash = os.path.join(self._folder, TRASH)
        folders = [os.path.join(trash, day) for day in _names(trash)]
        folders += [os.path.join(self._folder, QUARANTINE), os.path.dirname(self.path(blob_hash, ""))]
        removed = 0
        with _translate_errors("remove"):
            for folder in folders:
                names = [name for name in _names(folder) if is_erased(name, blob_hash, keeps)]
                for name in names:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(os.path.join(folder, name))
                        removed += 1
                if names:
                    durable.sync(folder)
        return removed

    def remove(self, path: str) -> None:
        """See `BlobStore`."""
        with _translate_errors("remove"), contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self._folder, path))

    def quarantine(self, blob_hash: str, generation: str) -> None:
        """See `BlobStore`."""
        aside = os.path.join(self._folder, QUARANTINE)
        with _translate_errors("move"), contextlib.suppress(FileNotFoundError):
            private_files.make_folder(aside)
            path = self.path(blob_hash, generation)
            os.rename(path, os.path.join(aside, os.path.basename(path)))

    def read_mark(self) -> bytes | None:
        """See `BlobStore`."""
        with _translate_errors("read"):
            mark = private_files.read(self._mark)
        self._marked = self._marked or mark is not None
        return mark

    def write_mark(self, mark: bytes) -> None:
        """See `BlobStore`."""
        self._check_mounted()
        try:
            private_files.write_atomically(self._mark, mark)
        except OSError as error:
            raise _storage_full(error) from error
        private_files.restrict_access(self._folder, private_files.FOLDER)
        self._marked = True

    def _check_mounted(self) -> None:
        """Check that the folder still exists, so that a missing folder is not taken for a missing file.

        Raises:
            ServerBusy: it had a mark and has none: it was unmounted, moved or removed.
        """
        if self._marked and not os.path.exists(self._mark):
            raise Busy(
                f"the folder of blobs {self._folder} is missing or was replaced; mount it again, or pass its new path "
                "with --blobs",
                retry_after=5.0,
            )

    def check_writable(self) -> None:
        """See `BlobStore`; the file has no name, so nothing remains of it."""
        self._check_mounted()
        new = os.path.join(self._folder, _NEW)
        try:
            private_files.make_folder(new)
            with tempfile.TemporaryFile(dir=new, buffering=0) as file:
                file.write(bytes(_TRIAL_BYTES))
        except OSError as error:
            raise _storage_full(error) from error

    def files(self, after: str = "") -> Iterator[BlobFile]:
        """See `BlobStore`."""
        first = after.partition("/")[0]
        with _translate_errors("list"):
            for folder in _names(self._folder):
                if folder >= first and f"{folder}/" not in {QUARANTINE, TRASH}:
                    for name in _names(os.path.join(self._folder, folder)):
                        if f"{folder}/{name}" > after:
                            yield _blob_file(folder, name)


def _blob_file(folder: str, name: str) -> BlobFile:
    blob_hash = hash_from_name(name)
    return BlobFile(f"{folder}/{name}", blob_hash, name if blob_hash is None else name.partition(".")[2])


def _names(folder: str) -> list[str]:
    """Return the names in a folder, sorted; none if it is missing or not a folder."""
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _write(stream: BinaryIO, path: str, probe: Probe | None) -> tuple[str, int, Any]:
    """Write a new read-only file; return its hash, its size, and the probe's result."""
    digest = hashlib.sha256()
    size = 0
    descriptor = _create(path)
    try:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
            written = os.write(descriptor, chunk)
            while written < len(chunk):
                written += os.write(descriptor, memoryview(chunk)[written:])
        probed = None
        if probe is not None:
            os.lseek(descriptor, 0, os.SEEK_SET)
            with open(descriptor, "rb", closefd=False) as reader:
                probed = probe(reader)
    finally:
        os.close(descriptor)
    return encode_hash(digest), size, probed


def _create(path: str) -> int:
    """Return the descriptor of a new file that later can be read only."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        return os.open(path, flags, _READ_ONLY)
    except FileNotFoundError:  # the first file of its folder
        private_files.make_folder(os.path.dirname(path))
        return os.open(path, flags, _READ_ONLY)


def _rename(source: str, target: str) -> None:
    try:
        os.rename(source, target)
    except FileNotFoundError:  # the first file of its folder
        private_files.make_folder(os.path.dirname(target))
        os.rename(source, target)


def _storage_full(error: OSError) -> ServerBusy:
    return StorageFull(f"the server cannot write the file: {error}")


@contextlib.contextmanager
def _translate_errors(action: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageFailed(f"the server cannot {action} the file: {error}") from error
