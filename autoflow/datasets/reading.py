"""Reading a file of somebody else's: whole, and as it was at one moment, or not at all."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from typing import NamedTuple

from autoflow.datasets import tree
from autoflow.errors import FolderError
from autoflow.wire.content_hash import encode_hash

TRIES = 3
PAUSE = 0.05  # seconds before the second try, and so much more before each further one
LARGE = 32 * 1024 * 1024  # bytes: above, a file is hashed in parts and not kept in memory
_CHUNK = 1024 * 1024


class Content(NamedTuple):
    """A file's content.

    Args:
        hash: base64(sha256), as the wire names contents.
        size: in bytes.
        stamp: the file's as it was read; empty when a later change might not show in it.
        kept: the bytes, None of a large file.
    """

    hash: str
    size: int
    stamp: bytes
    kept: bytes | None


def read(path: str, *, follow: bool = False, keep: int | None = LARGE) -> Content:
    """Read a file; one that changes meanwhile is read again.

    Args:
        path: of the file.
        follow: whether it may be a symbolic link.
        keep: up to which size the bytes are wanted beside their hash; None for any.

    Raises:
        FolderError: it cannot be read, is no regular file, or kept changing.
    """
    try:
        for number in range(TRIES):
            time.sleep(number * PAUSE)
            if (content := _once(path, follow, keep)) is not None:
                return content
    except OSError as error:
        raise FolderError(
            f"{path!r} cannot be read ({error.strerror}): let it be read, or move it away, and try again"
        ) from error
    raise FolderError(f"{path!r} changes while it is read: wait until whoever writes it is done, and try again")


def _once(path: str, follow: bool, keep: int | None) -> Content | None:
    """Read it once; None when it changed meanwhile."""
    looked = tree.clock()
    # not blocking: a pipe that took the file's place would be waited for
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise FolderError(f"{path!r} is no longer a regular file: put it back, and try again")
        whole = keep is None or before.st_size <= keep
        digest = hashlib.sha256()
        kept: list[bytes] = []
        size = 0
        while chunk := os.read(descriptor, min(max(before.st_size - size, 0) + 1, _CHUNK)):
            digest.update(chunk)
            size += len(chunk)
            if whole:
                kept.append(chunk)
            if size > before.st_size:  # it grows, perhaps for ever
                return None
        stamp = tree.stamp(os.fstat(descriptor))
    finally:
        os.close(descriptor)
    if size != before.st_size or stamp != tree.stamp(before):
        return None
    name = encode_hash(digest)
    data = (kept[0] if len(kept) == 1 else b"".join(kept)) if whole else None
    return Content(name, size, stamp if tree.settled(stamp, looked) else b"", data)
