"""Writers of one process take turns: where SQLite lets many wait it is a lottery, and one that loses for long fails."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

from autoflow.server.errors import Busy

TIMEOUT = 20.0  # seconds; a client's own is longer


class WriteLock:
    """Lets one writer in at a time; a forked child begins anew, as whoever had the turn is not in it."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._pid = os.getpid()

    @contextlib.contextmanager
    def taking(self) -> Iterator[None]:
        """Around one transaction that writes.

        Raises:
            ServerBusy: the others took too long.
        """
        if self._pid != os.getpid():
            self._turn = threading.Lock()
            self._pid = os.getpid()
        turn = self._turn
        if not turn.acquire(timeout=TIMEOUT):
            raise Busy("the server has too much to write now", retry_after=1.0)
        try:
            yield
        finally:
            turn.release()
