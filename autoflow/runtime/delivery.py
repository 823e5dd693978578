"""What may be asked about delivery: `flush` and `status`, by an author, and what waits, by who reads next."""

from __future__ import annotations

import os
from typing import Any

from autoflow.guard import guard
from autoflow.outbox import home, outbox
from autoflow.outbox.status import status as outbox_status
from autoflow.outbox.sync import sync
from autoflow.runtime.destination import Destination, connect
from autoflow.transport.unresolved import ORIGIN as UNRESOLVED


def flush(timeout: float = 10.0) -> bool:
    """Wait until what this process recorded so far is delivered.

    Args:
        timeout: seconds to wait at most.

    Returns:
        Whether all of it is; False also when a try failed (the records wait), and when a record could not be written
        since the last flush.
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
    if found is None or destination.origin in {"memory", "off", UNRESOLVED}:
        return
    sync(home.outbox_folder(found, destination.origin), destination.origin, connect(destination))
    if os.path.isdir(home.folder_of(found, UNRESOLVED)):  # recorded while the environment named no server
        sync(home.outbox_folder(found, UNRESOLVED), destination.origin, connect(destination))


def deliver_folder(folder: str, destination: Destination, token: str) -> bool:
    """Deliver what dead processes left for a destination in an ``AUTOFLOW_HOME``; return whether nothing waits there.

    Raises:
        OSError: the folder cannot be read.
    """
    if not os.path.isdir(home.folder_of(folder, destination.origin)):
        return True
    return sync(home.outbox_folder(folder, destination.origin), destination.origin, connect(destination, token))
