"""``AUTOFLOW_DURABILITY``: what of a journal outlives the machine, not only the process.

``process``: nothing is asked of the disk. ``sync``: each record is on it when the call returns. ``interval``: a
thread of its own sees to it once a second, because the sender may be waiting for a server for longer than that.
"""

from __future__ import annotations

import time
import weakref
from typing import TYPE_CHECKING

from autoflow.process import threads

if TYPE_CHECKING:
    from autoflow.outbox.journal import Journal

SECONDS = 1.0


def keep_synced(journal: Journal) -> None:
    """Sync a journal once a second from now on, for as long as this process uses it."""
    held, pid = weakref.ref(journal), journal.pid

    def work() -> None:
        while (kept := held()) is not None and kept.pid == pid:
            kept.sync()
            del kept
            time.sleep(SECONDS)

    threads.start(work, "autoflow-sync")
