"""A sender without a thread, for children of a test: what they record is delivered when the call returns."""

from __future__ import annotations

from collections.abc import Callable

from autoflow.outbox.sender import Sender

SECONDS = 10.0
ROUNDS = 3


class InlineSender(Sender):
    """Delivers each record on the thread that made it: a child may end, or be killed, at any moment after."""

    def wake(self) -> None:
        """Deliver what is recorded."""
        self.idle = False  # what is recorded meanwhile, by other threads too, is part of this delivery
        try:
            for _ in range(ROUNDS):
                self._flush_here(SECONDS)
                if not self._missed():
                    break
        finally:
            self.idle = True

    def submit(self, job: Callable[[], None]) -> None:
        """Leave it undone: what is gathered beside the records would keep the caller waiting."""

    def _start(self, wait: float = 0.0) -> None:
        """There is no thread."""
