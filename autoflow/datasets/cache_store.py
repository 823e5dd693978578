"""Cache of what was uploaded: a small SQLite database for each combination of folder, destination and project.

The cache only avoids reads: a file whose stamp is in it is not opened. It is never trusted further. What is missing,
or differs from the project, is read again, so that losing the cache costs time only.
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
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS item (
    dataset TEXT, name TEXT, image BLOB NOT NULL, labels BLOB NOT NULL, hash TEXT NOT NULL,
    id INTEGER NOT NULL, etag TEXT NOT NULL, PRIMARY KEY (dataset, name)
) WITHOUT ROWID;
"""
_FOLDER = "folders"  # in the home folder
_FORMAT = 2  # of the database; the images of another format are discarded
_FROM_FORMAT_1 = """
ALTER TABLE about RENAME TO state;
ALTER TABLE item RENAME COLUMN mark TO etag;
UPDATE state SET name = 'fingerprint' WHERE name = 'seal';
"""


class CachedImage(NamedTuple):
    """An image as it was uploaded last.

    Args:
        image: stamp of the image file; empty if the file has to be read again.
        labels: stamp of its labels.
        hash: content hash.
        id: id of the image on the server.
        etag: the server's tag of the image's state.
    """

    image: bytes
    labels: bytes
    hash: str
    id: int
    etag: str


class Cache:
    """An open cache database.

    Args:
        path: path of the file, or ``:memory:``.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._conn = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._conn.execute("PRAGMA synchronous=NORMAL")
        version = self._conn.execute("PRAGMA user_version").fetchone()[0]
        if version == 1:
            self._conn.executescript(f"BEGIN; {_FROM_FORMAT_1} PRAGMA user_version=2; COMMIT;")
            version = 2
        if version != _FORMAT:
            self._conn.executescript(f"DROP TABLE IF EXISTS item; {_SCHEMA} PRAGMA user_version={_FORMAT};")

    def close(self) -> None:
        """Close the file."""
        self._conn.close()

    def state(self) -> dict[str, Any]:
        """Return the stored values about the whole folder."""
        return {name: json.loads(value) for name, value in self._conn.execute("SELECT name, value FROM state")}

    def update_state(self, **values: Any) -> None:
        """Store values about the whole folder."""
        pairs = [(name, json.dumps(value)) for name, value in values.items()]
        with self._transaction():
            self._conn.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", pairs)

    def images(self, dataset: str) -> dict[str, CachedImage]:
        """Return the images of a dataset (given by its path) by name."""
        query = "SELECT name, image, labels, hash, id, etag FROM item WHERE dataset = ?"
        return {name: CachedImage._make(values) for name, *values in self._conn.execute(query, (dataset,))}

    def datasets(self) -> list[str]:
        """Return the paths of all datasets that have images."""
        return [name for (name,) in self._conn.execute("SELECT DISTINCT dataset FROM item")]

    def store(self, dataset: str, images: Iterable[tuple[str, CachedImage]]) -> None:
        """Insert or replace images of a dataset in one transaction."""
        with self._transaction():
            rows = ((dataset, name, *image) for name, image in images)
            self._conn.executemany("INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def remove(self, dataset: str, names: Sequence[str]) -> None:
        """Remove images of a dataset."""
        with self._transaction():
            pairs = ((dataset, name) for name in names)
            self._conn.executemany("DELETE FROM item WHERE dataset = ? AND name = ?", pairs)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._conn.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._conn.execute("COMMIT")
        except BaseException:
            self._conn.execute("ROLLBACK")
            raise


def open_cache(path: str) -> Cache:
    """Open a cache; a damaged one is replaced by an empty one."""
    try:
        return Cache(path)
    except sqlite3.DatabaseError as error:
        logger.warning("the cache %s is damaged (%s): all files of the folder are read again", path, error)
        for suffix in ("", "-journal"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path + suffix)
        return Cache(path)


class CacheStore:
    """The caches of one folder and destination, one per project, used by one process at a time.

    Args:
        directory: where they are stored; None to store nothing.
        key: prefix of their file names.
    """

    def __init__(self, directory: str | None, key: str) -> None:
        self._directory = directory
        self._key = key

    def projects(self) -> list[int]:
        """Return the ids of the projects that the folder was imported to, the latest first."""
        if self._directory is None:
            return []
        modified = []
        for entry in os.scandir(self._directory):
            prefix, _, project_id = entry.name.removesuffix(".db").rpartition("-")
            if entry.name.endswith(".db") and prefix == self._key and project_id.isdecimal():
                modified.append((entry.stat().st_mtime_ns, int(project_id)))
        return [project_id for _, project_id in sorted(modified, reverse=True)]

    def open(self, project_id: int) -> Cache:
        """Open the cache for a project."""
        if self._directory is None:
            return Cache(":memory:")
        return open_cache(os.path.join(self._directory, f"{self._key}-{project_id}.db"))

    def remove(self, project_id: int) -> None:
        """Remove the cache for a project."""
        if self._directory is not None:
            for suffix in (".db", ".db-journal"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(self._directory, f"{self._key}-{project_id}{suffix}"))


@contextlib.contextmanager
def locked_store(origin: str, root: str) -> Iterator[CacheStore]:
    """Yield the caches of a folder at a destination, under a lock against other processes and threads.

    Args:
        origin: server that issued the projects' ids.
        root: real path of the folder.
    """
    key = hashlib.sha256(f"{origin}\0{root}".encode("utf-8", "surrogateescape")).hexdigest()[:32]
    state_folder = home.find()
    if state_folder is None:
        yield CacheStore(None, key)
        return
    directory = os.path.join(state_folder, _FOLDER)
    home.ensure_private(directory)
    lock = os.open(os.path.join(directory, f"{key}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logger.info("another process imports %s: waiting until it has finished", root)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield CacheStore(directory, key)
    finally:
        os.close(lock)


def cache_files() -> list[str]:
    """Return the files of all caches of this user; deleting them costs time only."""
    state_folder = home.find()
    folder = os.path.join(state_folder, _FOLDER) if state_folder is not None else ""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    return [os.path.join(folder, name) for name in names if not name.endswith(".lock")]
