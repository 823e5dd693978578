"""When the blocked records of a folder are tried again: at first soon, then at growing intervals."""

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
        self._until = 0.0  # monotonic seconds before which they are not tried

    def added(self) -> None:
        """Leave a record that was just set aside alone for a while."""
        self._until = max(self._until, time.monotonic() + FIRST_SECONDS)

    def requeue(self, *, urgent: bool) -> None:
        """Have them tried again when it is time, and complete what a dead process left of such a step.

        Args:
            urgent: somebody waits for it: it is time now.
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
        """Whether records are set aside; when none are, the next one is soon tried again."""
        if self._folder is not None:
            with contextlib.suppress(OSError):
                if next(dead_letters.iter_dead_letters(self._folder, dead_letters.BLOCKED_FILE), None) is not None:
                    return True
        self._tries = 0
        return False
