"""Parse the Retry-After header."""

from __future__ import annotations

import math
import time

RETRY_AFTER_SECONDS = 300.0


def retry_after(header: str | None, now: float | None = None) -> float | None:
    """Return the seconds of a Retry-After header, between 0 and 300; None if it is neither seconds nor an HTTP date.

    Args:
        header: the header as received.
        now: seconds since the epoch, for dates.
    """
    if header is None:
        return None
    text = header.strip()
    try:
        seconds = float(text)
    except ValueError:
        import email.utils  # a heavy import, and dates are rare

        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - (time.time() if now is None else now)
        except (ValueError, TypeError, OverflowError):
            return None
    if math.isnan(seconds):
        return None
    return min(max(seconds, 0.0), RETRY_AFTER_SECONDS)
