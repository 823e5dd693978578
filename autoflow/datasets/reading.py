"""Consistent reads of files that other processes may write: a file is read completely and unchanged, or not at all."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from autoflow.datasets import tree
from autoflow.errors import FolderError
from autoflow.wire.content_hash import encode_hash

ATTEMPTS = 3
PAUSE = 0.05  # seconds before the second attempt; each further pause is longer by as much
LARGE = 32 * 1024 * 1024  # bytes: larger files are hashed in chunks and not kept in memory
_CHUNK = 1024 * 1024

T = TypeVar("T")


class Content(NamedTuple):
    """The content of a file.

    Args:
        hash: base64(sha256), as on the wire.
        size: in bytes.
        stamp: stamp of the file when it was read; empty if a later change might not change it.
        data: the bytes, None for a large file.
    """

    hash: str
    size: int
    stamp: bytes
    data: bytes | None


def read(path: str, *, follow: bool = False, max_kept: int | None = LARGE) -> Content:
    """Read a file; if it changes meanwhile, read it again.

    Args:
        path: the file.
        follow: whether it may be a symbolic link.
        max_kept: maximal size in bytes up to which the data is returned beside its hash; None for no limit.

    Raises:
        FolderError: it cannot be read, is not a regular file, or keeps changing.
    """
    try:
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(attempt * PAUSE)
            if (content := _read_once(path, follow, max_kept)) is not None:
                return content
    except OSError as error:
        raise FolderError(
            f"{path!r} cannot be read ({error.strerror}): make it readable, or move it away, and try again"
        ) from error
    raise FolderError(f"{path!r} changes while it is read: wait until it is written completely, and try again")


def _read_once(path: str, follow: bool, max_kept: int | None) -> Content | None:
    """Read a file once; return None if it changed meanwhile."""
    started_at = tree.clock()
    # non-blocking, so that open() does not hang if the file was replaced by a named pipe
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise FolderError(f"{path!r} is no longer a regular file: restore it, and try again")
        is_kept = max_kept is None or before.st_size <= max_kept
        digest = hashlib.sha256()
        chunks: list[bytes] = []
        size = 0
        while (not size or size < before.st_size) and (
            chunk := os.read(descriptor, min(before.st_size - size + 1, _CHUNK))
        ):
            digest.update(chunk)
            size += len(chunk)
            if is_kept:
                chunks.append(chunk)
            if size > before.st_size:  # it grows, perhaps without end
                return None
        stamp = tree.make_stamp(os.fstat(descriptor))
    finally:
        os.close(descriptor)
    if size != before.st_size or stamp != tree.make_stamp(before):
        return None
    data = (chunks[0] if len(chunks) == 1 else b"".join(chunks)) if is_kept else None
    return Content(encode_hash(digest), size, stamp if tree.is_settled(stamp, started_at) else b"", data)


def prefetch(values: Iterator[T]) -> Iterator[T]:
    """Yield the values of an iterator; the next one is computed in a thread while the current one is used."""
    with ThreadPoolExecutor(1, "autoflow-folder") as pool:
        pending = pool.submit(next, values, None)
        while (value := pending.result()) is not None:
            pending = pool.submit(next, values, None)
            yield value
