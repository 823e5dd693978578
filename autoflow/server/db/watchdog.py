"""Client-side deadlines: a database connection that does not answer in time is shut down.

The database's own timeouts do not help if the server or the network has vanished silently; nor does TCP, as long as
something in between acknowledges packets.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator

from autoflow.process.forks import ProcessLock

INTERVAL = 0.5  # seconds between two checks of the deadlines


class Watchdog:
    """Shuts down connections whose deadline has passed, from one thread that sleeps while there are none."""

    def __init__(self) -> None:
        self._lock = ProcessLock()
        self._pid = 0
        self._watched: dict[int, tuple[float, int]] = {}
        self._number = 0
        self._awake = threading.Event()

    @contextlib.contextmanager
    def watching(self, descriptor: int, seconds: float) -> Iterator[None]:
        """Shut a connection down if the block takes too long; a wait for it then ends with an error.

        Args:
            descriptor: of its socket, which stays open for as long as the block runs.
            seconds: the time limit of the block.
        """
        with self._lock:
            self._ensure_thread()
            self._number += 1
            number = self._number
            self._watched[number] = time.monotonic() + seconds, descriptor
            self._awake.set()
        try:
            yield
        finally:
            with self._lock:
                self._watched.pop(number, None)

    def _ensure_thread(self) -> None:
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._watched = {}
            self._awake = threading.Event()
            threading.Thread(target=self._run, args=(self._awake,), name="autoflow-watchdog", daemon=True).start()

    def _run(self, awake: threading.Event) -> None:
        while True:
            awake.wait()
            time.sleep(INTERVAL)
            with self._lock:
                now = time.monotonic()
                late = [number for number, (deadline, _) in self._watched.items() if deadline <= now]
                for number in late:
                    _shut_down(self._watched.pop(number)[1])
                if not self._watched:
                    awake.clear()


def _shut_down(descriptor: int) -> None:
    """Shut a socket down; its owner still has to close the descriptor."""
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as connection:
        connection.shutdown(socket.SHUT_RDWR)


WATCHDOG = Watchdog()
