"""Retry delays: exponential backoff with full jitter, the server's Retry-After, and a circuit breaker.

Full jitter (uniform between zero and the step) spreads the retries of many clients after an outage.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from autoflow.wire.retry import RETRY_AFTER_SECONDS

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 60.0
OPENS_AFTER = 5

# Not the generator of the `random` module: a delay between two of an app's numbers would change what a seed gives.
_system_random = random.SystemRandom()


@dataclass(slots=True)
class Backoff:
    """The delay after failures in a row; while `open` is true, nobody should wait for the server."""

    failures: int = 0
    until: float = 0.0  # monotonic seconds
    retry_after_until: float = 0.0  # the end of the server's Retry-After

    def failed(self, retry_after: float | None = None, *, pause: float = 0.0) -> None:
        """Count a failure.

        Args:
            retry_after: the server's Retry-After, in seconds; jitter is added to it.
            pause: the shortest wait, in seconds.
        """
        step = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(self.failures, 16))
        self.failures += 1
        now = time.monotonic()
        shortest = max(pause, LONGEST_SECONDS / 12 if self.open else 0.0)
        self.until = now + max(shortest, _system_random.uniform(0, step))
        if retry_after is not None:
            retry_after = min(retry_after, RETRY_AFTER_SECONDS)
            self.retry_after_until = now + retry_after
            jitter = _system_random.uniform(0, max(step, min(retry_after, LONGEST_SECONDS)))
            self.until = max(self.until, self.retry_after_until + jitter)

    def succeeded(self) -> None:
        """Forget the failures."""
        self.failures = 0
        self.until = self.retry_after_until = 0.0

    @property
    def open(self) -> bool:
        """Whether the circuit is open: so many tries failed in a row that only an occasional probe is sent."""
        return self.failures >= OPENS_AFTER

    def wait(self, *, urgent: bool = False) -> float:
        """Return the seconds until the next try; 0 when it may be made now.

        Args:
            urgent: somebody waits for the result: only the server's Retry-After is respected.
        """
        return max(0.0, (self.retry_after_until if urgent else self.until) - time.monotonic())
