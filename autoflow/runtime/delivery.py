"""Delivery of records: `flush` and `status` for authors, and delivery of what dead processes left, for commands."""

from __future__ import annotations

import os

from autoflow.guard import guard
from autoflow.outbox import home, outbox
from autoflow.outbox.status import OutboxStatus
from autoflow.outbox.status import status as outbox_status
from autoflow.outbox.sync import sync
from autoflow.runtime.destination import Destination, connector_to
from autoflow.transport.unresolved import ORIGIN as UNRESOLVED


def flush(timeout: float = 10.0) -> bool:
    """Wait until what this process recorded so far is delivered.

    Args:
        timeout: seconds to wait at most.

    Returns:
        Whether all of it was delivered; False also when an attempt failed (the records wait), and when a record could
        not be written since the last flush.
    """
    with guard:
        return outbox.flush_all(timeout)
    return False


def status() -> OutboxStatus:
    """Return counts of records over all destinations: ``recorded = sent + waiting + dead``, and ``dropped`` apart.

    ``destinations`` holds the same counts by origin. ``autoflow outbox status --json`` prints this.
    """
    return outbox_status()


def deliver_waiting(destination: Destination) -> None:
    """Deliver the records that dead processes left for a destination."""
    folder = home.find()
    if folder is None or destination.origin in {"memory", "off", UNRESOLVED}:
        return
    sync(home.outbox_folder(folder, destination.origin), destination.origin, connector_to(destination))
    if os.path.isdir(home.folder_of(folder, UNRESOLVED)):  # recorded while the environment named no server
        sync(home.outbox_folder(folder, UNRESOLVED), destination.origin, connector_to(destination))


def deliver_folder(folder: str, destination: Destination, token: str) -> bool:
    """Deliver the records that dead processes left in an ``AUTOFLOW_HOME``; return whether none is left waiting.

    Raises:
        OSError: the folder cannot be read.
    """
    if not os.path.isdir(home.folder_of(folder, destination.origin)):
        return True
    return sync(home.outbox_folder(folder, destination.origin), destination.origin, connector_to(destination, token))
