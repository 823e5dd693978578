"""When to try again: full jitter, the server's own wish, and a circuit that opens. Arithmetic only.

Full jitter (uniform between nothing and the step) spreads the return of many clients after an outage.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from autoflow.wire.retry import RETRY_AFTER_SECONDS

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 60.0
OPENS_AFTER = 5


@dataclass(slots=True)
class Backoff:
    """The wait after failures in a row; `open` says the circuit is: nobody should wait for this server."""

    failures: int = 0
    until: float = 0.0  # monotonic seconds
    wished: float = 0.0  # until when the server itself asked not to be tried

    def failed(self, wish: float | None = None, *, pause: float = 0.0) -> None:
        """Count a failure.

        Args:
            wish: how long the server asked to be left alone, in seconds. Clients told the same come back spread.
            pause: the shortest wait, in seconds.
        """
        step = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(self.failures, 16))
        self.failures += 1
        now = time.monotonic()
        least = max(pause, LONGEST_SECONDS / 12 if self.open else 0.0)
        self.until = now + max(least, random.uniform(0, step))
        if wish is not None:
            wish = min(wish, RETRY_AFTER_SECONDS)
            self.wished = now + wish
            self.until = max(self.until, self.wished + random.uniform(0, max(step, min(wish, LONGEST_SECONDS))))

    def succeeded(self) -> None:
        """Forget the failures."""
        self.failures = 0
        self.until = self.wished = 0.0

    @property
    def open(self) -> bool:
        """Whether so many tries failed in a row that only a probe now and then goes out."""
        return self.failures >= OPENS_AFTER

    def wait(self, *, urgent: bool = False) -> float:
        """Seconds until the next try; 0 when it may be made now.

        Args:
            urgent: somebody waits for it: only what the server asked for is waited for.
        """
        return max(0.0, (self.wished if urgent else self.until) - time.monotonic())
