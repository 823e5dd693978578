"""The outbox of one destination in this process: a journal that records are written to, and its sender."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable

from autoflow import settings
from autoflow.outbox import home
from autoflow.outbox.destinations.base import Connector
from autoflow.outbox.journal import Journal
from autoflow.outbox.progress import locked_totals
from autoflow.outbox.sender import InlineSender, Sender
from autoflow.process import threads
from autoflow.process.forks import ProcessLock, in_child
from autoflow.transport.memory import folder_of_parent

logger = logging.getLogger("autoflow")

EXIT_SECONDS = 1.9  # limit of the exit flush; two seconds with the interpreter's own work

_outboxes: list[Outbox] = []
_exit_callbacks: list[Callable[[], None]] = []
_creating = ProcessLock()


class Outbox:
    """Writes the records for one destination, and has them sent.

    Nothing is opened or started before the first record.

    Args:
        origin: the destination: scheme://host[:port], ``embedded`` or ``memory``.
        address: the destination in the form that child processes inherit.
        connect: makes the connector, when there is something to send.
        in_memory: keep the journal in memory, for tests.
    """

    def __init__(self, origin: str, address: str, connect: Callable[[], Connector], *, in_memory: bool = False) -> None:
        self.origin = origin
        self.address = address
        self._connect = connect
        self.in_memory = in_memory
        self._pid = 0
        self._journal: Journal | None = None
        self._sender: Sender | None = None
        self._connector: Connector | None = None
        self._lost = 0  # records lost up to the last flush

    @property
    def connector(self) -> Connector:
        """The way to the destination, made when it is first needed."""
        if self._connector is None:
            self._connector = self._connect()
        return self._connector

    def record(self, members: bytes) -> int:
        """Write one record; return its number, or 0 when it could not be written (and is counted as dropped).

        Args:
            members: the JSON members of the record, see `Journal.append`.
        """
        journal = self._journal
        if journal is None:
            journal = self._make_journal()
        number = journal.append(members)
        if self._pid != journal.pid:
            self._make_sender(journal)
        sender = self._sender
        if sender is not None and sender.idle:
            sender.wake()
        return number

    def key(self, number: int) -> str:
        """Return the key of a record just written, by its number; empty for 0."""
        return f"{self._journal.name}:{number}" if self._journal is not None and number else ""

    def submit(self, job: Callable[[], None]) -> None:
        """Run a job in the sender's thread."""
        if self._sender is not None and self._pid == os.getpid():  # a forked child must not use its parent's
            self._sender.submit(job)

    def flush(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds until everything recorded so far is sent.

        Returns:
            Whether it is; False also when a record could not be written since the last flush.
        """
        sender = self._sender if self._pid == os.getpid() else None
        if sender is None or self._journal is None:
            return True
        sent = sender.flush(timeout)
        before, self._lost = self._lost, self._journal.lost
        return sent and before == self._lost

    def task_of(self, run: str) -> int | None:
        """Return the task number that the server gave a run, once a delivery has told it."""
        return self.connector.task_of(run) if self._sender is not None else None

    @property
    def circuit_open(self) -> bool:
        """Whether so many requests to the destination failed in a row that nobody should wait for it."""
        return self._pid == os.getpid() and self._sender is not None and self._sender.circuit_open

    @property
    def takes_logs(self) -> bool:
        """Whether the destination keeps the logs of runs, assumed until it is identified."""
        backend = self._sender.session.backend if self._sender is not None else None
        return backend is None or backend.keeps_logs

    @property
    def dropped(self) -> int:
        """The number of records of this process that could not be written and that no file counts yet."""
        return self._journal.unsaved if self._journal is not None else 0

    def counts_in_memory(self) -> dict[str, int]:
        """Return the counts of a journal in memory, which no folder counts; empty for any other."""
        if self._sender is None or self._journal is None or self._journal.folder is not None:
            return {}
        return self._sender.drain.counts()

    def _make_journal(self) -> Journal:
        with _creating:
            if self._journal is None:
                new = Journal(None if self.in_memory else home.outbox_of(self.origin), self.origin)
                if self._journal is None:  # a signal handler of the app may have recorded meanwhile
                    self._journal = new
            return self._journal

    def _make_sender(self, journal: Journal) -> None:
        """Make the sender, at first use and in a forked child: threads and locks do not survive a fork."""
        with _creating:
            make = InlineSender if self.in_memory and folder_of_parent() is not None else Sender
            new = make(journal.folder, self.origin, self.connector, journal)
            if self._pid == journal.pid:
                return
            self._sender = new
            self._pid = journal.pid
            self._lost = 0
            if self not in _outboxes:
                _outboxes.append(self)
            atexit.unregister(flush_at_exit)
            atexit.register(flush_at_exit)

    def at_exit(self, deadline: float) -> None:
        """Flush when the process exits, until `deadline` (monotonic seconds)."""
        if self._pid != os.getpid() or self._sender is None or self._journal is None:
            return
        if settings.exit_flush():  # first: what jobs record is synced and sent like all else, in the time that is left
            self._sender.finish_jobs((deadline - time.monotonic()) / 2)
        self._journal.at_exit()
        self._sender.maintain_at_exit(deadline)
        self._report()
        limit = self.connector.exit_seconds
        if settings.exit_flush() and not self._sender.circuit_open and limit:
            self._sender.flush(min(limit, max(0.0, deadline - time.monotonic())))

    def _report(self) -> None:
        """Warn of records lost, and add those that the journal's own file could not count to the folder's totals."""
        journal = self._journal
        if journal is None or not journal.lost:
            return
        if journal.unsaved and journal.folder is not None:
            with contextlib.suppress(OSError), locked_totals(journal.folder) as totals:
                totals.dropped += journal.unsaved
                journal.dropped -= journal.unsaved
        logger.warning(
            "autoflow: %d records of this process could not be written and are lost; see autoflow doctor", journal.lost
        )


def _bytes_recorded() -> int:
    """Return a number that changes with each record of this process."""
    return sum(outbox._journal.size for outbox in _outboxes if outbox._journal is not None)


threads.recorded_bytes = _bytes_recorded


def before_exit(callback: Callable[[], None]) -> None:
    """Register a callback to run at a normal exit, before the exit flush."""
    if callback not in _exit_callbacks:
        _exit_callbacks.append(callback)


def flush_all(timeout: float) -> bool:
    """Flush every outbox of this process within `timeout` seconds; return whether all is sent."""
    deadline = time.monotonic() + timeout
    return all([outbox.flush(max(0.0, deadline - time.monotonic())) for outbox in list(_outboxes)])


def flush_memory(timeout: float) -> bool:
    """Flush the outboxes of this process whose records stay in memory; return whether all is delivered."""
    return all([outbox.flush(timeout) for outbox in list(_outboxes) if outbox.in_memory])


def abandon_all() -> None:
    """Stop every sender of this process and forget its outboxes, for tests; unsent records stay in the journals."""
    for outbox in _outboxes:
        if outbox._sender is not None:
            outbox._sender.stop()
    _outboxes.clear()


def flush_at_exit() -> None:
    """Run the exit callbacks and flush all outboxes; the next process sends what is left.

    A KeyboardInterrupt ends the wait: a user who presses Ctrl+C again wants to exit now.
    """
    deadline = time.monotonic() + EXIT_SECONDS
    with contextlib.suppress(KeyboardInterrupt):
        for callback in _exit_callbacks:
            with contextlib.suppress(Exception):
                callback()
        for outbox in list(_outboxes):
            with contextlib.suppress(Exception):
                outbox.at_exit(deadline)


def _keep_interrupted() -> None:
    """Make an interrupted interpreter end by SIGINT, as it would without autoflow.

    Python notes an interrupt of main, and forgets it whenever source text is executed afterwards: at exit, and in the
    sender's thread, which may be importing SQLAlchemy. Executing a KeyboardInterrupt makes it note the interrupt again.
    """
    interactive = hasattr(sys, "ps1") or sys.flags.interactive
    if getattr(sys, "last_type", None) is KeyboardInterrupt and not interactive:
        with contextlib.suppress(KeyboardInterrupt):
            exec("raise KeyboardInterrupt")  # noqa: S102 - see above


atexit.register(_keep_interrupted)  # the first to be registered is the last to run


@in_child
def _forked() -> None:
    """Mark outboxes as another process's in a child: process ids are reused, also those of ancestors."""
    for outbox in _outboxes:
        outbox._pid = -1
