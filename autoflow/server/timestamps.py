"""Times as the wire writes them: ISO 8601, UTC, milliseconds, ``Z``; such texts sort as the times do."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any

from autoflow.server.request_parser import as_number

_FIRST, _LAST = 0, 253_402_300_799_000  # 1970 to 9999, in milliseconds


def _text(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds // 1000, timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def now() -> str:
    """The time now."""
    return _text(time.time_ns() // 1_000_000)


def after(seconds: float) -> str:
    """The time so many seconds from now."""
    return _text(time.time_ns() // 1_000_000 + int(seconds * 1000))


def at(nanoseconds: Any) -> str:
    """A record's ``at``, nanoseconds since the epoch, as text; what is no possible time is now."""
    if isinstance(nanoseconds, bool) or not isinstance(nanoseconds, (int, float, str)):
        return now()
    number = nanoseconds if isinstance(nanoseconds, int) else as_number(nanoseconds)
    if number is None or not _FIRST <= number // 1_000_000 <= _LAST:
        return now()
    return _text(number // 1_000_000)
