"""The limit of concurrent write transactions of a process.

It is one on SQLite, whose lock waits are unfair: waiting in the process prevents starvation. On PostgreSQL it leaves
connections to readers.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

from autoflow.server.errors import Busy

TIMEOUT = 20.0  # seconds; a client's own is longer


class WriteLock:
    """Admits so many writers at a time; a forked child gets a new lock, as the threads that held it are not in it."""

    def __init__(self, writers: int = 1) -> None:
        self._writers = writers
        self._lock = threading.BoundedSemaphore(writers)
        self._pid = os.getpid()

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Hold the lock for one write transaction.

        Raises:
            Busy: other writers held it for `TIMEOUT` seconds.
        """
        if self._pid != os.getpid():
            self._lock = threading.BoundedSemaphore(self._writers)
            self._pid = os.getpid()
        lock = self._lock
        if not lock.acquire(timeout=TIMEOUT):
            raise Busy("the server has too much to write now", retry_after=1.0)
        try:
            yield
        finally:
            lock.release()
