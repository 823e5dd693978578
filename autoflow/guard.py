"""The guard that keeps autoflow's own errors from the app: it swallows and logs them.

`with guard:` surrounds autoflow's own work, never the app's. What it catches is logged at debug level with its
traceback; with ``AUTOFLOW_STRICT=1`` it is raised (autoflow's tests run that way). Only `Exception` is caught:
KeyboardInterrupt, SystemExit, CancelledError and GeneratorExit belong to the app. Of autoflow's errors only
`VersionNotSaved` passes, which an author asks for.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from types import TracebackType

from autoflow import settings
from autoflow.errors import VersionNotSaved

logger = logging.getLogger("autoflow")


class Guard:
    """A reusable, re-entrant context manager that swallows exceptions and logs them at debug level.

    One instance serves any number of threads, so that entering it on the hot path creates no object.

    Args:
        activity: the work being guarded, for the log line.
        on_error: called with each swallowed exception.
    """

    __slots__ = ("_activity", "_on_error")

    def __init__(self, activity: str, on_error: Callable[[Exception], object] | None = None) -> None:
        self._activity = activity
        self._on_error = on_error

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return isinstance(error, Exception) and self.swallows(error)

    def swallows(self, error: Exception) -> bool:
        """Log an error of autoflow's own; return False when it must be raised.

        Called directly on the hot path, where ``try`` costs less than ``with``.
        """
        if isinstance(error, RecursionError):  # the stack is too deep to call anything
            return True
        if isinstance(error, VersionNotSaved) or settings.strict():
            return False
        with contextlib.suppress(
            Exception
        ):  # logging may fail too, in a handler of the app's or at the recursion limit
            if self._on_error is not None:
                self._on_error(error)
            logger.debug("autoflow: %s failed", self._activity, exc_info=error)
        return True


guard = Guard("recording")
