"""The journal: where a record is safe once `append` has returned.

One per process and destination; one `write()` on an O_APPEND descriptor a record, no lock. What the process wrote
stays in the page cache when it is killed. The file's name has 64 random bits, so neither a reused process number nor
a second container on the same volume can meet it. The descriptor's number is kept for the life of the process and
turned to the next file by `dup2`: closing it while another thread is inside a write would send that thread's record
into whatever file of the app got the number next.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import logging
import os
import time
import weakref
from os import getpid, write  # by name: the hot path looks them up once a record
from time import time_ns
from zlib import crc32

from autoflow import settings
from autoflow.outbox import atomic_file, frame, home, journal_lease
from autoflow.outbox.journal_files import dropped_path, lock_path, segment_path
from autoflow.process import forks, threads
from autoflow.process.file_descriptors import OwnedFd, move_high, own_fd
from autoflow.process.forks import ProcessLock
from autoflow.process.rate_limited_log import RateLimitedLogger

SEGMENT_BYTES = 8 << 20
QUOTA_BYTES = 256 << 20
RETRY_SECONDS = 1.0
SETTLE_SECONDS = 2.0  # after which no thread is still inside a write to a file that was left
SYNC_SECONDS = 1.0  # between syncs with AUTOFLOW_DURABILITY=interval
COPY_BYTES = 4 << 20  # longer than any line
MEMORY_SEGMENT_BYTES = 1 << 20
MEMORY_BYTES = 16 << 20  # without any folder: anonymous files, gone with the process

_logger = logging.getLogger("autoflow")


class Journal:
    """The writing end of this process's journal for one destination.

    Args:
        folder: where segments go; None keeps them in memory.
        origin: the destination, for the first line of each segment. Never a token.
        quota: bytes in the folder above which records are refused and counted; nothing is removed to make room.
    """

    def __init__(self, folder: str | None, origin: str, quota: int = QUOTA_BYTES) -> None:
        self.folder = folder
        self.origin = origin
        self.dropped = 0  # records this process could not write, by any cause, not yet noted in a journal
        self.lost = 0  # all records this process could not write
        self._noted = 0  # those noted in this journal
        self._saved = 0  # those of `dropped` that the journal's file of dropped records counts
        self._save_at = 0.0  # monotonic seconds before which that file is not tried again
        self._log = RateLimitedLogger(_logger)
        self._removed: list[_Removed] = []  # files that were removed while they were written to
        self.name = ""
        self.names: list[str] = []  # what this process has written to, the present one last
        self.segment = 0
        self.memory: dict[int, int] = {}  # without a folder: segment -> a descriptor to read it by
        self._quota = quota if folder else MEMORY_BYTES
        self._fd = -1
        self._held: OwnedFd | None = None
        self._pid = 0
        self.size = 0
        self._limit = 0  # bytes in this segment after which something is due: rotation, or refusal
        self._count = itertools.count(1)  # never restarted: a number taken before a reopening stays unique after it
        self._retry_at = 0.0  # monotonic seconds before which a full or unusable folder is not looked at again
        self._opening = ProcessLock()
        self._durability = settings.durability()
        self._sync = self._durability == "sync"
        self._synced = (0, 0)  # segment and size at the last sync
        _journals.add(self)

    # -- the hot path

    def append(self, record: bytes) -> int:
        """Write one record; its number in the journal, or 0 when it could not be written (it is counted).

        Args:
            record: the members of a JSON object, without the braces: ``"type":"edge",...``.
        """
        if self._pid != getpid():
            self._open()
        number = next(self._count)
        body = b'{"n":%d,"at":%d,%b}' % (number, time_ns(), record)
        line = b"%08x %b\n" % (crc32(body), body)
        size = len(line)
        try:
            if self.size > self._limit:
                self._make_room()
            if self._sync:
                self._write_through(line)
            elif write(self._fd, line) != size:
                raise OSError("short write")
            self.size += size
        except OSError as error:
            return self._retry(line, number, error)
        if self.dropped:
            self._note_dropped()
        return number

    def _write_through(self, line: bytes) -> None:
        """Write a record and have it on the disk; under the lock, so that the file synced is the one written to.

        Raises:
            OSError: it was not written.
        """
        with self._opening:
            if os.write(self._fd, line) != len(line):
                raise OSError("short write")
            with contextlib.suppress(OSError):  # it is written: another try would write it twice
                os.fdatasync(self._fd)

    # -- everything below is rare

    def _retry(self, line: bytes, number: int, error: OSError) -> int:
        """Write once more to a new file when the old descriptor is gone; else count the record as dropped."""
        if error.errno in {errno.EBADF, errno.EINVAL}:  # somebody closed our descriptor
            with contextlib.suppress(OSError):
                self._open(anew=True)
                self._write_through(line)
                self.size += len(line)
                return number
        with self._opening:
            self.dropped += 1
            self.lost += 1
            self._save_dropped()
        self._log.warning(
            "dropped",
            "a record could not be written to %s and is lost (%s); free space there, send or purge what the outbox "
            "holds (autoflow outbox sync), or set AUTOFLOW_HOME to another disk",
            self.folder or "memory",
            error,
        )
        return 0

    @property
    def unsaved(self) -> int:
        """Records dropped that no file counts yet."""
        return self.dropped - self._saved

    def reserve(self) -> None:
        """Make the file that counts dropped records, so that it has its room should the disk be full one day."""
        if self.folder is not None and not os.path.lexists(dropped_path(self.folder, self.name)):
            with self._opening:
                self._save_dropped()

    def _save_dropped(self) -> None:
        """Write the count of dropped records to its file: it survives this process, and a disk that stays full."""
        if self.folder is None or not self.name or time.monotonic() < self._save_at:
            return
        try:
            content = json.dumps({"dropped": self._noted + self.dropped}).encode()
            atomic_file.write(dropped_path(self.folder, self.name), content)
            self._saved = self.dropped
        except OSError:
            self._save_at = time.monotonic() + RETRY_SECONDS

    def _note_dropped(self) -> None:
        """Leave a note of what was lost in the journal, so that `outbox status` of any process can count it."""
        with self._opening:
            note = frame.encode(b'{"dropped":%d}' % self.dropped)
            with contextlib.suppress(OSError):
                if self.dropped and os.write(self._fd, note) == len(note):
                    self._noted += self.dropped
                    self.dropped = self._saved = 0

    def _open(self, *, anew: bool = False) -> None:
        """Start a journal of this process: at first use, after a fork, when the descriptor was closed under us.

        Whoever closed that may have closed the lock file too, and with it ended our lease: the old journal is left to
        whoever takes it, ourselves perhaps.
        """
        with self._opening:
            pid = getpid()
            if self._pid == pid and not (anew and not self._still_ours()):
                return
            if self._pid not in {0, pid}:  # a fork: what the parent wrote and could not write is its own to send
                self.dropped = self.lost = self._saved = 0
                self.memory = {}
                for removed in self._removed:
                    removed.close()
                self._removed = []
            self.names = []
            self._retry_at = 0.0
            self._synced = (0, 0)
            if not self._turn_to(os.urandom(8).hex(), self.segment + 1 if self.memory else 0):
                self._fd, self._held, self.size, self._limit = -1, None, 0, -1
            first, self._pid = self._pid != pid, pid
            if first and self._durability == "interval":
                _sync_periodically(self)

    def _turn_to(self, name: str, segment: int, copy: _Removed | None = None) -> bool:
        """Go on in a new file, on our descriptor number if there is one; False when it cannot be opened.

        The new file begins with what `copy` holds, so that the order is kept.

        A signal handler of the app's may record in the middle of this and go through it to its end. Then two files
        are made, both with all they need, and both are in `names`.
        """
        try:
            fresh = self._fresh(name, segment)
        except (OSError, AttributeError):  # AttributeError: no memfd on this system
            self.name = self.name or name
            return False
        header = json.dumps({"journal": name, "segment": segment, "origin": self.origin})
        with contextlib.suppress(OSError):
            os.write(fresh, frame.encode(header.encode()))
        try:
            copied = copy.copy_to(fresh) if copy is not None else 0
        except OSError:
            os.close(fresh)
            with contextlib.suppress(OSError):
                os.unlink(segment_path(self.folder or "", name, segment))
            return False
        if self._durability != "process":
            self._settle(fresh)
        if self._still_ours():
            os.dup2(fresh, self._fd, inheritable=False)
            os.close(fresh)
        else:
            self._fd = move_high(fresh)
        self._held = own_fd(self._fd)
        if name != self.name:
            self.dropped -= self._saved  # the file of the journal left behind counts them
            self._noted = self._saved = 0
        self.name, self.segment = name, segment
        if name not in self.names:
            self.names.append(name)
        self.size = copied
        # an eighth, so that a full outbox has segments that go when they are sent
        segment_bytes = min(SEGMENT_BYTES if self.folder else MEMORY_SEGMENT_BYTES, self._quota // 8)
        self._limit = max(-1, min(segment_bytes, self._quota - self._used()))
        return True

    def _fresh(self, name: str, segment: int) -> int:
        """A new file, open for appending.

        Raises:
            OSError: it cannot be made.
        """
        if self.folder is None:
            fresh = os.memfd_create("autoflow-journal", os.MFD_CLOEXEC)
            self.memory[segment] = move_high(os.dup(fresh))
            return fresh
        if name not in self.names:
            journal_lease.take(lock_path(self.folder, name))
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(segment_path(self.folder, name, segment), flags, 0o600)

    def _settle(self, fresh: int) -> None:
        """Have what is left behind, and the new file's place in its folder, survive a power cut."""
        self.sync()
        with contextlib.suppress(OSError):
            os.fsync(fresh)
        if self.folder is not None:
            with contextlib.suppress(OSError):
                place = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                try:
                    os.fsync(place)
                finally:
                    os.close(place)

    def _still_ours(self) -> bool:
        """Whether our descriptor number still means our file: a daemon may have closed it and the app reused it."""
        return self._held is not None and self._held.ours

    def _make_room(self) -> None:
        """Go on to the next segment, or refuse when the quota is used up.

        Raises:
            OSError: no room; the caller counts the record.
        """
        with self._opening:
            if 0 <= self.size <= self._limit:
                return
            if time.monotonic() >= self._retry_at:
                if self._used() <= self._quota:
                    if self._turn_to(self.name, self.segment + 1):
                        return
                    if self._fd >= 0:  # no new file can be opened, but the old one takes more
                        self._limit = self.size + self._quota // 64
                        return
                self._retry_at = time.monotonic() + RETRY_SECONDS
        raise OSError("the outbox is full or cannot be written")

    def _used(self) -> int:
        """Bytes of all that is in the folder, or of this journal in memory; what cannot be looked at is nothing."""
        if self.folder is None:
            return sum(os.fstat(descriptor).st_size for descriptor in list(self.memory.values()))
        total = 0
        with contextlib.suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    total += entry.stat(follow_symlinks=False).st_size
        return total

    def maintain(self, sent: int = 0) -> bool:
        """Do the maintenance that the sender does for the writer between its own work.

        Notes dropped records, though no other record is written. When somebody removed the file written to, goes on
        in a new one, which begins with what was not sent yet: the descriptor still reads the removed file.

        Args:
            sent: bytes of the present segment that are dealt with.

        Returns:
            Whether a removed file was replaced.
        """
        if self.dropped:
            self._note_dropped()
        if self.folder is None or self._fd < 0:
            return False
        if self._removed:
            with self._opening:
                self._removed = [removed for removed in self._removed if removed.follow(self._fd)]
        if not self.removed:
            return False
        with self._opening, contextlib.suppress(OSError):
            if self.removed:
                return self._replace_removed(self.folder, sent)
        return False

    @property
    def removed(self) -> bool:
        """Whether the file written to is no longer where it was."""
        if self.folder is None or self._fd < 0:
            return False
        return not os.path.lexists(segment_path(self.folder, self.name, self.segment))

    def _replace_removed(self, folder: str, sent: int) -> bool:
        """Go on in a new file of the same journal, with the records of the removed one that were not sent.

        Raises:
            OSError: the folder or the file cannot be made; the removed file is written to as before.
        """
        removed = _Removed(move_high(os.dup(self._fd)), sent)
        try:
            home.make(folder)
            journal_lease.release(lock_path(folder, self.name))  # its file was removed too
            journal_lease.take(lock_path(folder, self.name))
            replaced = self._turn_to(self.name, self.segment + 1, removed)
        except OSError:
            removed.close()
            raise
        if not replaced:
            removed.close()
            return False
        self._removed.append(removed)
        self._save_dropped()
        self._log.warning(
            "removed", "%s was removed while records were written to it; they go on in a new file there", folder
        )
        return True

    def sync(self) -> None:
        """Have what was written so far survive a power cut."""
        written = self.segment, self.size
        if self._fd >= 0 and written != self._synced:
            with contextlib.suppress(OSError):
                os.fdatasync(self._fd)
                self._synced = written

    def leave(self) -> None:
        """Do what the durability asked for needs when the process leaves."""
        if self._durability == "interval":
            self.sync()

    @property
    def pid(self) -> int:
        """The process the journal belongs to; 0 before the first record."""
        return self._pid


