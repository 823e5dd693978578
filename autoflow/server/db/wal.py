"""Checks that a SQLite file and the write-ahead log beside it belong together.

SQLite applies any log beside a file, even to a backup that was copied there. Each write transaction of the store
increments the counter `write`. If the two belong together, the counter in the file alone is that of file and log
together minus the number of transactions in the log; or, if the log was copied into the file completely, they are
equal and the file contains the pages of the log. If it was copied in part, the structure of both together is checked.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple
from urllib.parse import quote

from autoflow.server.db.error_translation import Failure, classify

_HEADER = 32  # bytes, of the log
_FRAME = 24  # bytes, before each page
_TRIES = 5
_COUNT = "SELECT value FROM counters WHERE name = 'write'"
_FILE_ALONE = "mode=ro&immutable=1"
_FILE_AND_LOG = "mode=ro"


class _Locked(Exception):
    """The file cannot be read now, as another process recovers it or writes to it."""


class _Log(NamedTuple):
    """A log: the number of its transactions, and the position of the last version of each page."""

    page_size: int
    transactions: int
    pages: dict[int, int]


def log_matches_file(path: str) -> bool:
    """Return whether the log beside a file was written for it; True if there is none, or if that is unknown.

    Nothing is changed. If another process writes in between, the counts are read again.
    """
    log_path = f"{path}-wal"
    for _ in range(_TRIES):
        try:
            if os.stat(log_path).st_size <= _HEADER:
                return True
            in_file = _count(path, _FILE_ALONE)
            with open(log_path, "rb", buffering=0) as file:
                log = _read(file)
                together = _count(path, _FILE_AND_LOG)
                if in_file is None:
                    return True
                missing = together - in_file if together is not None else -1
                complete = missing == log.transactions or (missing == 0 and _is_applied(path, file, log))
                settled = _read(file) == log
        except OSError:
            return True
        except _Locked:
            continue
        if complete:
            return True
        if settled and in_file == _count(path, _FILE_ALONE):
            return 0 <= missing < log.transactions and _is_sound(path)
    return True


def _connect(path: str, mode: str) -> contextlib.closing[sqlite3.Connection]:
    return contextlib.closing(sqlite3.connect(f"file:{quote(path)}?{mode}", uri=True))


def _count(path: str, mode: str) -> int | None:
    """Return the store's count of write transactions; None if it has none or is damaged.

    Raises:
        _Locked: it cannot be read now.
    """
    try:
        with _connect(path, mode) as conn:
            row = conn.execute(_COUNT).fetchone()
            return int(row[0]) if row is not None else None
    except sqlite3.Error as error:
        if classify(error) is not Failure.DAMAGED and mode == _FILE_AND_LOG:
            raise _Locked from error
        return None


def _is_sound(path: str) -> bool:
    try:
        with _connect(path, _FILE_AND_LOG) as conn:
            return bool(conn.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.Error:
        return False


def _frames(file: BinaryIO) -> Iterator[tuple[int, int, int]]:
    """Yield the frames of a log's current generation: page, database size (0 within a transaction) and position."""
    header = os.pread(file.fileno(), _HEADER, 0)
    (page_size,) = struct.unpack_from(">I", header, 8)
    salts = header[16:24]
    offset = _HEADER
    while len(frame := os.pread(file.fileno(), _FRAME, offset)) == _FRAME and frame[8:16] == salts:
        page, size = struct.unpack_from(">II", frame)
        yield page, size, offset + _FRAME
        offset += _FRAME + page_size


def _read(file: BinaryIO) -> _Log:
    (page_size,) = struct.unpack(">I", os.pread(file.fileno(), 4, 8))
    transactions = 0
    pages: dict[int, int] = {}
    begun: dict[int, int] = {}
    for page, size, position in _frames(file):
        begun[page] = position
        if size:
            transactions += 1
            pages.update(begun)
            begun.clear()
    return _Log(page_size, transactions, pages)


def _is_applied(path: str, file: BinaryIO, log: _Log) -> bool:
    """Return whether the file has the log's last version of each page."""
    database = _descriptor(path)
    for page, position in log.pages.items():
        content = os.pread(file.fileno(), log.page_size, position)
        if os.pread(database, log.page_size, (page - 1) * log.page_size) != content:
            return False
    return True


_descriptors: dict[tuple[int, int], int] = {}


def _descriptor(path: str) -> int:
    """Open a database's file, and keep it open: closing it would release SQLite's locks on it in this process."""
    status = os.stat(path)
    file = status.st_dev, status.st_ino
    if file not in _descriptors:
        _descriptors[file] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return _descriptors[file]
