"""Who sends a journal: the holder of its lock file.

POSIX record locks: they vanish with the process that holds them, also when a forked child still has the descriptor
open, and a forked child does not inherit them. The price: closing *any* descriptor of the file in the holder
drops the lock, so a lock file is opened here only, and never twice in one process.
"""

from __future__ import annotations

import contextlib
import os

from autoflow.forks import ProcessLock, in_child
from autoflow.posix import fcntl
from autoflow.transport.descriptors import Held, hold, raise_high

_held: dict[str, tuple[int, Held]] = {}  # path -> process and descriptor
_taking = ProcessLock()


def take(path: str) -> bool:
    """Take the lease if nobody living has it; True when this process now holds it.

    Raises:
        OSError: the lock file cannot be made (no space, no permission, a link).
    """
    with _taking:
        pid, held = _held.get(path, (0, None))
        if pid == os.getpid() and held is not None and held.ours:
            return False  # ours already, through another journal object; asking again would drop it
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        # high before it is locked: closing a second descriptor of the file would drop the lock
        descriptor = raise_high(os.open(path, flags, 0o600))
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            os.close(descriptor)
            return False
        _held[path] = os.getpid(), hold(descriptor)
        return True


def held(path: str) -> bool:
    """Whether somebody living has the lease; asks by taking it for an instant, unless it is ours.

    Raises:
        OSError: the lock file cannot be opened.
    """
    own = _held.get(path)
    if own is not None and own[0] == os.getpid():
        return True
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return True
    finally:
        os.close(descriptor)
    return False


def release(path: str, *, remove: bool = False) -> None:
    """Give the lease back; with `remove` the lock file goes too, while it is still ours."""
    with _taking:
        pid, held = _held.pop(path, (0, None))
        if pid != os.getpid() or held is None:
            return
        with contextlib.suppress(OSError):
            if remove:
                os.unlink(path)
        held.close()


@in_child
def _forget() -> None:
    """A child holds no lease of its parent's; the descriptors it inherited are of no use to it."""
    for _, held in _held.values():
        held.close()
    _held.clear()
