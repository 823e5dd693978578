"""A logger that emits at most one line a minute for each cause, and counts those it suppressed."""

from __future__ import annotations

import logging
import time
from typing import Any

INTERVAL_SECONDS = 60.0


class RateLimitedLogger:
    """Wraps a logger; every line has a cause, and each cause is logged at most once a minute."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._emitted: dict[str, tuple[float, int]] = {}  # cause -> time of its last line, lines suppressed
        self._standing: set[str] = set()  # causes logged by `once` since the last `reset`

    def _emit(self, level: int, cause: str, message: str, arguments: tuple[Any, ...], exc_info: bool = False) -> None:
        last, suppressed = self._emitted.get(cause, (0.0, 0))
        now = time.monotonic()
        if last and now - last < INTERVAL_SECONDS:
            self._emitted[cause] = (last, suppressed + 1)
            return
        self._emitted[cause] = (now, 0)
        more = f" ({suppressed} more like it in the last minute)" if suppressed else ""
        self._logger.log(level, "autoflow: " + message + more, *arguments, exc_info=exc_info)

    def once(self, cause: str, message: str, *arguments: Any, level: int = logging.WARNING) -> None:
        """Log, by default a warning, and not again before `reset`."""
        if cause not in self._standing:
            self._standing.add(cause)
            self._emit(level, cause, message, arguments)

    def reset(self) -> None:
        """Let `once` log again: the standing conditions have ended."""
        self._standing.clear()

    def debug(self, cause: str, message: str, *arguments: Any, exc_info: bool = False) -> None:
        """Log at debug level."""
        self._emit(logging.DEBUG, cause, message, arguments, exc_info)

    def info(self, cause: str, message: str, *arguments: Any) -> None:
        """Log at info level."""
        self._emit(logging.INFO, cause, message, arguments)

    def warning(self, cause: str, message: str, *arguments: Any) -> None:
        """Log at warning level."""
        self._emit(logging.WARNING, cause, message, arguments)
