"""Making files durable: one by one, or all of a file system at once, which costs many files as little as a few."""

from __future__ import annotations

import ctypes
import errno
import functools
import os
from collections.abc import Callable


def sync(path: str) -> None:
    """Make a file's bytes, or the names in a folder, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@functools.cache
def _syncfs() -> Callable[[int], int] | None:
    """The system's call, where there is one: Linux only."""
    return getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


def sync_all(folder: str) -> bool:
    """Make all that was written to a folder's file system durable; False where that cannot be asked for.

    Raises:
        OSError: something of it could not be written.
    """
    call = _syncfs()
    if call is None:
        return False
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if call(descriptor) == 0:
            return True
        code = ctypes.get_errno()
    finally:
        os.close(descriptor)
    if code == errno.ENOSYS:
        return False
    raise OSError(code, os.strerror(code), folder)
