"""Small files that are replaced atomically, framed like a journal's lines.

Content that fits into a page is overwritten in place with one `write()`, which no signal interrupts; longer content is
replaced by rename (which flushes the disk on some file systems: too slow to do for every record). A reader sees the old
content or the new, never a part; damaged content counts as none.
"""

from __future__ import annotations

import contextlib
import errno
import os

from autoflow.outbox import frame

_FULL = {errno.ENOSPC, errno.EDQUOT}
_BLOCK = 512  # bytes, of st_blocks
_PAGE = 4096


def write(path: str, content: bytes) -> None:
    """Replace a file that only its owner can read.

    If the disk is full, overwrite in place (not crash-safe).

    Args:
        path: the file; one writer at a time, because the new content is written to a file beside it first.
        content: one line of text.

    Raises:
        OSError: it cannot be written, and is unchanged.
    """
    line = frame.encode(content)
    if len(line) <= _PAGE and _overwrite(path, line):
        return
    try:
        _replace(path, line)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(f"{path}.new")
        if error.errno not in _FULL or not _overwrite(path, line):
            raise


def _replace(path: str, line: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(f"{path}.new", flags, 0o600)
    try:
        if os.write(descriptor, line) != len(line):
            raise OSError(errno.ENOSPC, "short write", path)
    finally:
        os.close(descriptor)
    os.replace(f"{path}.new", path)


def _overwrite(path: str, line: bytes) -> bool:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        if os.fstat(descriptor).st_blocks * _BLOCK < len(line):
            return False
        return os.pwrite(descriptor, line, 0) == len(line)  # the rest of a longer content is ignored
    except OSError:
        return False
    finally:
        os.close(descriptor)


def read(path: str) -> bytes | None:
    """Return a file's content; None when there is no file, or it is damaged.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            content = file.read()
    except FileNotFoundError:
        return None
    return frame.decode(content.partition(b"\n")[0]).body
