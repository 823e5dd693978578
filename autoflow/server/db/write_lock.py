"""An in-process lock for writers: SQLite's lock waits are unfair, and this lock prevents starvation."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

from autoflow.server.errors import Busy

TIMEOUT = 20.0  # seconds; a client's own is longer


class WriteLock:
    """Admits one writer at a time; a forked child gets a new lock, as the thread that held it is not in the child."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = os.getpid()

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Hold the lock for one write transaction.

        Raises:
            Busy: other writers held it for `TIMEOUT` seconds.
        """
        if self._pid != os.getpid():
            self._lock = threading.Lock()
            self._pid = os.getpid()
        lock = self._lock
        if not lock.acquire(timeout=TIMEOUT):
            raise Busy("the server has too much to write now", retry_after=1.0)
        try:
            yield
        finally:
            lock.release()
