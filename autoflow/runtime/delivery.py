"""What an author may ask about delivery: `flush` and `status`."""

from __future__ import annotations

from typing import Any

from autoflow.guard import guard
from autoflow.outbox import outbox
from autoflow.outbox.status import status as outbox_status


def flush(timeout: float = 10.0) -> bool:
    """Wait until what this process recorded so far is delivered.

    Args:
        timeout: seconds to wait at most.

    Returns:
        Whether all of it is; False also when a try failed: the records wait, nothing is lost.
    """
    with guard:
        return outbox.flush_all(timeout)
    return False


def status() -> dict[str, Any]:
    """Counts of records over all destinations: ``recorded = sent + waiting + dead``, and ``dropped`` apart.

    ``destinations`` holds the same counts for each by its origin. What ``autoflow outbox status --json`` prints.
    """
    return outbox_status()
