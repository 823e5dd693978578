"""The one place that swallows: whatever fails in autoflow itself never reaches the app.

`with guard:` goes around autoflow's own work and never around the app's. What it catches is logged at
debug level with its traceback; ``AUTOFLOW_STRICT=1`` lets it through instead (autoflow's tests run that way).
Only `Exception` is caught: KeyboardInterrupt, SystemExit, CancelledError and GeneratorExit are the app's. The one
error of autoflow's own that passes is the one an author asks for: `VersionNotSaved`.
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
    """A reusable, re-entrant context manager that swallows and debug-logs.

    One instance serves any number of threads, so that entering it on the hot path makes no object.

    Args:
        what: what was being done, for the log line.
        note: called with each swallowed exception, to keep it for `run.failures`.
    """

    __slots__ = ("_note", "_what")

    def __init__(self, what: str, note: Callable[[Exception], object] | None = None) -> None:
        self._what = what
        self._note = note

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return isinstance(error, Exception) and self.swallows(error)

    def swallows(self, error: Exception) -> bool:
        """Deal with a failure of autoflow's own; False when it is to be raised after all.

        For the hot path, where ``try`` costs nothing and ``with`` a little.
        """
        if isinstance(error, RecursionError):  # the app is deep: there is no room to do anything about it
            return True
        if isinstance(error, VersionNotSaved) or settings.strict():
            return False
        with contextlib.suppress(Exception):  # logging may fail too: a handler of the app's, the recursion limit
            if self._note is not None:
                self._note(error)
            logger.debug("autoflow: %s failed", self._what, exc_info=error)
        return True


guard = Guard("recording")
