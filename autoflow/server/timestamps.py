"""Timestamps of the wire: ISO 8601 in UTC with milliseconds and ``Z``. Their texts sort like the times."""

from __future__ import annotations

import functools
import time
from datetime import datetime, timezone
from typing import Any

from autoflow.server.request_parser import as_number

_FIRST, _LAST = 0, 253_402_300_799_000  # 1970 to 9999, in milliseconds


def _text(milliseconds: int) -> str:
    return f"{_to_the_second(milliseconds // 1000)}.{milliseconds % 1000:03d}Z"


@functools.lru_cache(maxsize=1024)  # the records of a batch were written within few seconds
def _to_the_second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S}"


def now() -> str:
    """Return the current time."""
    return _text(time.time_ns() // 1_000_000)


def after(seconds: float) -> str:
    """Return the time in a number of seconds from now."""
    return _text(time.time_ns() // 1_000_000 + int(seconds * 1000))


def at(nanoseconds: Any) -> str:
    """Return a record's ``at``, nanoseconds since the epoch, as text; the current time if it is out of range."""
    if isinstance(nanoseconds, bool) or not isinstance(nanoseconds, (int, float, str)):
        return now()
    number = nanoseconds if isinstance(nanoseconds, int) else as_number(nanoseconds)
    if number is None or not _FIRST <= number // 1_000_000 <= _LAST:
        return now()
    return _text(number // 1_000_000)
