"""Log lines that may be said at most once a minute a cause; how many were held back is said with the next."""

from __future__ import annotations

import logging
import time
from typing import Any

MINUTE = 60.0


class Quiet:
    """A logger that does not flood."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._said: dict[str, tuple[float, int]] = {}
        self._standing: set[str] = set()

    def _say(self, level: int, cause: str, message: str, arguments: tuple[Any, ...], exc_info: bool = False) -> None:
        last, held = self._said.get(cause, (0.0, 0))
        now = time.monotonic()
        if last and now - last < MINUTE:
            self._said[cause] = (last, held + 1)
            return
        self._said[cause] = (now, 0)
        more = f" ({held} more like it in the last minute)" if held else ""
        self._logger.log(level, "autoflow: " + message + more, *arguments, exc_info=exc_info)

    def once(self, cause: str, message: str, *arguments: Any, level: int = logging.WARNING) -> None:
        """Say it, by default at warning level, and not again until it is `over`."""
        if cause not in self._standing:
            self._standing.add(cause)
            self._say(level, cause, message, arguments)

    def over(self) -> None:
        """What was said once may be said again: whatever it was is over."""
        self._standing.clear()

    def debug(self, cause: str, message: str, *arguments: Any, exc_info: bool = False) -> None:
        """Say it at debug level."""
        self._say(logging.DEBUG, cause, message, arguments, exc_info)

    def info(self, cause: str, message: str, *arguments: Any) -> None:
        """Say it at info level."""
        self._say(logging.INFO, cause, message, arguments)

    def warning(self, cause: str, message: str, *arguments: Any) -> None:
        """Say it at warning level."""
        self._say(logging.WARNING, cause, message, arguments)
