"""What a forked child must not inherit: a lock somebody holds, and an import that is half done.

Whoever held a lock in the parent is no thread of the child, so the child would wait for it for ever; and a module
that a thread of the parent was importing could never be imported in the child, by us or by the app. Locks here are a
process's own. Imports that autoflow makes in a thread of its own are made with forks put off.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from types import TracebackType

PATIENCE = 5.0  # seconds a fork waits for an import of ours

_locks: weakref.WeakSet[ProcessLock] = weakref.WeakSet()
_in_child: list[Callable[[], None]] = []


class ProcessLock:
    """A lock that a forked child finds free, however it was forked.

    It is re-entrant: a signal handler and a `__del__` of the app's may record in the middle of our own work.
    """

    def __init__(self) -> None:
        self._of: dict[int, threading.RLock] = {}  # by process: a fork without Python's knowledge runs no hook
        _locks.add(self)

    def __enter__(self) -> None:
        pid = os.getpid()
        (self._of.get(pid) or self._of.setdefault(pid, threading.RLock())).acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._of[os.getpid()].release()

    def renew(self) -> None:
        """Forget the locks of other processes: numbers are given again, also to one's own descendants."""
        self._of.clear()


def in_child(callback: Callable[[], None]) -> Callable[[], None]:
    """Have something done in a forked child, when Python knows of the fork."""
    _in_child.append(callback)
    return callback


_known = os.getpid()  # the process that Python last knew of


def announced() -> bool:
    """Whether Python knows that it is in this process.

    A server may fork in C without telling it. Its lock may then still wait for a thread that is not there, and a
    thread started beside it may wait for ever, and its starter with it.
    """
    return os.getpid() == _known


_importing = threading.RLock()
_put_off = threading.local()


@contextlib.contextmanager
def put_off() -> Iterator[None]:
    """Have forks wait until the block ends, `PATIENCE` seconds at the most. For imports in a thread of ours."""
    with _importing:
        yield


def _before() -> None:
    _put_off.held = _importing.acquire(timeout=PATIENCE)


def _after_in_parent() -> None:
    if _put_off.held:
        _importing.release()


def _after_in_child() -> None:
    global _importing, _known
    _known = os.getpid()
    _importing = threading.RLock()
    for lock in list(_locks):
        lock.renew()
    for callback in _in_child:
        callback()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