class _Removed:
    """A removed journal file that a descriptor still reads; a thread inside `write()` may yet add to it.

    Args:
        fd: the descriptor, owned by this object.
        position: where to read from.
    """

    def __init__(self, fd: int, position: int) -> None:
        self._owned = own_fd(fd)
        self._fd = fd
        self._position = position
        self._until = time.monotonic() + SETTLE_SECONDS

    def copy_to(self, target: int) -> int:
        """Append the whole lines from the position on to another file; how many bytes.

        Raises:
            OSError: they could not be written.
        """
        copied = 0
        while self._owned.ours and (chunk := os.pread(self._fd, COPY_BYTES, self._position)):
            lines = chunk[: chunk.rfind(b"\n") + 1]
            if not lines:
                break  # a line that is being written, or was cut short
            if os.write(target, lines) != len(lines):
                raise OSError(errno.ENOSPC, "could not be copied whole")
            self._position += len(lines)
            copied += len(lines)
        return copied

    def follow(self, target: int) -> bool:
        """Copy what was added since; False once nothing can be added any more."""
        with contextlib.suppress(OSError):
            self.copy_to(target)
        if time.monotonic() < self._until:
            return True
        self.close()
        return False

    def close(self) -> None:
        """Close the descriptor."""
        self._owned.close()


def _sync_periodically(journal: Journal) -> None:
    """Sync a journal once a second, for as long as it exists and this process uses it.

    On a thread of its own, because the sender may wait for a server for longer than that.
    """
    reference, pid = weakref.ref(journal), journal.pid

    def work() -> None:
        while (alive := reference()) is not None and alive.pid == pid:
            alive.sync()
            del alive
            time.sleep(SYNC_SECONDS)

    threads.start(work, "autoflow-sync")


_journals: weakref.WeakSet[Journal] = weakref.WeakSet()


@forks.in_child
def _forked() -> None:
    """Let no journal take a child for its parent: the number of a dead ancestor is given again."""
    for journal in list(_journals):
        if journal._pid:
            journal._pid = -1
