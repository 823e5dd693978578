"""Sending what waits, from a process that records nothing itself."""

from __future__ import annotations

from autoflow.outbox.sender import Sender
from autoflow.transport.base import Transport


def sync(folder: str, origin: str, transport: Transport) -> bool:
    """Send every journal of a destination whose writer is gone; whether all of them are sent.

    Journals of living processes are left to these: they send them themselves.
    """
    sender = Sender(folder, origin, transport)
    return sender.step(urgent=True) and not (sender.unreadable or sender.blocked)
