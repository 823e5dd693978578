"""Who sends a journal: the holder of its lock file.

POSIX record locks: they vanish with the process that holds them, also when a forked child still has the descriptor
open, and a forked child does not inherit them. The price: closing *any* descriptor of the file in the holder
drops the lock, so a lock file is opened here only, and never twice in one process.

A process that is stopped keeps its locks. It must not keep a dead writer's journal for ever: such a lease can be taken
over by putting another lock file in its place. The lock file's inode is the fence: who finds another one at the path
has lost the lease (`lost`), sends no more of the journal and writes no progress.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from typing import NamedTuple

from autoflow.outbox.progress import locked
from autoflow.process.file_descriptors import OwnedFd, move_high, own_fd
from autoflow.process.forks import ProcessLock, in_child
from autoflow.process.posix import fcntl

_held: dict[str, tuple[int, OwnedFd]] = {}  # path -> process and descriptor
_taking = ProcessLock()


STALE_SECONDS = 600.0  # without a sign of life of who sends an adopted journal; longer than any request
CONTENT_BYTES = 4096


class Holder(NamedTuple):
    """Who holds a lease, as its lock file says.

    Args:
        pid, host: the process.
        adopted: it sends the journal of a writer that is gone, and does not write to it.
        seen: when it last made progress, in seconds since the epoch.
    """

    pid: int
    host: str
    adopted: bool
    seen: float

    @property
    def state(self) -> str:
        """``stopped`` or ``running``; empty where the system does not say."""
        if self.host != socket.gethostname():
            return ""
        try:
            with open(f"/proc/{self.pid}/stat", "rb") as file:
                letter = file.read().rpartition(b")")[2].split()[0]
        except (OSError, IndexError):
            return ""
        return "stopped" if letter in {b"T", b"t"} else "running"

    @property
    def stalled(self) -> bool:
        """Whether another process may take the lease over."""
        return self.adopted and (self.state == "stopped" or time.time() - self.seen > STALE_SECONDS)

    def __str__(self) -> str:
        state = self.state
        return f"process {self.pid} on {self.host}" + (f" ({state})" if state else "")


def take(path: str, *, adopted: bool = False) -> bool:
    """Take the lease if nobody living has it; True when this process now holds it.

    Args:
        path: the lock file.
        adopted: the journal's writer is gone. Such a lease is also taken over from a holder that makes no progress.

    Raises:
        OSError: the lock file cannot be made (no space, no permission, a link).
    """
    with _taking:
        pid, held = _held.get(path, (0, None))
        if pid == os.getpid() and held is not None and held.ours:
            return False  # ours already, through another journal object; asking again would drop it
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        # high before it is locked: closing a second descriptor of the file would drop the lock
        descriptor = move_high(os.open(path, flags, 0o600))
        if not _locks(descriptor):
            os.close(descriptor)
            stolen = _take_over(path) if adopted else -1
            if stolen < 0:
                return False
            descriptor = stolen
        content = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "adopted": adopted})
        with contextlib.suppress(OSError):  # on a full disk nobody learns who holds it
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, content.encode(), 0)
        _held[path] = os.getpid(), own_fd(descriptor)
        return True


def _locks(descriptor: int) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _take_over(path: str) -> int:
    """Put a lock file of ours in the place of a stalled holder's; its descriptor, -1 when there is no such holder."""
    with locked(os.path.dirname(path)):
        found = holder(path)
        if found is None or not found.stalled:
            return -1
        fresh = f"{path}.{os.urandom(8).hex()}"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = move_high(os.open(fresh, flags, 0o600))
        _locks(descriptor)
        os.replace(fresh, path)
        return descriptor


def holder(path: str) -> Holder | None:
    """Who holds a lease, as its file says; None when the file says nothing.

    For leases of other processes: reading one of this process would drop it.

    Raises:
        OSError: the lock file cannot be read.
    """
    pid, _ = _held.get(path, (0, None))
    if pid == os.getpid():
        return Holder(pid, socket.gethostname(), adopted=False, seen=time.time())
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        form = json.loads(os.pread(descriptor, CONTENT_BYTES, 0))
        return Holder(int(form["pid"]), str(form["host"]), bool(form["adopted"]), os.fstat(descriptor).st_mtime)
    except (ValueError, KeyError, TypeError):
        return None
    finally:
        os.close(descriptor)


def touch(path: str) -> None:
    """Give a sign of life for a lease of this process."""
    pid, held = _held.get(path, (0, None))
    if pid == os.getpid() and held is not None and held.ours:
        with contextlib.suppress(OSError):
            os.utime(held.number)


def lost(path: str) -> bool:
    """Whether a lease this process took has been taken over by another."""
    pid, held = _held.get(path, (0, None))
    if pid != os.getpid() or held is None:
        return False
    try:
        found = os.stat(path, follow_symlinks=False)
    except OSError:
        return True
    return (found.st_dev, found.st_ino) != (held.device, held.inode)


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
        remove = remove and not lost(path)
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
