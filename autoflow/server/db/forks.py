"""Fork safety: SQLite tracks the locks that it holds per file and process, and a child would inherit that state.

So before a fork (`os.fork`, `multiprocessing`) a store waits briefly for its running transactions, closes its idle
connections, and starts no transaction until the fork is done. The child inherits no connection.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Iterator

FORK_WAIT = 0.1  # seconds a fork waits for running transactions


class ForkGate:
    """Counts running transactions, and blocks new ones while the process forks.

    Args:
        close_idle: closes the connections that no transaction uses.
    """

    def __init__(self, close_idle: Callable[[], object]) -> None:
        self._close_idle = close_idle
        self._free = threading.Condition()
        self._running = 0
        self._used = False
        _gates.add(self)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Count the block as a running transaction; wait first while the process forks."""
        with self._free:
            self._running += 1
            self._used = True
        try:
            yield
        finally:
            with self._free:
                self._running -= 1
                self._free.notify_all()

    def before_fork(self) -> None:
        """Wait briefly for running transactions, close idle connections, and block new transactions."""
        self._free.acquire()
        self._free.wait_for(lambda: self._running == 0, FORK_WAIT)
        if self._used:
            self._used = False
            with contextlib.suppress(Exception):  # nothing may stop the app's fork
                self._close_idle()

    def after_in_parent(self) -> None:
        """Admit transactions again."""
        self._free.release()

    def after_in_child(self) -> None:
        """Admit transactions, and forget those of the parent: their threads are not in this process."""
        self._free = threading.Condition()
        self._running = 0


_gates: weakref.WeakSet[ForkGate] = weakref.WeakSet()
_closed: list[ForkGate] = []


def _before() -> None:
    for gate in list(_gates):
        gate.before_fork()
        _closed.append(gate)


def _after_in_parent() -> None:
    while _closed:
        _closed.pop().after_in_parent()


def _after_in_child() -> None:
    while _closed:
        _closed.pop().after_in_child()


os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
