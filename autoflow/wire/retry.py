"""The Retry-After header, in all the forms servers send it in."""

from __future__ import annotations

import math
import time

RETRY_AFTER_SECONDS = 300.0


def retry_after(header: str | None, now: float | None = None) -> float | None:
    """Read a Retry-After header: seconds or an HTTP date, between 0 and 300; None for anything else.

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
        import email.utils  # brings half the network stack along, and dates are rare

        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - (time.time() if now is None else now)
        except (ValueError, TypeError, OverflowError):
            return None
    if math.isnan(seconds):
        return None
    return min(max(seconds, 0.0), RETRY_AFTER_SECONDS)
