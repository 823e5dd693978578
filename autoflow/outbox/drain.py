"""Sending the journals of one folder: this process's own, and those whose writers are gone, each under its lease."""

from __future__ import annotations

import contextlib
import json
import os
import time

from autoflow.errors import ServerBusy
from autoflow.outbox import dead_letters, journal_lease, open_runs
from autoflow.outbox.blocked import BlockedRecords
from autoflow.outbox.destination_session import DestinationSession
from autoflow.outbox.destinations.base import Backend, DeliveryResult, NumberedRecord
from autoflow.outbox.journal import Journal
from autoflow.outbox.journal_files import journals, lock_path
from autoflow.outbox.reader import Entry, Reader, dropped_by, is_record
from autoflow.process.rate_limited_log import RateLimitedLogger
from autoflow.process.threads import yield_gil

SCAN_SECONDS = 1.5  # between scans for journals of dead processes

_COUNTS = ("recorded", "sent", "waiting", "dead", "dropped")


class Drain:
    """Reads journals, sends what is in them, and notes what became of each record.

    Args:
        folder: the destination's folder; None for a journal in memory.
        journal: the one this process writes to, or None.
        session: delivers records.
        log: for what users should know.
    """

    def __init__(
        self, folder: str | None, journal: Journal | None, session: DestinationSession, log: RateLimitedLogger
    ) -> None:
        self.readers: dict[str, Reader] = {}
        self._folder = folder
        self._journal = journal
        self._session = session
        self._log = log
        self._unreadable = False  # whether the disk kept the last pass from some journal
        self._blocked = BlockedRecords(folder)
        self._any_blocked = False
        self._scanned_at = 0.0

    @property
    def unreadable(self) -> bool:
        """Whether some journal could not be read or settled in the last pass."""
        return self._unreadable

    @property
    def complete(self) -> bool:
        """Whether the last pass could read every journal and left no record blocked."""
        return not self._unreadable and not self._any_blocked

    def counts(self) -> dict[str, int]:
        """Count the records of the journals being read, by what became of them."""
        counts: dict[str, int] = dict.fromkeys(_COUNTS, 0)
        for reader in list(self.readers.values()):
            waiting, dropped = reader.unread()
            progress = reader.progress
            counts["sent"] += progress.sent
            counts["dead"] += progress.dead
            counts["waiting"] += waiting
            counts["dropped"] += progress.dropped + dropped
        counts["recorded"] = counts["sent"] + counts["waiting"] + counts["dead"]
        return counts

    def has_unsent(self) -> bool:
        """Return whether the journal of this process holds records that were not dealt with."""
        with contextlib.suppress(OSError):
            return any(reader.owned and reader.entries(1) for reader in self.readers.values())
        return False

    def maintain_journal(self) -> None:
        """Run the maintenance of this process's own journal."""
        journal = self._journal
        if journal is None or journal.pid != os.getpid():
            return
        reader = self.readers.get(journal.name)
        sent = reader.progress.offsets.get(journal.segment, 0) if reader is not None else 0
        if journal.maintain(sent):
            for reader in self.readers.values():
                if reader.owned:
                    reader.save()  # the progress files were removed with the folder

    # -- which journals

    def find_journals(self, *, urgent: bool) -> None:
        """Find this process's journal and, now and then, journals whose writers are gone.

        Args:
            urgent: somebody waits for it: scan the folder now.
        """
        journal = self._journal
        own = journal.names if journal is not None and journal.pid == os.getpid() else []
        for name in [name for name, reader in self.readers.items() if reader.owned and name not in own]:
            del self.readers[name]  # its lease was lost with its descriptor; whoever takes it, below, sends it
        for name in own:
            if name not in self.readers:
                memory = journal.memory if journal is not None else None
                self.readers[name] = Reader(self._folder, name, owned=True, memory=memory)
                self.readers[name].save()  # allocates the file now: the disk may be full later
                if journal is not None:
                    journal.reserve()
        if self._folder is None or (not urgent and time.monotonic() - self._scanned_at < SCAN_SECONDS):
            return
        if self._session.wait(urgent=urgent) > 0 or not os.path.isdir(self._folder):
            return
        self._scanned_at = time.monotonic()
        self._blocked.requeue(urgent=urgent)
        for name in journals(self._folder):
            if name not in self.readers:
                self._adopt(self._folder, name)
            yield_gil()

    def _adopt(self, folder: str, name: str) -> None:
        """Take over a journal whose writer is gone; one that cannot be opened does not hold up the others."""
        path = lock_path(folder, name)
        with contextlib.suppress(OSError):
            if not journal_lease.take(path, adopted=True):
                return
            try:
                self.readers[name] = Reader(folder, name, owned=False)
            except OSError:
                journal_lease.release(path)
                raise

    def release_adopted(self) -> None:
        """Release adopted journals between passes: a sleeping process may be stopped at any time."""
        for reader in list(self.readers.values()):
            if not reader.owned:
                self._release(reader)

    def _release(self, reader: Reader) -> None:
        self.readers.pop(reader.name, None)
        if self._folder is not None:
            journal_lease.release(lock_path(self._folder, reader.name))

    def _renew_lease(self, reader: Reader) -> None:
        if self._folder is not None and not reader.owned:
            journal_lease.touch(lock_path(self._folder, reader.name))

    # -- sending them

    def send_all(self) -> None:
        """Send every journal to its end, or up to the first failure.

        Raises:
            ServerError: the server did not take all of it.
        """
        self._unreadable = not all([self._sent_or_unreadable(reader) for reader in list(self.readers.values())])
        self._any_blocked = self._blocked.any()

    def _sent_or_unreadable(self, reader: Reader) -> bool:
        """Send one journal; return False on a disk error: the journal is kept and does not hold up the others."""
        try:
            self._send_journal(reader)
        except OSError as error:
            self._log.warning("disk", "records for %s wait: %s", self._session.origin, error)
            return False
        return True

    def _send_journal(self, reader: Reader) -> None:
        """Send one journal to its end.

        Raises:
            ServerError: the server did not take all of it.
        """
        while not reader.lost and reader.entries(1):
            self._renew_lease(reader)
            backend = self._session.identified()
            try:
                self._send_entries(reader, reader.entries(backend.batch), backend)
            finally:
                reader.save()
            self._session.succeeded()
        if reader.lost:
            self._release(reader)
            return
        if not reader.owned:
            self._end_lost_runs(reader)
        if reader.tidy(closed=not reader.owned):
            self.readers.pop(reader.name, None)

    def _end_lost_runs(self, reader: Reader) -> None:
        """End the runs that a dead writer left open."""
        runs = reader.progress.open_runs
        if not runs or reader.requeued:
            return
        lost = [
            NumberedRecord(
                f"{reader.name}:lost:{run}",
                {"type": "finish", "run": run, "at": time.time_ns(), "state": "lost", "error": None},
            )
            for run in runs
        ]
        backend, state = self._session.identified(), reader.progress.delivery_state
        for _ in backend.deliver(lost, state, circuit_open=self._session.backoff.open):
            pass
        if self._folder is not None:
            open_runs.remove_lost(self._folder, runs)
        runs.clear()
        reader.save()

    def _send_entries(self, reader: Reader, entries: list[Entry], backend: Backend) -> None:
        """Deliver some entries; the progress advances as results come in, in order.

        Raises:
            ServerError: the destination did not take all of them.
        """
        records: list[NumberedRecord] = []
        sources: list[Entry] = []  # the entry of each record
        for entry in entries:
            numbered = _numbered(reader.name, entry)
            if numbered is not None:
                records.append(numbered)
                sources.append(entry)
            elif sources:
                break  # skipped once the records before it are dealt with
            else:
                self._skip(reader, entry)
            yield_gil()
        if not records:
            return
        waiting = iter(zip(sources, records, strict=True))
        delivery = backend.deliver(
            records,
            reader.progress.delivery_state,
            set_aside_before=reader.blocked,
            circuit_open=self._session.backoff.open,
        )
        for results in delivery:
            for result in results:
                entry, numbered = next(waiting)
                self._settle(reader, entry, numbered, result)
            self._renew_lease(reader)
            if 0 < len(results) < len(records):
                reader.save()  # one request a record: a crash then repeats at most one
        if next(waiting, None) is not None:
            raise ServerBusy("the destination gave no result for some records", status=200)

    def _skip(self, reader: Reader, entry: Entry) -> None:
        """Pass over a line that holds no record: a header, a count of dropped records, or a damaged line."""
        if is_record(entry.line):
            key = f"{reader.name}:{entry.segment}@{entry.end}"
            dead_letters.append(self._folder, key, None, "the line in the journal is damaged")
            reader.progress.dead += 1
        reader.progress.dropped += dropped_by(entry.line)
        reader.advance(entry)

    def _settle(self, reader: Reader, entry: Entry, numbered: NumberedRecord, result: DeliveryResult) -> None:
        """Note the result of one record."""
        key, record = numbered
        progress = reader.progress
        origin = self._session.origin
        reason = result.reason.encode("utf-8", "backslashreplace").decode()  # writable to any log
        if result.delivered:
            progress.sent += 1
        elif result.blocked:
            dead_letters.append(self._folder, key, record, reason, file=dead_letters.BLOCKED_FILE)
            progress.blocked += 1
            self._blocked.added()
            self._log.warning(
                "blocked",
                "a record for %s was refused by something between here and the server: %s; it is retried later",
                origin,
                reason,
            )
        else:
            dead_letters.append(self._folder, key, record, reason)
            progress.dead += 1
            self._log.warning(
                "dead", "a record for %s cannot be delivered: %s (autoflow outbox status)", origin, reason
            )
        if record.get("type") == "run":
            progress.open_runs[record["run"]] = True
        elif record.get("type") == "finish":
            progress.open_runs.pop(record["run"], None)
        reader.advance(entry)


def _numbered(journal: str, entry: Entry) -> NumberedRecord | None:
    """Parse the record of a line; None when it holds none."""
    if entry.line.body is None or not is_record(entry.line):
        return None
    try:
        record = json.loads(entry.line.body)
        number = record.pop("n")
        return NumberedRecord(record.pop("key", None) or f"{journal}:{number}", record)
    except (ValueError, KeyError):
        return None
