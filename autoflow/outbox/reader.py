"""The reader of one journal: lines not dealt with yet, in order, across segments.

Each segment is read from its own offset, so that a late write into an older segment (by a thread that was inside
`write()` during the rotation) is found as well. A segment is removed when a newer one exists, it is dealt with to its
end, and no thread can be writing to it any more. A read error is never taken for the end: the segment stays.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import time
from collections.abc import Generator
from typing import NamedTuple

from autoflow.outbox import frame, journal_lease, progress
from autoflow.outbox.journal_files import (
    BLOCKED,
    RETRIED,
    dropped_of,
    dropped_path,
    journals,
    lock_path,
    progress_path,
    segment_path,
)

CHUNK_BYTES = 64 << 10
LONGEST_LINE = 1 << 20
BATCH_BYTES = 1 << 20
SETTLE_SECONDS = 2.0


class Entry(NamedTuple):
    """One line and its position."""

    segment: int
    end: int
    line: frame.Line


class Reader:
    """Reads one journal.

    Args:
        folder: folder of its segments; None when they are in memory.
        name: the journal's.
        owned: its writer is this process.
        memory: descriptors of segments in memory, by number; shared with the writer.
        from_start: read from the first line, ignoring the progress.
    """

    def __init__(
        self,
        folder: str | None,
        name: str,
        *,
        owned: bool,
        memory: dict[int, int] | None = None,
        from_start: bool = False,
    ) -> None:
        self.folder = folder
        self.name = name
        self.owned = owned
        self.progress = progress.load(folder, name) if folder and not from_start else progress.Progress()
        self.blocked = name.startswith(BLOCKED)  # its records were set aside before
        self.requeued = self.blocked or name.startswith(RETRIED)
        self._memory = memory if memory is not None else {}
        self._settled: dict[int, float] = {}  # segment -> monotonic time at which it was first read to its end

    @property
    def lost(self) -> bool:
        """Whether another process has taken the journal over."""
        return self.folder is not None and not self.owned and journal_lease.lost(lock_path(self.folder, self.name))

    def segments(self) -> list[int]:
        """Return the numbers of the existing segments."""
        if self.folder is None:
            return sorted(self._memory)
        return journals(self.folder).get(self.name, [])

    def entries(self, limit: int = 500) -> list[Entry]:
        """Return the next lines not dealt with: at most `limit`, and at most `BATCH_BYTES` and a line.

        Raises:
            OSError: a segment cannot be read.
        """
        batch: list[Entry] = []
        size = 0
        for segment in self.segments():
            with contextlib.closing(self._lines(segment)) as lines:
                for entry in lines:
                    batch.append(entry)
                    size += len(entry.line.raw)
                    if len(batch) >= limit or size >= BATCH_BYTES:
                        return batch
        return batch

    def _lines(self, segment: int) -> Generator[Entry, None, None]:
        """Yield the complete lines of a segment, from its offset to its end."""
        descriptor = self._open(segment)
        if descriptor < 0:
            return
        begin = position = self.progress.offsets.get(segment, 0)
        rest = b""
        try:
            while chunk := os.pread(descriptor, CHUNK_BYTES, position):
                position += len(chunk)
                *lines, rest = (rest + chunk).split(b"\n")
                for raw in lines:
                    begin += len(raw) + 1
                    yield Entry(segment, begin, frame.decode(raw))
                if len(rest) > LONGEST_LINE:  # longer than any record: damage, skipped except for a frame at its end
                    damaged, rest = rest[: -LONGEST_LINE // 2], rest[-LONGEST_LINE // 2 :]
                    begin += len(damaged)
                    yield Entry(segment, begin, frame.Line(None, damaged))
        finally:
            if self.folder is not None:
                os.close(descriptor)

    def _open(self, segment: int) -> int:
        """Return a descriptor to read a segment with; -1 when it was removed."""
        if self.folder is None:
            return self._memory.get(segment, -1)
        path = segment_path(self.folder, self.name, segment)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return -1
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
            return descriptor
        os.close(descriptor)
        raise PermissionError(f"{path} is not a regular file, or belongs to user {status.st_uid}")

    def advance(self, entry: Entry) -> None:
        """Note that an entry is dealt with, until `save` in memory only."""
        self.progress.offsets[entry.segment] = entry.end
        self.progress.recorded += is_record(entry.line)

    def save(self) -> None:
        """Write the progress, if the disk allows it; without it, a crash makes some records be sent again."""
        if self.folder is not None and not self.lost:
            with contextlib.suppress(OSError):
                progress.save(self.folder, self.name, self.progress)

    def waiting(self) -> int:
        """Count the records not dealt with, by reading all of them."""
        return self.unread()[0]

    def unread(self) -> tuple[int, int]:
        """Count the records not dealt with, and those that the writer noted there as dropped.

        Raises:
            OSError: a segment cannot be read.
        """
        records = dropped = 0
        for segment in self.segments():
            for _, _, line in self._lines(segment):
                records += is_record(line)
                dropped += dropped_by(line)
        return records, dropped

    def tidy(self, *, closed: bool) -> bool:
        """Remove segments that are dealt with; with `closed` (the writer is dead), remove the journal once all is sent.

        Returns:
            Whether the journal was removed.

        Raises:
            OSError: a segment cannot be read, or the totals cannot be written; the files stay.
        """
        segments = self.segments()
        for segment in segments if closed else segments[:-1]:
            with contextlib.closing(self._lines(segment)) as lines:
                if next(lines, None) is not None:
                    self._settled.pop(segment, None)
                    return False
            since = self._settled.setdefault(segment, time.monotonic())
            if closed or time.monotonic() - since >= SETTLE_SECONDS:
                self._remove(segment)
        if closed:
            self._fold()
        return closed

    def _remove(self, segment: int) -> None:
        if self.folder is None:
            os.close(self._memory.pop(segment))
            return
        with contextlib.suppress(OSError):
            os.unlink(segment_path(self.folder, self.name, segment))

    def _fold(self) -> None:
        """Add a finished journal to its folder's totals, and remove its remaining files."""
        assert self.folder is not None
        with progress.locked_totals(self.folder) as totals:
            if self.name not in totals.folded:
                totals.recorded += self.progress.recorded
                totals.sent += self.progress.sent
                totals.dead += self.progress.dead
                totals.dropped += max(self.progress.dropped, dropped_of(self.folder, self.name))
                totals.blocked += self.progress.blocked
                totals.folded = [*totals.folded[-999:], self.name]
        for path in (progress_path(self.folder, self.name), dropped_path(self.folder, self.name)):
            with contextlib.suppress(OSError):
                os.unlink(path)
        journal_lease.release(lock_path(self.folder, self.name), remove=True)


def is_record(line: frame.Line) -> bool:
    """Return whether a line counts as a record: no header and no note of dropped ones. A damaged line does."""
    return line.body is None or line.body.startswith(b'{"n":')


def dropped_by(line: frame.Line) -> int:
    """Return how many records a line notes as dropped; 0 for any other line."""
    if line.body is None or is_record(line):
        return 0
    with contextlib.suppress(ValueError, TypeError, AttributeError):
        return int(json.loads(line.body).get("dropped", 0))
    return 0
