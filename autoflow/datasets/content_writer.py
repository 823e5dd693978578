"""Writing the files of a version: cloned if the file system can, else copied or downloaded, and verified by their hash.

A clone (reflink) shares blocks with the server's file until either is changed. A file is a link to the server's file,
which can only be read, where that was asked for and the file system cannot clone.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from autoflow.errors import FolderError
from autoflow.transport.base import LocalStorage, Transport
from autoflow.transport.typed import download
from autoflow.wire.content_hash import encode_hash
from autoflow.wire.contract.folders import FOLDER_CONTENTS, FolderContentsRequest

MODES = ("auto", "reflink", "copy", "link")
_REMEDIES = {"reflink": "use mode='copy'", "link": "leave out --link, or use mode='auto'"}
_FICLONE = 0x40049409
_CHUNK = 1024 * 1024
THREADS = 2
# The file system cannot clone at all, or not these two files.
_CLONE_UNSUPPORTED = {errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS}

_LINK_UNSUPPORTED = {errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}


class ContentWriter:
    """Writes files of one version.

    Args:
        transport: the server.
        version: the version's id.
        mode: one of `MODES`.
    """

    def __init__(self, transport: Transport, version: int, mode: str) -> None:
        self._transport = transport
        self._version = version
        self._mode = mode
        self._may_clone = mode != "copy"

    def write(self, files: Sequence[tuple[str, str]]) -> None:
        """Write files by their paths and hashes; each distinct content is requested once.

        Raises:
            FolderError: a content is not available, or damaged.
        """
        paths: dict[str, list[str]] = {}
        for path, content_hash in files:
            paths.setdefault(content_hash, []).append(path)
        remaining = self._write_local(paths)
        if remaining:
            request = FolderContentsRequest(id=self._version, hashes=remaining)
            for content_hash, chunks in split_contents(download(self._transport, FOLDER_CONTENTS, request)):
                write_verified(paths[content_hash][0], chunks, content_hash)
        for first, *duplicates in paths.values():
            for path in duplicates:
                if not self._shares(first, path):
                    shutil.copyfile(first, path)

    def _write_local(self, paths: Mapping[str, Sequence[str]]) -> list[str]:
        """Clone, link or copy the contents that are on this machine; return the hashes of the others."""
        sources: dict[str, str] = {}
        if isinstance(self._transport, LocalStorage):
            sources = self._transport.local_paths(self._version, list(paths))
        to_copy: list[tuple[str, str, str]] = []
        for content_hash, source_path in sources.items():
            if not self._shares(source_path, paths[content_hash][0]):
                to_copy.append((source_path, paths[content_hash][0], content_hash))
        _copy_all(to_copy)
        remaining = [content_hash for content_hash in paths if content_hash not in sources]
        if remaining and self._mode in _REMEDIES:
            raise FolderError(
                f"the server's files are not on this machine, in a folder, or not readable: {_REMEDIES[self._mode]}"
            )
        return remaining

    def _shares(self, source_path: str, target_path: str) -> bool:
        """Clone or link a file; return False if it has to be copied."""
        return (self._may_clone and self._clone(source_path, target_path)) or (
            self._mode == "link" and _link(source_path, target_path)
        )

    def _clone(self, source_path: str, target_path: str) -> bool:
        """Clone a file; return False if the file system cannot."""
        try:
            with open(source_path, "rb") as source, open(target_path, "xb") as target:
                fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
        except OSError as error:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(target_path)
            if error.errno not in _CLONE_UNSUPPORTED:
                raise
            if self._mode == "reflink":
                raise FolderError(
                    "this file system cannot clone the server's files (reflink): use mode='copy'"
                ) from error
            self._may_clone = False
            return False
        return True


def _link(source_path: str, target_path: str) -> bool:
    """Make a file a link to another one; return False if that has as many links as its file system allows.

    Raises:
        FolderError: the file system cannot.
    """
    try:
        os.link(source_path, target_path)
    except OSError as error:
        if error.errno == errno.EMLINK:
            return False
        if error.errno not in _LINK_UNSUPPORTED:
            raise
        reason = "they are on another file system" if error.errno == errno.EXDEV else error.strerror
        raise FolderError(
            f"the server's files cannot be linked to ({reason}): choose a folder beside them, or leave out --link"
        ) from error
    return True


def _copy_all(files: Sequence[tuple[str, str, str]]) -> None:
    """Copy files by source, target and hash; in threads, as reading, hashing and writing leave the interpreter."""
    if not files:
        return
    size = -(-len(files) // THREADS)
    parts = [files[start : start + size] for start in range(0, len(files), size)]
    with ThreadPoolExecutor(len(parts), "autoflow-folder") as pool:
        list(pool.map(_copy_some, parts))


def _copy_some(files: Sequence[tuple[str, str, str]]) -> None:
    for source_path, target_path, content_hash in files:
        source = os.open(source_path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            write_verified(target_path, _chunks(source), content_hash)
        finally:
            os.close(source)


def _chunks(descriptor: int) -> Iterator[bytes]:
    """Yield the content of a file; one that is cut while it is read does not match its hash."""
    while chunk := os.read(descriptor, _CHUNK):
        yield chunk
        if len(chunk) < _CHUNK:
            return


def write_verified(path: str, chunks: Iterable[bytes], content_hash: str) -> None:
    """Write chunks to a new file and verify their hash.

    Raises:
        FolderError: the hash differs.
    """
    digest = hashlib.sha256()
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        for chunk in chunks:
            digest.update(chunk)
            written = os.write(file, chunk)
            while written < len(chunk):
                written += os.write(file, memoryview(chunk)[written:])
    finally:
        os.close(file)
    if encode_hash(digest) != content_hash:
        raise FolderError(
            f"the content of {os.path.basename(path)!r} on the server does not match its hash: "
            "run `autoflow versions verify --level 3`"
        )


def split_contents(chunks: Iterator[bytes]) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Split a response of ``autoflow.folders.contents`` into pairs of hash and content.

    Each content must be read completely before the next pair is requested.

    Raises:
        FolderError: the response is truncated.
    """
    buffer = b""
    while True:
        while b"\n" not in buffer:
            chunk = next(chunks, None)
            if chunk is None:
                if buffer:
                    raise _truncated()
                return
            buffer += chunk
        line, _, buffer = buffer.partition(b"\n")
        content_hash, _, size = line.decode("ascii").partition(" ")
        content = _Content(chunks, buffer, int(size))
        yield content_hash, content
        buffer = content.buffer


class _Content:
    """The chunks of one content; `buffer` has what was received beyond its end."""

    def __init__(self, chunks: Iterator[bytes], buffer: bytes, size: int) -> None:
        self._chunks = chunks
        self._remaining = size
        self.buffer = buffer

    def __iter__(self) -> Iterator[bytes]:
        while self._remaining:
            chunk = self.buffer or next(self._chunks, b"")
            if not chunk:
                raise _truncated()
            part, self.buffer = chunk[: self._remaining], chunk[self._remaining :]
            self._remaining -= len(part)
            yield part


def _truncated() -> FolderError:
    return FolderError("the server's response ended too early: try again")
