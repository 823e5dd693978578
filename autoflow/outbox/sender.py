"""The sender: one daemon thread that reads journals and delivers them, in order, whatever it takes.

It sends this process's own journal and those whose writers are gone, each under its lease. It sleeps until a record,
a flush or the end of a wait; it never gives a record up because trying failed.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable
from contextvars import copy_context

from autoflow.errors import NotAllowed, ServerError, ServerExtraMissing, ServerRefused
from autoflow.outbox import dead_letters, journal_lease, open_runs
from autoflow.outbox.backoff import Backoff
from autoflow.outbox.blocked import BlockedRecords
from autoflow.outbox.delivery import Delivery, DeliveryResult, Numbered
from autoflow.outbox.journal import Journal, journals, lock_path
from autoflow.outbox.reader import Entry, Reader, dropped_by, is_record
from autoflow.outbox.server_session import ServerSession
from autoflow.process import threads, time_budget
from autoflow.process.rate_limited_log import RateLimitedLogger
from autoflow.process.threads import yield_gil
from autoflow.transport.base import Transport

logger = logging.getLogger("autoflow")

GATHER_SECONDS = 0.05  # how long a first record waits for company
LOOK_AROUND_SECONDS = 1.5  # how often journals of dead processes are looked for
REFUSED_SECONDS = 60.0
START_SECONDS = 1.0  # after which a thread that could not be started is tried again


# done first in a sender's thread; lets the rooms above keep what happens there from being recorded itself
on_thread_start: list[Callable[[], None]] = []


class Sender:
    """Delivers the journals of one folder.

    Args:
        folder: the destination's folder; None for a journal in memory.
        origin: the destination.
        transport: how to reach it.
        journal: this process's own, or None for a process that only sends.
    """

    def __init__(self, folder: str | None, origin: str, transport: Transport, journal: Journal | None = None) -> None:
        self.unreadable = False  # whether the disk kept the last step from some journal
        self.blocked = False  # whether records are set aside
        self._folder = folder
        self._origin = origin
        self._transport = transport
        self._journal = journal
        self._readers: dict[str, Reader] = {}
        self._looked = 0.0
        self._backoff = Backoff()
        self._session = ServerSession(transport, origin, lambda: self._backoff.open)
        self._blocked = BlockedRecords(folder)
        self._log = RateLimitedLogger(logger)
        self._jobs: list[Callable[[], None]] = []
        self._wake = threading.Event()
        self._urgent = threading.Event()
        self._asked = self._answered = 0
        self._all_sent = False
        self._answer = threading.Condition()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._stepping = threading.Lock()  # held by whoever reads and sends
        self._start_at = 0.0  # monotonic seconds before which the thread is not tried again
        self._refused: int | None = None  # the mark of the token with which the server took nothing
        self._stopped = False
        self.idle = True

    # -- for other threads

    def stop(self) -> None:
        """End the thread once it has done what it is at; the next record starts another."""
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
        """Have the thread run; it is started once however many ask for it, a signal's callback in the midst of it too.

        Args:
            wait: how long to wait for somebody else who is starting it.
        """
        if self._alive or not self._starting.acquire(timeout=wait):
            return
        try:
            if self._alive:
                return
            now = time.monotonic()
            if now >= self._start_at:
                self._thread = threads.start(self._live, "autoflow-sender")
                self._start_at = now if self._thread is not None else now + START_SECONDS
            self.idle = not self._alive
        finally:
            self._starting.release()

    def submit(self, job: Callable[[], None]) -> None:
        """Have something done in the sender's thread, when it has sent what was recorded before."""
        self._jobs.append(job)
        self.wake()

    def flush(self, timeout: float) -> bool:
        """Wait until everything recorded so far is sent, or a try has failed; whether all is sent."""
        if threading.current_thread() is self._thread:
            return False
        timeout = min(timeout, threading.TIMEOUT_MAX)
        with self._answer:
            self._asked += 1
            mine = self._asked
            self._urgent.set()
            self.wake()
            self._start(timeout)
            if not self._alive:  # Python starts none once main has ended, though threads of the app may go on
                return self._flush_here(timeout)
            self._answer.wait_for(lambda: self._answered >= mine, timeout)
            return self._answered >= mine and self._all_sent

    def _flush_here(self, timeout: float) -> bool:
        """Send what waits on the caller's thread; every request ends in time."""
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
    def tasks(self) -> dict[str, int]:
        """Run key -> task number, as our server gave it."""
        return self._session.tasks

    @property
    def is_autoflow(self) -> bool | None:
        """Whether the destination is our server; None until it has said what it is."""
        return self._session.is_autoflow

    @property
    def circuit_open(self) -> bool:
        """Whether the circuit is open: nobody should wait for this server."""
        return self._backoff.open

    def counts(self) -> dict[str, int]:
        """What became of the records of the journals at hand."""
        found: dict[str, int] = dict.fromkeys(("recorded", "sent", "waiting", "dead", "dropped"), 0)
        for reader in list(self._readers.values()):
            waiting, noted = reader.unread()
            progress = reader.progress
            found["sent"] += progress.sent
            found["dead"] += progress.dead
            found["waiting"] += waiting
            found["dropped"] += progress.dropped + noted
        found["recorded"] = found["sent"] + found["waiting"] + found["dead"]
        return found

    # -- the thread

    def _live(self) -> None:
        try:
            for prepare in on_thread_start:
                prepare()
            self._work()
        finally:
            with self._answer:  # nobody is to wait for a thread that is no more
                self._thread = None
                self._all_sent = False
                self._answered = self._asked
                self._answer.notify_all()
            self.idle = True  # the next record starts another thread

    def _work(self) -> None:
        self._stopped = False
        while not self._stopped:
            self._urgent.clear()
            asked = self._asked
            try:
                with self._stepping:
                    all_sent = self.step(urgent=asked > self._answered)
            except Exception:  # noqa: BLE001 - whatever it was, the next try may do better
                self._log.debug("stumbled", "the sender stumbled", exc_info=True)
                self._backoff.failed()
                all_sent = False
            with self._answer:
                self._all_sent = all_sent and not self.unreadable and not self.blocked
                self._answered = asked
                self._answer.notify_all()
            if self._asked > asked:
                continue
            self._rest(all_sent)

    def _rest(self, all_sent: bool) -> None:
        """Sleep until there is something to do. While the server is away, records do not wake the thread."""
        self._wake.clear()
        self.idle = all_sent
        missed = all_sent and not self.unreadable and self._missed()
        if self._asked == self._answered and not self._jobs and not missed:
            seconds = LOOK_AROUND_SECONDS if all_sent else max(self._backoff.wait(), GATHER_SECONDS)
            # another token may come any time, and somebody may remove the folder
            self._wake.wait(min(seconds, LOOK_AROUND_SECONDS))
        self.idle = False
        if all_sent:
            self._urgent.wait(GATHER_SECONDS)

    def _missed(self) -> bool:
        """Whether this process recorded something just before the thread said that it rests."""
        with contextlib.suppress(OSError):
            return any(reader.owned and reader.entries(1) for reader in self._readers.values())
        return False

    def step(self, *, urgent: bool = False) -> bool:
        """Do what is due: send, do jobs, and send what came of them. Whether all is sent."""
        self.maintain()
        self._look_around(urgent)
        try:
            sent = self._sent(urgent)
            if not self._jobs:
                return sent
            while self._jobs:
                job = self._jobs.pop(0)
                with contextlib.suppress(Exception):
                    job()
            return sent and self._sent(urgent)
        finally:
            for reader in list(self._readers.values()):
                if not reader.owned:
                    self._let_go(reader)

    def maintain(self) -> None:
        """Do what the journal of this process needs done between records."""
        journal = self._journal
        if journal is None or journal.pid != os.getpid():
            return
        reader = self._readers.get(journal.name)
        sent = reader.progress.offsets.get(journal.segment, 0) if reader is not None else 0
        if journal.maintain(sent):
            for reader in self._readers.values():
                if reader.owned:
                    reader.save()  # how far each was sent went with the folder

    def maintain_at_exit(self, deadline: float) -> None:
        """As `maintain`, in the leaving thread.

        The sender's thread may be importing or waiting for a server until after `deadline` (monotonic seconds). What
        would be lost with the process is then done beside it: at worst a record is sent twice, under one key.
        """
        alone = self._stepping.acquire(timeout=max(0.0, min(0.2, deadline - time.monotonic())))
        try:
            if alone or (self._journal is not None and self._journal.removed):
                self.maintain()
        finally:
            if alone:
                self._stepping.release()

    def _sent(self, urgent: bool) -> bool:
        """Send every journal to its end or to the first failure. Whether all is sent."""
        if self._refused is not None and self._refused != self._transport.token_fingerprint():
            self._well_again()
        if self._backoff.wait(urgent=urgent) > 0:
            return False
        try:
            self.unreadable = not all([self._drained(reader) for reader in list(self._readers.values())])
            self.blocked = self._blocked.any()
        except ServerExtraMissing as error:
            self._log.once("extra", "%s; records wait in the outbox", error, level=logging.INFO)
            self._backoff.failed(pause=REFUSED_SECONDS)
        except ServerRefused as refusal:  # whatever is sent; what is wrong with one record is settled with the record
            if refusal.foreign:
                return self._away(refusal)
            remedy = (
                "set AUTOFLOW_TOKEN (API_TOKEN for an instance) to a token that may do this"
                if isinstance(refusal, NotAllowed)
                else "see that its address is right and that it is up to date"
            )
            self._log.once(
                "refused", "%s takes no records (%s): %s; until then they wait", self._origin, refusal, remedy
            )
            self._refused = self._transport.token_fingerprint()
            self._backoff.failed(pause=REFUSED_SECONDS)
        except ServerError as error:
            return self._away(error)
        else:
            return True
        self._session.end()
        return False

    def _away(self, error: ServerError) -> bool:
        """Note that the server is away, or that something in between answers for it. False: not all is sent."""
        self._log.debug("server", "%s: %s; records wait", self._origin, error)
        self._backoff.failed(getattr(error, "retry_after", None))
        if getattr(error, "foreign", False) or self._backoff.open:
            self._log.once("away", "%s does not take records now (%s); they wait in the outbox", self._origin, error)
        self._session.end()
        return False

    def _well_again(self) -> None:
        """Forget that the server took nothing."""
        self._refused = None
        self._backoff.succeeded()
        self._log.reset()

    # -- journals

    def _look_around(self, urgent: bool) -> None:
        """Find this process's journal, and journals nobody living writes to."""
        journal = self._journal
        own = journal.names if journal is not None and journal.pid == os.getpid() else []
        for name in [name for name, reader in self._readers.items() if reader.owned and name not in own]:
            del self._readers[name]  # its lease was lost with its descriptor: it is for whoever takes it, below
        for name in own:
            if name not in self._readers:
                memory = journal.memory if journal is not None else None
                self._readers[name] = Reader(self._folder, name, owned=True, memory=memory)
                self._readers[name].save()  # the room for it is there, should the disk be full one day
                if journal is not None:
                    journal.reserve()
        if self._folder is None or (not urgent and time.monotonic() - self._looked < LOOK_AROUND_SECONDS):
            return
        if self._backoff.wait(urgent=urgent) > 0 or not os.path.isdir(self._folder):
            return
        self._looked = time.monotonic()
        self._blocked.requeue(urgent=urgent)
        for name in journals(self._folder):
            if name not in self._readers:
                self._adopt(self._folder, name)
            yield_gil()

    def _adopt(self, folder: str, name: str) -> None:
        """Take over a journal nobody living writes to; one that cannot be opened holds up no other."""
        path = lock_path(folder, name)
        with contextlib.suppress(OSError):
            if not journal_lease.take(path, adopted=True):
                return
            try:
                self._readers[name] = Reader(folder, name, owned=False)
            except OSError:
                journal_lease.release(path)
                raise

    def _drained(self, reader: Reader) -> bool:
        """Send one journal to its end; False when the disk does not let it: it is kept, and holds up no other."""
        try:
            self._drain(reader)
        except OSError as error:
            self._log.warning("disk", "records for %s wait: %s", self._origin, error)
            return False
        return True

    def _drain(self, reader: Reader) -> None:
        """Send one journal to its end.

        Raises:
            ServerError: the server did not take all of it.
        """
        while not reader.lost and reader.entries(1):
            self._sign_of_life(reader)
            delivery = self._session.delivery()
            self._session.new_batch()
            try:
                self._send(reader, reader.entries(delivery.batch), delivery)
            finally:
                reader.save()
            self._well_again()
        if reader.lost:
            self._let_go(reader)
            return
        if not reader.owned:
            self._end_lost_runs(reader)
        if reader.tidy(closed=not reader.owned):
            self._readers.pop(reader.name, None)

    def _sign_of_life(self, reader: Reader) -> None:
        if self._folder is not None and not reader.owned:
            journal_lease.touch(lock_path(self._folder, reader.name))

    def _let_go(self, reader: Reader) -> None:
        """Leave an adopted journal to whoever sends next: a process that rests may be stopped at any time."""
        self._readers.pop(reader.name, None)
        if self._folder is not None:
            journal_lease.release(lock_path(self._folder, reader.name))

    def _end_lost_runs(self, reader: Reader) -> None:
        """End the runs that a dead writer left open."""
        runs = reader.progress.open_runs
        if not runs or reader.requeued:
            return
        lost = [
            Numbered(f"{reader.name}:lost:{run}", {"type": "finish", "run": run, "at": time.time_ns(), "state": "lost"})
            for run in runs
        ]
        for _ in self._session.delivery().deliver(lost, reader.progress.delivery_state):
            pass
        if self._folder is not None:
            open_runs.remove_lost(self._folder, runs)
        runs.clear()
        reader.save()

    def _send(self, reader: Reader, entries: list[Entry], delivery: Delivery) -> None:
        """Deliver some entries; the progress advances as verdicts come in, in order."""
        records: list[Numbered] = []
        behind: list[Entry] = []  # the entry of each record
        for entry in entries:
            numbered = _numbered(reader.name, entry)
            if numbered is not None:
                records.append(numbered)
                behind.append(entry)
            elif behind:
                break  # dealt with when those before it are
            else:
                self._pass_over(reader, entry)
            yield_gil()
        if not records:
            return
        waiting = iter(zip(behind, records, strict=True))
        for verdicts in delivery.deliver(records, reader.progress.delivery_state, set_aside_before=reader.blocked):
            for verdict in verdicts:
                entry, numbered = next(waiting)
                self._settle(reader, entry, numbered, verdict)
            self._sign_of_life(reader)
            if 0 < len(verdicts) < len(records):
                reader.save()  # one request a record: a crash then repeats one at the most

    def _pass_over(self, reader: Reader, entry: Entry) -> None:
        """Deal with a line that holds no record: a header, a note of dropped records, damage."""
        if is_record(entry.line):
            key = f"{reader.name}:{entry.segment}@{entry.end}"
            dead_letters.append(self._folder, key, None, "the line in the journal is damaged")
            reader.progress.dead += 1
        reader.progress.dropped += dropped_by(entry.line)
        reader.advance(entry)

    def _settle(self, reader: Reader, entry: Entry, numbered: Numbered, verdict: DeliveryResult) -> None:
        """Write down what became of one record."""
        key, record = numbered
        progress = reader.progress
        reason = verdict.reason.encode("utf-8", "backslashreplace").decode()  # for whatever a log is written to
        if verdict.delivered:
            progress.sent += 1
        elif verdict.blocked:
            dead_letters.append(self._folder, key, record, reason, file=dead_letters.BLOCKED_FILE)
            progress.blocked += 1
            self._blocked.added()
            self._log.warning(
                "blocked", "a record for %s is refused on its way: %s; it is tried again later", self._origin, reason
            )
        else:
            dead_letters.append(self._folder, key, record, reason)
            progress.dead += 1
            self._log.warning(
                "dead", "a record for %s cannot be delivered: %s (autoflow outbox status)", self._origin, reason
            )
        runs = progress.open_runs
        if record.get("type") == "run":
            runs[record["run"]] = True
        elif record.get("type") == "finish":
            runs.pop(record["run"], None)
        reader.advance(entry)


def _numbered(journal: str, entry: Entry) -> Numbered | None:
    """The record of a line, or None when it holds none."""
    if entry.line.body is None or not is_record(entry.line):
        return None
    try:
        record = json.loads(entry.line.body)
        number = record.pop("n")
        return Numbered(record.pop("key", None) or f"{journal}:{number}", record)
    except (ValueError, KeyError):
        return None
