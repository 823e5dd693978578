"""The process that holds the write lock of a SQLite file, as the kernel lists it (Linux)."""

from __future__ import annotations

import contextlib
import os
from typing import NamedTuple

_LOCKS = "/proc/locks"
_LOG_WRITER = 120  # the byte of the log's index that a writer locks
_FILE_WRITER = 0x40000001  # the byte of the file itself, where there is no log
_LONGEST = 200  # characters of a command line


class LockHolder(NamedTuple):
    """A process that holds a write lock.

    Args:
        pid: its process id.
        command: its command line, cut short.
        stopped: whether it was stopped, by Ctrl+Z or SIGSTOP, and so does not release the lock by itself.
    """

    pid: int
    command: str
    stopped: bool

    def __str__(self) -> str:
        if self.stopped:
            return (
                f"process {self.pid} ({self.command}) was stopped in the middle of a write and holds up all others: "
                f"`kill -CONT {self.pid}` lets it go on, `kill -KILL {self.pid}` ends it"
            )
        return f"process {self.pid} ({self.command}) is writing"


def find_lock_holder(path: str) -> LockHolder | None:
    """Return the process that holds the write lock of a SQLite file, None if there is none or it is unknown."""
    bytes_by_inode: dict[str, int] = {}
    for name, writers_byte in ((f"{path}-shm", _LOG_WRITER), (path, _FILE_WRITER)):
        with contextlib.suppress(OSError):
            bytes_by_inode[str(os.stat(name).st_ino)] = writers_byte
    with contextlib.suppress(OSError, ValueError), open(_LOCKS, encoding="ascii") as lines:
        for line in lines:
            fields = line.split()
            if len(fields) != 8 or fields[3] != "WRITE":  # waiting processes have one more
                continue
            byte = bytes_by_inode.get(fields[5].rpartition(":")[2])
            if byte is not None and int(fields[6]) <= byte <= int(fields[7].replace("EOF", str(byte))):
                return _process(int(fields[4]))
    return None


def _process(pid: int) -> LockHolder | None:
    with contextlib.suppress(OSError, IndexError):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            command = " ".join(file.read(_LONGEST).replace(b"\0", b" ").decode("utf-8", "replace").split())
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            state = file.read().rpartition(")")[2].split()[0]
        return LockHolder(pid, command, state in {"T", "t"})
    return None
