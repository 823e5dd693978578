"""Leases on journals: the process that holds a journal's lock file sends it.

The locks are POSIX record locks: they end with the process that holds them, even if a forked child has the descriptor
open, and a child does not inherit them. But closing *any* descriptor of the file in the holder drops the lock, so a
lock file is opened in this module only, and never twice in a process.

A stopped process keeps its locks. So that it does not hold a dead writer's journal forever, such a lease can be taken
over by replacing the lock file. The file's inode is the fencing token: a holder that finds another inode at the path
has lost the lease (`lost`), and sends no more of the journal and writes no progress.
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


STALE_SECONDS = 600.0  # without progress, after which an adopted journal may be taken over; longer than any request
CONTENT_BYTES = 4096


class Holder(NamedTuple):
    """The holder of a lease, from its lock file.

    Args:
        pid, host: the process.
        adopted: it sends the journal of a dead writer, and does not write to it.
        renewed: time of its last progress, in seconds since the epoch.
    """

    pid: int
    host: str
    adopted: bool
    renewed: float

    @property
    def state(self) -> str:
        """``stopped`` or ``running``; empty when unknown."""
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
        return self.adopted and (self.state == "stopped" or time.time() - self.renewed > STALE_SECONDS)

    def __str__(self) -> str:
        state = self.state
        return f"process {self.pid} on {self.host}" + (f" ({state})" if state else "")


def take(path: str, *, adopted: bool = False) -> bool:
    """Take the lease unless a living process holds it; return whether this call took it.

    Args:
        path: the lock file.
        adopted: the journal's writer is dead. Such a lease is also taken over from a stalled holder.

    Raises:
        OSError: the lock file cannot be created (no space, no permission, a link).
    """
    with _taking:
        pid, held = _held.get(path, (0, None))
        if pid == os.getpid() and held is not None and held.ours:
            return False  # held by another journal object of this process; opening the file again would drop it
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        # moved before it is locked: closing the first descriptor would drop the lock
        descriptor = move_high(os.open(path, flags, 0o600))
        if not _locks(descriptor):
            os.close(descriptor)
            stolen = _take_over(path) if adopted else -1
            if stolen < 0:
                return False
            descriptor = stolen
        content = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "adopted": adopted})
        with contextlib.suppress(OSError):  # on a full disk the holder stays unknown
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
    """Replace the lock file of a stalled holder; return the descriptor, or -1 when the holder is not stalled."""
    with locked(os.path.dirname(path)):
        current = holder(path)
        if current is None or not current.stalled:
            return -1
        fresh = f"{path}.{os.urandom(8).hex()}"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = move_high(os.open(fresh, flags, 0o600))
        _locks(descriptor)
        os.replace(fresh, path)
        return descriptor


def holder(path: str) -> Holder | None:
    """Return the holder of a lease from its lock file; None when the file does not name one.

    The file of a lease of this process is not opened: closing it would drop the lock.

    Raises:
        OSError: the lock file cannot be read.
    """
    pid, _ = _held.get(path, (0, None))
    if pid == os.getpid():
        return Holder(pid, socket.gethostname(), adopted=False, renewed=time.time())
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
    """Renew a lease of this process: note that it makes progress."""
    pid, held = _held.get(path, (0, None))
    if pid == os.getpid() and held is not None and held.ours:
        with contextlib.suppress(OSError):
            os.utime(held.number)


def lost(path: str) -> bool:
    """Return whether a lease that this process took has been taken over by another."""
    pid, held = _held.get(path, (0, None))
    if pid != os.getpid() or held is None:
        return False
    try:
        status = os.stat(path, follow_symlinks=False)
    except OSError:
        return True
    return (status.st_dev, status.st_ino) != (held.device, held.inode)


def held(path: str) -> bool:
    """Return whether a living process holds the lease, by trying to lock it, unless this process does.

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
    """Release the lease; with `remove`, delete the lock file too unless the lease was lost."""
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
    """Forget the parent's leases in a child, and close the inherited descriptors."""
    for _, held in _held.values():
        held.close()
    _held.clear()
