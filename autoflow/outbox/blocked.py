"""Retries of a folder's blocked records, at growing intervals."""

from __future__ import annotations

import contextlib
import time

from autoflow.outbox import dead_letters

FIRST_SECONDS = 10.0
LONGEST_SECONDS = 1800.0


class BlockedRecords:
    """The blocked records of one folder.

    Args:
        folder: the destination's folder; None for a journal in memory, which has none.
    """

    def __init__(self, folder: str | None) -> None:
        self._folder = folder
        self._tries = 0
        self._until = 0.0  # monotonic seconds before which they are not retried

    def added(self) -> None:
        """Delay the next retry: a record was just set aside."""
        self._until = max(self._until, time.monotonic() + FIRST_SECONDS)

    def requeue(self, *, urgent: bool) -> None:
        """Requeue the records when a retry is due, and complete a requeue that a dead process began.

        Args:
            urgent: somebody waits for the result: retry now.
        """
        if self._folder is None:
            return
        with contextlib.suppress(OSError):
            dead_letters.sync(self._folder)
            due = urgent or time.monotonic() >= self._until
            if due and dead_letters.requeue(self._folder, dead_letters.BLOCKED_FILE):
                wait = min(LONGEST_SECONDS, FIRST_SECONDS * 2**self._tries)
                self._tries += wait < LONGEST_SECONDS
                self._until = time.monotonic() + wait

    def any(self) -> bool:
        """Return whether records are set aside; when none are, reset the intervals."""
        if self._folder is not None:
            with contextlib.suppress(OSError):
                if next(dead_letters.iter_dead_letters(self._folder, dead_letters.BLOCKED_FILE), None) is not None:
                    return True
        self._tries = 0
        return False
