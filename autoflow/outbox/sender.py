"""The sender: one daemon thread that delivers the journals of a destination (`outbox.drain`), in order, with retries.

It sleeps until a record is written, a flush is requested or a wait ends. No failure of a delivery drops a record.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from contextvars import copy_context

from autoflow.outbox.destination_session import DestinationSession
from autoflow.outbox.destinations.base import Connector
from autoflow.outbox.drain import SCAN_SECONDS, Drain
from autoflow.outbox.journal import Journal
from autoflow.process import threads, time_budget
from autoflow.process.rate_limited_log import RateLimitedLogger

logger = logging.getLogger("autoflow")

GATHER_SECONDS = 0.05  # how long the first record of a batch waits for more
START_RETRY_SECONDS = 1.0  # before a thread that could not be started is tried again
INLINE_SECONDS = 10.0
INLINE_ROUNDS = 3

# run first in a sender's thread; the rooms above use it to keep what happens there from being recorded
on_thread_start: list[Callable[[], None]] = []


class Sender:
    """Delivers the journals of one folder.

    Args:
        folder: the destination's folder; None for a journal in memory.
        origin: the destination.
        connector: how to reach it.
        journal: the one this process writes to, or None for a process that only sends.
    """

    def __init__(self, folder: str | None, origin: str, connector: Connector, journal: Journal | None = None) -> None:
        log = RateLimitedLogger(logger)
        self.session = DestinationSession(connector, origin, log)
        self.drain = Drain(folder, journal, self.session, log)
        self.idle = True  # whether the next record must wake the thread
        self._journal = journal
        self._log = log
        self._jobs: list[Callable[[], None]] = []
        self._working = threading.Lock()  # held while running them
        self._wake = threading.Event()
        self._urgent = threading.Event()
        self._flushes_requested = self._flushes_done = 0
        self._all_sent = False  # the result of the last flush
        self._flushed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._stepping = threading.Lock()  # held while reading and sending
        self._start_at = 0.0  # monotonic seconds before which the thread is not started again
        self._stopped = False

    # -- called by other threads

    def stop(self) -> None:
        """End the thread after its current step; the next record starts another."""
        self._stopped = True
        self._urgent.set()
        self._wake.set()

    def wake(self) -> None:
        """Tell the sender that there is a record; starts its thread at the first."""
        self.idle = False
        self._start()
        self._wake.set()

    @property
    def _alive(self) -> bool:
        thread = self._thread
        return thread is not None and thread.is_alive()

    def _start(self, wait: float = 0.0) -> None:
        """Start the thread unless it runs; once, however many threads and signal handlers call this at a time.

        Args:
            wait: how long to wait while another thread starts it, in seconds.
        """
        if self._alive or not self._starting.acquire(timeout=wait):
            return
        try:
            if self._alive:
                return
            now = time.monotonic()
            if now >= self._start_at:
                self._thread = threads.start(self._run, "autoflow-sender")
                self._start_at = now if self._thread is not None else now + START_RETRY_SECONDS
            self.idle = not self._alive
        finally:
            self._starting.release()

    def submit(self, job: Callable[[], None]) -> None:
        """Run a job in the sender's thread, after sending what was recorded before."""
        self._jobs.append(job)
        self.wake()

    def flush(self, timeout: float) -> bool:
        """Wait until everything recorded so far is sent or a try has failed; return whether all is sent."""
        if threading.current_thread() is self._thread:
            return False
        timeout = min(timeout, threading.TIMEOUT_MAX)
        with self._flushed:
            self._flushes_requested += 1
            mine = self._flushes_requested
            self._urgent.set()
            self.wake()
            self._start(timeout)
            if not self._alive:  # after main has ended Python starts no thread, though threads of the app may go on
                return self._flush_here(timeout)
            self._flushed.wait_for(lambda: self._flushes_done >= mine, timeout)
            return self._flushes_done >= mine and self._all_sent

    def _flush_here(self, timeout: float) -> bool:
        """Send what waits on the calling thread, with a budget for the time of all requests."""
        if not self._stepping.acquire(timeout=timeout):
            return False
        try:
            with time_budget.limit(timeout):
                return copy_context().run(self._step_here)
        except Exception:  # noqa: BLE001 - as in the thread
            return False
        finally:
            self._stepping.release()

    def _step_here(self) -> bool:
        for prepare in on_thread_start:
            prepare()
        return self.step(urgent=True)

    @property
    def circuit_open(self) -> bool:
        """Whether so many requests failed in a row that nobody should wait for this server."""
        return self.session.backoff.open

    # -- the thread

    def _run(self) -> None:
        try:
            for prepare in on_thread_start:
                prepare()
            self._loop()
        finally:
            with self._flushed:  # release those who wait for this thread
                self._thread = None
                self._all_sent = False
                self._flushes_done = self._flushes_requested
                self._flushed.notify_all()
            self.idle = True  # the next record starts another thread

    def _loop(self) -> None:
        self._stopped = False
        while not self._stopped:
            self._urgent.clear()
            requested = self._flushes_requested
            try:
                with self._stepping:
                    all_sent = self.step(urgent=requested > self._flushes_done)
            except Exception:  # noqa: BLE001 - whatever it was, the next try may succeed
                self._log.debug("sender", "the sender failed; it tries again", exc_info=True)
                self.session.backoff.failed()
                all_sent = False
            with self._flushed:
                self._all_sent = all_sent and self.drain.complete
                self._flushes_done = requested
                self._flushed.notify_all()
            if self._flushes_requested > requested:
                continue
            self._sleep(all_sent)

    def _sleep(self, all_sent: bool) -> None:
        """Sleep until there is something to do. While the server is unavailable, records do not wake the thread."""
        self._wake.clear()
        self.idle = all_sent
        # recorded just before `idle` was set: nobody wakes the thread for it
        missed = all_sent and not self.drain.unreadable and self.drain.has_unsent()
        if self._flushes_requested == self._flushes_done and not self._jobs and not missed:
            seconds = SCAN_SECONDS if all_sent else max(self.session.wait(), GATHER_SECONDS)
            # the token may change at any time, and the folder may be removed
            self._wake.wait(min(seconds, SCAN_SECONDS))
        self.idle = False
        if all_sent:
            self._urgent.wait(GATHER_SECONDS)

    def step(self, *, urgent: bool = False) -> bool:
        """Do what is due: send, run jobs, and send what these recorded. Return whether all is sent.

        Many runs may start at once, and each has a job that takes long: nothing waits for more than one of them.
        """
        self.drain.maintain_journal()
        self.drain.find_journals(urgent=urgent)
        try:
            sent = self.session.attempt(self.drain.send_all, urgent=urgent)
            while self._run_job():
                self.drain.maintain_journal()
                sent = self.session.attempt(self.drain.send_all, urgent=urgent)
            return sent
        finally:
            self.drain.release_adopted()

    def _run_job(self, timeout: float = -1) -> bool:
        """Run the next job; return whether there was one.

        Args:
            timeout: seconds to wait for another thread that runs one; forever if it is negative.
        """
        if not self._working.acquire(timeout=timeout):
            return False
        try:
            if not self._jobs:
                return False
            job = self._jobs.pop(0)
            with contextlib.suppress(Exception):
                job()
            return True
        finally:
            self._working.release()

    def finish_jobs(self, timeout: float) -> None:
        """Run the jobs that are left on the exiting thread, as the sender's may be waiting for a server.

        Args:
            timeout: seconds for all of them; what they have recorded until then is not lost.
        """
        with time_budget.limit(timeout):
            while (left := time_budget.remaining(timeout)) > 0 and self._run_job(left):
                pass

    def maintain_at_exit(self, deadline: float) -> None:
        """Run the journal's maintenance on the exiting thread.

        The sender's thread may be importing, or waiting for a server, until after `deadline` (monotonic seconds). What
        would be lost with the process is then done beside it: at worst a record is sent twice, under one key.
        """
        alone = self._stepping.acquire(timeout=max(0.0, min(0.2, deadline - time.monotonic())))
        try:
            if alone or (self._journal is not None and self._journal.removed):
                self.drain.maintain_journal()
        finally:
            if alone:
                self._stepping.release()


class InlineSender(Sender):
    """A sender without a thread, for child processes of a test: they may end, or be killed, at any time.

    Each record is delivered on the thread that made it, before the call returns.
    """

    def wake(self) -> None:
        """Deliver what is recorded."""
        self.idle = False  # what other threads record meanwhile is part of this delivery
        try:
            for _ in range(INLINE_ROUNDS):
                self._flush_here(INLINE_SECONDS)
                if not self.drain.has_unsent():
                    break
        finally:
            self.idle = True

    def submit(self, job: Callable[[], None]) -> None:
        """Drop the job: it would keep the caller waiting."""

    def _start(self, wait: float = 0.0) -> None:
        """Start nothing."""
