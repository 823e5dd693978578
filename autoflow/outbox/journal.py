"""The journal: a write-ahead log; a record is safe once `append` has returned.

Each process has one a destination. A record is one `write()` on an O_APPEND descriptor, without a lock; it stays in the
page cache when the process is killed. The file's name has 64 random bits, so that neither a reused process id nor a
second container on the same volume can collide with it. The descriptor's number stays the same for the life of the
process, and `dup2` points it to the next file: closing it while another thread is inside a write would send that
thread's record into whatever file of the app gets the number next.

``AUTOFLOW_DURABILITY`` says what survives a power cut, not only the process: ``process``: nothing is asked of the disk;
``interval``: a thread syncs once a second; ``sync``: each record is on the disk when the call returns.
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
SETTLE_SECONDS = 2.0  # after which no thread is still inside a write to an earlier file
SYNC_SECONDS = 1.0  # between syncs with AUTOFLOW_DURABILITY=interval
COPY_BYTES = 4 << 20  # longer than any line
MEMORY_SEGMENT_BYTES = 1 << 20
MEMORY_BYTES = 16 << 20  # without a folder: anonymous files, which end with the process

_logger = logging.getLogger("autoflow")


class Journal:
    """The writer of this process's journal for one destination.

    Args:
        folder: folder of the segments; None keeps them in memory.
        origin: the destination, for the first line of each segment. Never a token.
        quota: bytes in the folder above which records are refused and counted; nothing is removed to make room.
    """

    def __init__(self, folder: str | None, origin: str, quota: int = QUOTA_BYTES) -> None:
        self.folder = folder
        self.origin = origin
        self.dropped = 0  # records this process could not write, for any reason, not yet noted in a journal
        self.lost = 0  # all records this process could not write
        self._noted = 0  # those noted in this journal
        self._saved = 0  # those of `dropped` that the file of dropped records counts
        self._save_at = 0.0  # monotonic seconds before which that file is not tried again
        self._log = RateLimitedLogger(_logger)
        self._removed: list[_Removed] = []  # files that were removed while they were written to
        self.name = ""
        self.names: list[str] = []  # journals this process has written to, the current one last
        self.segment = 0
        self.memory: dict[int, int] = {}  # without a folder: segment -> descriptor to read it with
        self._quota = quota if folder else MEMORY_BYTES
        self._fd = -1
        self._owned: OwnedFd | None = None
        self._pid = 0
        self.size = 0
        self._limit = 0  # bytes in this segment after which it is rotated or records are refused
        self._count = itertools.count(1)  # never restarted: a number taken before a reopening stays unique after it
        self._retry_at = 0.0  # monotonic seconds before which a full or unusable folder is not checked again
        self._opening = ProcessLock()
        self._durability = settings.durability()
        self._sync = self._durability == "sync"
        self._synced = (0, 0)  # segment and size at the last sync
        _journals.add(self)

    # -- the hot path

    def append(self, record: bytes) -> int:
        """Write one record; return its number in the journal, or 0 when it could not be written (and is counted).

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
        """Write a record and sync it, under the lock, so that the file synced is the one written to.

        Raises:
            OSError: it was not written.
        """
        with self._opening:
            if os.write(self._fd, line) != len(line):
                raise OSError("short write")
            with contextlib.suppress(OSError):  # the record is written: a retry would write it twice
                os.fdatasync(self._fd)

    # -- errors and rotation

    def _retry(self, line: bytes, number: int, error: OSError) -> int:
        """Retry in a new file when the old descriptor was closed; else count the record as dropped."""
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
            "a record could not be written to %s and is lost (%s); free space there, send the records that wait "
            "(autoflow outbox sync), or set AUTOFLOW_HOME to another disk",
            self.folder or "memory",
            error,
        )
        return 0

    @property
    def unsaved(self) -> int:
        """The number of dropped records that no file counts yet."""
        return self.dropped - self._saved

    def reserve(self) -> None:
        """Create the file that counts dropped records, so that its space is allocated before the disk is full."""
        if self.folder is not None and not os.path.lexists(dropped_path(self.folder, self.name)):
            with self._opening:
                self._save_dropped()

    def _save_dropped(self) -> None:
        """Write the count of dropped records to its file, which survives the process and works on a full disk."""
        if self.folder is None or not self.name or time.monotonic() < self._save_at:
            return
        try:
            content = json.dumps({"dropped": self._noted + self.dropped}).encode()
            atomic_file.write(dropped_path(self.folder, self.name), content)
            self._saved = self.dropped
        except OSError:
            self._save_at = time.monotonic() + RETRY_SECONDS

    def _note_dropped(self) -> None:
        """Note the dropped records in the journal, so that `outbox status` of any process counts them."""
        with self._opening:
            note = frame.encode(b'{"dropped":%d}' % self.dropped)
            with contextlib.suppress(OSError):
                if self.dropped and os.write(self._fd, note) == len(note):
                    self._noted += self.dropped
                    self.dropped = self._saved = 0

    def _open(self, *, anew: bool = False) -> None:
        """Start a journal of this process: at first use, after a fork, or when the app closed the descriptor.

        The app may have closed the lock file too, which ends the lease: any process, this one included, may then take
        over the old journal.
        """
        with self._opening:
            pid = getpid()
            if self._pid == pid and not (anew and not self._still_ours()):
                return
            if self._pid not in {0, pid}:  # a fork: the parent sends and counts its own records
                self.dropped = self.lost = self._saved = 0
                self.memory = {}
                for removed in self._removed:
                    removed.close()
                self._removed = []
            self.names = []
            self._retry_at = 0.0
            self._synced = (0, 0)
            if not self._turn_to(os.urandom(8).hex(), self.segment + 1 if self.memory else 0):
                self._fd, self._owned, self.size, self._limit = -1, None, 0, -1
            first, self._pid = self._pid != pid, pid
            if first and self._durability == "interval":
                _sync_periodically(self)

    def _turn_to(self, name: str, segment: int, copy: _Removed | None = None) -> bool:
        """Continue in a new file, on the same descriptor number; return False when it cannot be opened.

        The new file begins with the content of `copy`, which keeps the order.

        A signal handler of the app's may record meanwhile and run this to its end. Then two complete files are made,
        and both are in `names`.
        """
        try:
            fresh = self._fresh(name, segment)
        except (OSError, AttributeError):  # AttributeError: this system has no memfd
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
            self._sync_rotation(fresh)
        if self._still_ours():
            os.dup2(fresh, self._fd, inheritable=False)
            os.close(fresh)
        else:
            self._fd = move_high(fresh)
        self._owned = own_fd(self._fd)
        if name != self.name:
            self.dropped -= self._saved  # the previous journal's file counts them
            self._noted = self._saved = 0
        self.name, self.segment = name, segment
        if name not in self.names:
            self.names.append(name)
        self.size = copied
        # an eighth, so that a full outbox has segments that are removed when they are sent
        segment_bytes = min(SEGMENT_BYTES if self.folder else MEMORY_SEGMENT_BYTES, self._quota // 8)
        self._limit = max(-1, min(segment_bytes, self._quota - self._used()))
        return True

    def _fresh(self, name: str, segment: int) -> int:
        """Create a file, open for appending.

        Raises:
            OSError: it cannot be created.
        """
        if self.folder is None:
            fresh = os.memfd_create("autoflow-journal", os.MFD_CLOEXEC)
            self.memory[segment] = move_high(os.dup(fresh))
            return fresh
        if name not in self.names:
            journal_lease.take(lock_path(self.folder, name))
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(segment_path(self.folder, name, segment), flags, 0o600)

    def _sync_rotation(self, fresh: int) -> None:
        """Sync the previous file, the new one and its folder, so that they survive a power cut."""
        self.sync()
        with contextlib.suppress(OSError):
            os.fsync(fresh)
        if self.folder is not None:
            with contextlib.suppress(OSError):
                directory = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                try:
                    os.fsync(directory)
                finally:
                    os.close(directory)

    def _still_ours(self) -> bool:
        """Return whether the descriptor still refers to the journal: an app may have closed and reused the number."""
        return self._owned is not None and self._owned.ours

    def _make_room(self) -> None:
        """Rotate to the next segment, or refuse when the quota is used up.

        Raises:
            OSError: there is no space; the caller counts the record.
        """
        with self._opening:
            if 0 <= self.size <= self._limit:
                return
            if time.monotonic() >= self._retry_at:
                if self._used() <= self._quota:
                    if self._turn_to(self.name, self.segment + 1):
                        return
                    if self._fd >= 0:  # no new file can be opened: continue in the old one
                        self._limit = self.size + self._quota // 64
                        return
                self._retry_at = time.monotonic() + RETRY_SECONDS
        raise OSError("the outbox is full or cannot be written")

    def _used(self) -> int:
        """Return the bytes used in the folder, or by this journal in memory; unreadable files count as 0."""
        if self.folder is None:
            return sum(os.fstat(descriptor).st_size for descriptor in list(self.memory.values()))
        total = 0
        with contextlib.suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    total += entry.stat(follow_symlinks=False).st_size
        return total

    def maintain(self, sent: int = 0) -> bool:
        """Maintenance run by the sender: flush the drop count; reopen the file if it was deleted.

        The new file begins with the records that were not sent: the descriptor can still read the deleted file.

        Args:
            sent: bytes of the current segment that are dealt with.

        Returns:
            Whether a deleted file was replaced.
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
        """Whether the file written to was deleted."""
        if self.folder is None or self._fd < 0:
            return False
        return not os.path.lexists(segment_path(self.folder, self.name, self.segment))

    def _replace_removed(self, folder: str, sent: int) -> bool:
        """Continue in a new file of the same journal, with the records of the deleted one that were not sent.

        Raises:
            OSError: the folder or the file cannot be created; the deleted file is still written to.
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
            "removed", "%s was removed while records were written to it; they continue in a new file there", folder
        )
        return True

    def sync(self) -> None:
        """Sync what was written so far, so that it survives a power cut."""
        written = self.segment, self.size
        if self._fd >= 0 and written != self._synced:
            with contextlib.suppress(OSError):
                os.fdatasync(self._fd)
                self._synced = written

    def at_exit(self) -> None:
        """Sync when the process exits, if the durability is ``interval``."""
        if self._durability == "interval":
            self.sync()

    @property
    def pid(self) -> int:
        """The id of the process the journal belongs to; 0 before the first record."""
        return self._pid


class _Removed:
    """A deleted journal file that a descriptor can still read; a thread inside `write()` may still add to it.

    Args:
        fd: the descriptor, owned by this object.
        position: offset of the first byte to copy.
    """

    def __init__(self, fd: int, position: int) -> None:
        self._owned = own_fd(fd)
        self._fd = fd
        self._position = position
        self._until = time.monotonic() + SETTLE_SECONDS

    def copy_to(self, target: int) -> int:
        """Append the complete lines from the position on to another file; return how many bytes.

        Raises:
            OSError: they could not be written.
        """
        copied = 0
        while self._owned.ours and (chunk := os.pread(self._fd, COPY_BYTES, self._position)):
            lines = chunk[: chunk.rfind(b"\n") + 1]
            if not lines:
                break  # a line that is being written, or was cut short
            if os.write(target, lines) != len(lines):
                raise OSError(errno.ENOSPC, "short write")
            self._position += len(lines)
            copied += len(lines)
        return copied

    def follow(self, target: int) -> bool:
        """Copy what was added since; return False once nothing more can be added."""
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
    """Mark journals as another process's in a child: process ids are reused, also those of ancestors."""
    for journal in list(_journals):
        if journal._pid:
            journal._pid = -1
