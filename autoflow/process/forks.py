"""Fork safety: locks that a forked child finds free, and imports that no fork interrupts.

A lock held by another thread at fork time is never released in the child, and a module that a thread of the parent was
importing can never be imported in the child, by autoflow or by the app. So locks here belong to one process, and forks
are deferred while a thread of autoflow imports.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from types import TracebackType

IMPORT_WAIT_SECONDS = 5.0  # how long a fork waits for an import of autoflow's

_locks: weakref.WeakSet[ProcessLock] = weakref.WeakSet()
_in_child: list[Callable[[], None]] = []


class ProcessLock:
    """A lock that a forked child finds free, however it was forked.

    It is re-entrant: a signal handler or a `__del__` of the app's may record while autoflow holds it.
    """

    def __init__(self) -> None:
        self._of: dict[int, threading.RLock] = {}  # by process: a fork in C code runs no hook
        _locks.add(self)

    def __enter__(self) -> None:
        pid = os.getpid()
        (self._of.get(pid) or self._of.setdefault(pid, threading.RLock())).acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._of[os.getpid()].release()

    def renew(self) -> None:
        """Drop the locks of other processes: process numbers are reused, also for descendants of this process."""
        self._of.clear()


def in_child(callback: Callable[[], None]) -> Callable[[], None]:
    """Register a callback to run in each forked child that Python knows of."""
    _in_child.append(callback)
    return callback


_known_pid = os.getpid()  # the process as of the last fork that Python knows of


def fork_is_known() -> bool:
    """Return whether Python knows of the fork that made this process; True also when there was none.

    A server may fork in C code without running Python's fork hooks. Python's own locks may then still be held for a
    thread that does not exist here, so a thread started in such a process may block forever, and its starter with it.
    """
    return os.getpid() == _known_pid


_importing = threading.RLock()
_fork = threading.local()


@contextlib.contextmanager
def defer_forks() -> Iterator[None]:
    """Make forks wait until the block ends, at most `IMPORT_WAIT_SECONDS`. For imports in autoflow's threads."""
    with _importing:
        yield


def _before() -> None:
    _fork.import_locked = _importing.acquire(timeout=IMPORT_WAIT_SECONDS)


def _after_in_parent() -> None:
    if _fork.import_locked:
        _importing.release()


def _after_in_child() -> None:
    global _importing, _known_pid
    _known_pid = os.getpid()
    _importing = threading.RLock()
    for lock in list(_locks):
        lock.renew()
    for callback in _in_child:
        callback()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
