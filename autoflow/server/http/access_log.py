"""The access log: a line of JSON for each request.

It has no query, header or body, and nothing of a refused token. Lines are written by a thread, so that a slow disk
delays no request; if it falls too far behind, lines are dropped and counted.
"""

from __future__ import annotations

import json
import logging
import queue
import sys
from logging.handlers import QueueListener, WatchedFileHandler
from typing import Any

from autoflow.server import private_files, timestamps
from autoflow.server.http.exchange import Exchange

STANDARD_OUTPUT = "-"
MAX_WAITING = 10_000  # lines
MAX_PATH = 200  # characters


class _Listener(QueueListener):
    """The thread that writes; it also stops when the queue is full."""

    def __init__(self, lines: queue.Queue[Any], handler: logging.Handler) -> None:
        super().__init__(lines, handler)
        self._lines = lines

    def enqueue_sentinel(self) -> None:
        """Have the thread end after the lines that wait, instead of failing if there is no room for more."""
        self._lines.put(None)


class AccessLog:
    """Writes requests to a file, which may be rotated by renaming it, or to standard output.

    Args:
        path: the file, which is created with mode 0600; ``-`` for standard output.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, path: str) -> None:
        if path == STANDARD_OUTPUT:
            handler: logging.Handler = logging.StreamHandler(sys.stdout)
        else:
            private_files.create(path)
            handler = WatchedFileHandler(path, encoding="ascii")
        self._handler = handler
        self._lines: queue.Queue[Any] = queue.Queue(MAX_WAITING)
        self._listener = _Listener(self._lines, handler)
        self._dropped = 0
        self._listener.start()

    def write(self, exchange: Exchange) -> None:
        """Log a request that is over."""
        entry = _entry(exchange)
        if self._dropped:
            entry["dropped"] = self._dropped
        try:
            self._lines.put_nowait(logging.makeLogRecord({"msg": json.dumps(entry)}))
        except queue.Full:
            self._dropped += 1
        else:
            self._dropped = 0

    def close(self) -> None:
        """Write what is waiting, and close the file."""
        self._listener.stop()
        self._handler.close()


def _entry(exchange: Exchange) -> dict[str, Any]:
    caller = exchange.caller
    return {
        "time": timestamps.now(),
        "request_id": exchange.request_id,
        "client": exchange.address,
        "verb": exchange.verb,
        "path": exchange.path[:MAX_PATH],
        "method": exchange.method,
        "status": exchange.status,
        "duration_ms": round(exchange.seconds * 1000, 3),
        "received_bytes": exchange.received,
        "sent_bytes": exchange.sent,
        "user": caller.login or None if caller is not None else None,
        "teams": sorted(caller.teams) if caller is not None and caller.teams is not None else None,
        "refused": exchange.refused,
    }
