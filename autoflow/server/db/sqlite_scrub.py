"""Removal of deleted content from the files of a SQLite database.

SQLite leaves what was deleted in free pages, in the free space of pages in use, in the write-ahead log, and in the
index of words until its segments are merged. ``PRAGMA secure_delete`` does not reach what was moved between pages or
deleted before. So the file is written anew (VACUUM), then the log is truncated.
"""

from __future__ import annotations

import contextlib
import os
import re
import time

from sqlalchemy import Engine

from autoflow.server.db.search_index import rebuild_statements
from autoflow.server.errors import Busy

WAIT = 5.0  # seconds for transactions of other processes
_PAUSE = 0.05
_COPY = re.compile(r"\.\d{4}-\d+(-wal|-shm|-journal)?")  # of a store before its migration (`setup`)
_ASIDE = re.compile(r"\.(corrupt|recovered|log)-\d+(-wal|-shm)?")  # files of `autoflow server recover`


def scrub(engine: Engine, path: str) -> None:
    """Write the file anew, truncate the log, and delete the copies that migrations made.

    Raises:
        Busy: transactions of other processes last too long.
    """
    with contextlib.closing(engine.raw_connection()) as raw:
        cursor = raw.cursor()
        for statement in rebuild_statements():
            cursor.execute(statement)
        cursor.execute("PRAGMA secure_delete=ON").fetchone()
        try:
            cursor.execute("VACUUM")
            until = time.monotonic() + WAIT
            while cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                if time.monotonic() > until:
                    raise Busy(
                        f"another process reads {path} all the time, so that its log cannot be emptied; the erasure is "
                        "completed by the next call",
                        retry_after=5.0,
                    )
                time.sleep(_PAUSE)
        finally:
            cursor.execute("PRAGMA secure_delete=OFF").fetchone()
    for name in _beside(path, _COPY):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def copies(path: str) -> list[str]:
    """Return the copies of a database beside it that `scrub` deletes."""
    return _beside(path, _COPY)


def set_aside(path: str) -> list[str]:
    """Return the files beside a database that a repair set aside; `scrub` leaves them."""
    return _beside(path, _ASIDE)


def _beside(path: str, pattern: re.Pattern[str]) -> list[str]:
    folder, name = os.path.split(path)
    names = sorted(os.listdir(folder or "."))
    return [
        os.path.join(folder, other)
        for other in names
        if other.startswith(name) and pattern.fullmatch(other[len(name) :])
    ]
