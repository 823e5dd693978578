"""What a folder was when it was last made a project: a small database for each folder, destination and project.

It saves reading: a file whose stamp it knows is not opened. It decides nothing: what is not in it, or not as the
project tells, is looked at again, so that losing it, or half of it, costs time only.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from autoflow.outbox import home

logger = logging.getLogger("autoflow")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS item (
    dataset TEXT, name TEXT, image BLOB NOT NULL, labels BLOB NOT NULL, hash TEXT NOT NULL,
    id INTEGER NOT NULL, mark TEXT NOT NULL, PRIMARY KEY (dataset, name)
) WITHOUT ROWID;
"""
_FORMAT = 1  # of the database; another one is begun anew


class Row(NamedTuple):
    """One image of the project as it was left.

    Args:
        image: the stamp of its file; empty when the file is to be read again.
        labels: the stamp of what says what is labelled in it.
        hash: of its content.
        id: its number at the server.
        mark: the server's, of the state it was left in.
    """

    image: bytes
    labels: bytes
    hash: str
    id: int
    mark: str


class Cache:
    """One database, open.

    Args:
        path: of its file, or ``:memory:``.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._rows = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._rows.execute("PRAGMA synchronous=NORMAL")
        if self._rows.execute("PRAGMA user_version").fetchone()[0] != _FORMAT:
            self._rows.executescript(f"DROP TABLE IF EXISTS item; {_SCHEMA} PRAGMA user_version={_FORMAT};")

    def close(self) -> None:
        """Close the file."""
        self._rows.close()

    def about(self) -> dict[str, Any]:
        """What is known of the whole."""
        return {name: json.loads(value) for name, value in self._rows.execute("SELECT name, value FROM about")}

    def note(self, **known: Any) -> None:
        """Keep something known of the whole."""
        pairs = [(name, json.dumps(value)) for name, value in known.items()]
        with self._writing():
            self._rows.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", pairs)

    def dataset(self, name: str) -> dict[str, Row]:
        """The images of a dataset, given by its path, by their names."""
        query = "SELECT name, image, labels, hash, id, mark FROM item WHERE dataset = ?"
        return {found[0]: Row._make(found[1:]) for found in self._rows.execute(query, (name,))}

    def datasets(self) -> list[str]:
        """The paths of all datasets that have images."""
        return [name for (name,) in self._rows.execute("SELECT DISTINCT dataset FROM item")]

    def keep(self, dataset: str, rows: Iterable[tuple[str, Row]]) -> None:
        """Keep images of a dataset, all of them or none."""
        with self._writing():
            values = ((dataset, name, *row) for name, row in rows)
            self._rows.executemany("INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def drop(self, dataset: str, names: Sequence[str]) -> None:
        """Forget images of a dataset."""
        with self._writing():
            pairs = ((dataset, name) for name in names)
            self._rows.executemany("DELETE FROM item WHERE dataset = ? AND name = ?", pairs)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        self._rows.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._rows.execute("COMMIT")
        except BaseException:
            self._rows.execute("ROLLBACK")
            raise


def open_file(path: str) -> Cache:
    """Open a cache; one that is damaged is begun anew."""
    try:
        return Cache(path)
    except sqlite3.DatabaseError as error:
        logger.warning("the cache %s is damaged (%s): the folder is read anew", path, error)
        for ending in ("", "-journal"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path + ending)
        return Cache(path)


class Shelf:
    """The caches of one folder at one destination, one a project, held by one process at a time.

    Args:
        folder: where they are, None when there is no such place: then nothing is kept.
        key: what their names begin with.
    """

    def __init__(self, folder: str | None, key: str) -> None:
        self._folder = folder
        self._key = key

    def projects(self) -> list[int]:
        """The projects this folder was made, the last one first."""
        if self._folder is None:
            return []
        found = []
        for entry in os.scandir(self._folder):
            start, _, number = entry.name.removesuffix(".db").rpartition("-")
            if entry.name.endswith(".db") and start == self._key and number.isdecimal():
                found.append((entry.stat().st_mtime_ns, int(number)))
        return [number for _, number in sorted(found, reverse=True)]

    def open(self, project_id: int) -> Cache:
        """The cache for a project."""
        if self._folder is None:
            return Cache(":memory:")
        return open_file(os.path.join(self._folder, f"{self._key}-{project_id}.db"))

    def remove(self, project_id: int) -> None:
        """Forget a project."""
        if self._folder is not None:
            for ending in (".db", ".db-journal"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(self._folder, f"{self._key}-{project_id}{ending}"))


@contextlib.contextmanager
def shelf(origin: str, root: str) -> Iterator[Shelf]:
    """The caches of a folder at a destination; another process or thread that wants them waits.

    Args:
        origin: whose numbers the projects' are.
        root: the folder, as its real path.
    """
    key = hashlib.sha256(f"{origin}\0{root}".encode("utf-8", "surrogateescape")).hexdigest()[:32]
    place = home.find()
    if place is None:
        yield Shelf(None, key)
        return
    folder = os.path.join(place, "folders")
    home.ensure_private(folder)
    lock = os.open(os.path.join(folder, f"{key}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logger.info("%s is being made a project already; this waits until that is done", root)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield Shelf(folder, key)
    finally:
        os.close(lock)
