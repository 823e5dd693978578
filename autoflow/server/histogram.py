"""A histogram of durations, for what `http.metrics` reports."""

from __future__ import annotations

import bisect
import itertools
from typing import NamedTuple

from autoflow.process.forks import ProcessLock

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds


class Distribution(NamedTuple):
    """The durations that a histogram has counted.

    Args:
        cumulative: for each of `BOUNDS`, how many durations were at most that long; at the end, how many there were.
        total: their sum, in seconds.
    """

    cumulative: list[int]
    total: float


class Histogram:
    """Counts durations in fixed buckets; safe from any thread, and in forked children."""

    def __init__(self) -> None:
        self._lock = ProcessLock()
        self._counts = [0] * (len(BOUNDS) + 1)
        self._total = 0.0

    def observe(self, seconds: float) -> None:
        """Count a duration."""
        bucket = bisect.bisect_left(BOUNDS, seconds)
        with self._lock:
            self._counts[bucket] += 1
            self._total += seconds

    def distribution(self) -> Distribution:
        """Return the durations counted so far."""
        with self._lock:
            return Distribution(list(itertools.accumulate(self._counts)), self._total)
