"""Background work of a server: reopen a store that was unavailable, update its marks, check it for damage, apply rules
of retention, and complete erasures that were interrupted.

One thread of low priority. An embedded app has none: its store is checked by `autoflow doctor` and by servers, and
`transport.embedded` applies the rules.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time

from autoflow.errors import ServerBusy
from autoflow.server import timestamps
from autoflow.server.db.opening import MARK_INTERVAL
from autoflow.server.maintenance.resumable_job import JobState
from autoflow.server.readiness import Health
from autoflow.server.server import Server

logger = logging.getLogger("autoflow")

POLL_INTERVAL = 1.0  # seconds between two tries to open a store that is unavailable
FIRST_CHECK = 60.0  # seconds after the start until the first check
CHECK_INTERVAL = 6 * 3600.0  # seconds between two checks
ERASURE_SECONDS = 2.0  # of work on an erasure at a time
STEP_PAUSE = 0.05  # seconds after each step of a check: requests go first
_NICE = 19


class BackgroundMaintenance:
    """The maintenance thread of one server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="autoflow-caretaker", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Have the thread end after its present step, and wait a moment for it."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5.0)
            with contextlib.suppress(ServerBusy):
                self._server.tokens.store_last_use()

    def _run(self) -> None:
        with contextlib.suppress(OSError, AttributeError):  # on Linux the priority is the thread's alone
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        check_at, mark_at = time.monotonic() + FIRST_CHECK, time.monotonic() + MARK_INTERVAL
        while not self._stopping.wait(POLL_INTERVAL):
            try:
                self._server.store.open()
                if time.monotonic() >= mark_at:
                    mark_at = time.monotonic() + MARK_INTERVAL
                    self._server.store.mark()
                    self._server.tokens.store_last_use()
                    self._server.apply_retention(ERASURE_SECONDS)
                    self._server.complete_erasures(ERASURE_SECONDS)
                if time.monotonic() >= check_at:
                    check_at = time.monotonic() + CHECK_INTERVAL
                    self.check()
            except ServerBusy:
                continue  # the store has logged it
            except Exception:
                logger.exception("autoflow: looking after the store failed; it is tried again")

    def check(self) -> None:
        """Check the database's pages and the digests of all versions; what is wrong is logged, and kept for `/readyz`.

        Raises:
            StoreUnavailable: the database is damaged.
        """
        integrity_check = self._server.integrity_check()
        for stage in integrity_check.stages:
            progress = JobState()
            while not self._stopping.is_set():
                progress.cursor = stage(progress)
                if progress.cursor is None:
                    break
                self._stopping.wait(STEP_PAUSE)
        self._server.health = Health(timestamps.now(), len(integrity_check.problems))
        for problem in integrity_check.problems:
            versions = ", ".join(f"version:{version['id']}" for version in problem["versions"])
            logger.error("autoflow: %s: %s. See `autoflow versions verify`", versions, problem["problem"])
