"""Small files that are whole or not there: framed like a journal's lines.

What fits into a page is written over in place, in one `write()`, which no signal cuts short; what is longer is
replaced by rename (which costs a flush of the disk on some file systems, too much for once a record). A reader sees
the old content or the new one, never a half; content that was damaged on the disk counts as none.
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
    """Replace a file; only its owner reads it.

    On a full disk the file is written over in the room it has: a crash in that very moment leaves none.

    Args:
        path: the file; only one writer at a time, for the new content is gathered beside it.
        content: one line of text.

    Raises:
        OSError: it cannot be written, and is as it was.
    """
    line = frame.encode(content)
    if len(line) <= _PAGE and _write_over(path, line):
        return
    try:
        _replace(path, line)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(f"{path}.new")
        if error.errno not in _FULL or not _write_over(path, line):
            raise


def _replace(path: str, line: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(f"{path}.new", flags, 0o600)
    try:
        if os.write(descriptor, line) != len(line):
            raise OSError(errno.ENOSPC, "could not be written whole", path)
    finally:
        os.close(descriptor)
    os.replace(f"{path}.new", path)


def _write_over(path: str, line: bytes) -> bool:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        if os.fstat(descriptor).st_blocks * _BLOCK < len(line):
            return False
        return os.pwrite(descriptor, line, 0) == len(line)  # what is left of a longer content is passed over
    except OSError:
        return False
    finally:
        os.close(descriptor)


def read(path: str) -> bytes | None:
    """A file's content; None when there is none, or it is damaged.

    Raises:
        OSError: there is a file and it cannot be read.
    """
    try:
        with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            content = file.read()
    except FileNotFoundError:
        return None
    return frame.decode(content.partition(b"\n")[0]).body
