"""Make files durable: one at a time, or a whole file system at once, which costs the same for many files as for few."""

from __future__ import annotations

import ctypes
import errno
import functools
import os
from collections.abc import Callable


def sync(path: str) -> None:
    """Make a file's content, or a folder's entries, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@functools.cache
def _syncfs() -> Callable[[int], int] | None:
    """Return the system call, None where it does not exist: it is Linux only."""
    return getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


def sync_all(folder: str) -> bool:
    """Make everything written to a folder's file system durable; return False where that is not supported.

    Raises:
        OSError: something could not be written.
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
