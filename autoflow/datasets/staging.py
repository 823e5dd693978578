"""Hidden folders that a restore writes to before it renames them; a later restore removes those of a killed one.

A folder is locked as long as its process works, so that one whose lock is free was left behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator

_PREFIX = ".autoflow-restore-"


@contextlib.contextmanager
def staging_folder(parent: str) -> Iterator[str]:
    """Create a hidden folder in another one, which is created if need be; remove it, unless it was renamed."""
    os.makedirs(parent, exist_ok=True)
    _remove_orphans(parent)
    path, lock = _create(parent)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def _create(parent: str) -> tuple[str, int]:
    """Return a new folder and the descriptor that locks it."""
    while True:
        path = os.path.join(parent, f"{_PREFIX}{secrets.token_hex(8)}")
        os.mkdir(path)
        with contextlib.suppress(FileNotFoundError):
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            if _locks(lock) is not False and os.path.exists(path):  # no other process takes it for an orphan
                return path, lock
            os.close(lock)


def _locks(descriptor: int) -> bool | None:
    """Lock a folder; return False if another process has, None if its file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _remove_orphans(parent: str) -> None:
    """Remove the folders of processes that were killed."""
    orphans = [name for name in os.listdir(parent) if name.startswith(_PREFIX)]
    for name in orphans:
        path = os.path.join(parent, name)
        with contextlib.suppress(OSError):  # another process was first, or another user's
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if _locks(descriptor):
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(descriptor)
