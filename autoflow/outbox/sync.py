"""Send waiting records from a process that records nothing itself, and list those that other processes will send."""

from __future__ import annotations

import contextlib
from typing import NamedTuple

from autoflow.outbox import journal_lease
from autoflow.outbox.destinations.base import Connector
from autoflow.outbox.journal_files import journals, lock_path
from autoflow.outbox.reader import Reader
from autoflow.outbox.sender import Sender
from autoflow.outbox.status import of_folder


class LeasedJournal(NamedTuple):
    """Records that another process has to send.

    Args:
        journal: the journal's name.
        waiting: how many records wait in it.
        holder: the process, when its lock file says which.
    """

    journal: str
    waiting: int
    holder: journal_lease.Holder | None


def sync(folder: str, origin: str, connector: Connector) -> bool:
    """Send the journals of a destination whose processes are gone; return whether nothing waits there any more.

    Living processes send their own journals, see `held_by_others`.

    Raises:
        OSError: the folder cannot be read.
    """
    sender = Sender(folder, origin, connector)
    sent = sender.step(urgent=True)
    return sent and sender.drain.complete and of_folder(folder)["waiting"] == 0


def held_by_others(folder: str) -> list[LeasedJournal]:
    """Return the journals of a folder that have waiting records and are leased to other processes."""
    leased = []
    for name in journals(folder):
        path = lock_path(folder, name)
        with contextlib.suppress(OSError):
            waiting = Reader(folder, name, owned=False).waiting()
            if waiting and journal_lease.held(path):
                leased.append(LeasedJournal(name, waiting, journal_lease.holder(path)))
    return leased
