"""What may be asked about delivery: `flush` and `status`, by an author, and what waits, by who reads next."""

from __future__ import annotations

from typing import Any

from autoflow.guard import guard
from autoflow.outbox import home, outbox
from autoflow.outbox.status import status as outbox_status
from autoflow.outbox.sync import sync
from autoflow.runtime.destination import Destination, connect


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


def deliver_waiting(destination: Destination) -> None:
    """Give a destination what dead processes left for it."""
    found = home.find()
    if found is not None and destination.origin not in {"memory", "off"}:
        sync(home.outbox_folder(found, destination.origin), destination.origin, connect(destination))
