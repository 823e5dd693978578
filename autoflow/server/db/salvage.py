"""Copies what can be read of a damaged SQLite store into a new file. The damaged file is only read."""

# ruff: noqa: S608 - the statements are composed of names in the store's own schema

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import quote

from autoflow.server import private_files
from autoflow.server.db import counters, search_index, tag_index
from autoflow.server.db.identity import Mark

_AFTER_ROWS = {"trigger"}  # created after the rows are copied
_INTERNAL = ("sqlite_", "search_")  # SQLite's own tables, and the indexes of words and tags, which are made anew


class SalvagedTable(NamedTuple):
    """The readable rows of a table, and the number of damaged pages or rows that were skipped."""

    name: str
    rows: int
    gaps: int


def count_readable(path: str) -> list[SalvagedTable]:
    """Count the readable rows of each table; empty if not even the schema is readable."""
    with _opened(path) as source:
        return [_copy_rows(source, name, lambda row: None) for name in _tables(source)]


def copy(path: str, target: str, mark: Mark | None) -> list[SalvagedTable]:
    """Copy the readable rows of a damaged store into a new one.

    Args:
        path: the damaged file; its log is read with it.
        target: the new file, which must not exist.
        mark: the store's mark; the ids that it says were assigned are not assigned again.

    Returns:
        The tables that were read; none, and no file, if not even the schema is readable.

    Raises:
        OSError, sqlite3.Error: the new file cannot be written.
    """
    with _opened(path) as source:
        statements = _schema(source)
        if not any(kind == "table" for kind, _ in statements):
            return []
        private_files.create(target)
        with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as new:
            new.execute("PRAGMA foreign_keys=OFF")
            new.execute("BEGIN")
            for kind, statement in statements:
                if kind not in _AFTER_ROWS:
                    new.execute(statement)
            tables = [_copy_rows(source, name, _writer(new, name)) for name in _tables(source)]
            _copy_rows(source, "sqlite_sequence", _writer(new, "sqlite_sequence"))
            for kind, statement in statements:
                if kind in _AFTER_ROWS:
                    new.execute(statement)
            _create_indexes(source, new)
            _complete(new, mark)
            new.execute("COMMIT")
            new.execute("PRAGMA journal_mode=WAL").fetchone()
    return tables


@contextlib.contextmanager
def _opened(path: str) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)) as source:
        yield source


def _schema(source: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return the statements that create the store's tables, and then its other objects, in the order of the schema."""
    try:
        rows = source.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
        ).fetchall()
    except sqlite3.DatabaseError:
        return []
    ours = [(kind, sql) for kind, name, sql in rows if not name.startswith(_INTERNAL)]
    return sorted(ours, key=lambda row: row[0] != "table")


def _tables(source: sqlite3.Connection) -> list[str]:
    try:
        rows = source.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid").fetchall()
    except sqlite3.DatabaseError:
        return []
    return [name for (name,) in rows if not name.startswith(_INTERNAL)]


def _writer(new: sqlite3.Connection, table: str) -> Callable[[tuple[object, ...]], object]:
    """Return a function that inserts a row, its row id first, unless it conflicts with another."""
    names = [row[1] for row in new.execute(f'PRAGMA table_info("{table}")')]
    columns = ", ".join(f'"{name}"' for name in ("rowid", *names))
    marks = ", ".join("?" * (len(names) + 1))
    return lambda row: new.execute(f'INSERT OR IGNORE INTO "{table}" ({columns}) VALUES ({marks})', row)


def _copy_rows(source: sqlite3.Connection, table: str, insert: Callable[[tuple[object, ...]], object]) -> SalvagedTable:
    """Pass the rows of a table to `insert`, in the order of their row ids.

    After a row or page that cannot be read, it continues further ahead each time.
    """
    rows, gaps, last, step = 0, 0, 0, 1
    highest = _highest(source, table)
    while True:
        try:
            for row in source.execute(f'SELECT rowid, * FROM "{table}" WHERE rowid > ? ORDER BY rowid', [last]):
                insert(row)
                last, step, rows = int(row[0]), 1, rows + 1
            return SalvagedTable(table, rows, gaps)
        except sqlite3.DatabaseError:
            gaps += 1
            last, step = last + step, step * 2
            if last > highest:
                return SalvagedTable(table, rows, gaps)


def _highest(source: sqlite3.Connection, table: str) -> int:
    for query in (f'SELECT max(rowid) FROM "{table}"', f"SELECT seq FROM sqlite_sequence WHERE name = '{table}'"):
        with contextlib.suppress(sqlite3.DatabaseError):
            row = source.execute(query).fetchone()
            if row is not None and row[0] is not None:
                return int(row[0])
    return 1 << 32


def _create_indexes(source: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Create the indexes of words and of tags, if the store had them; see `db.search_index` and `db.tag_index`."""
    with contextlib.suppress(sqlite3.DatabaseError):
        if source.execute("SELECT 1 FROM sqlite_master WHERE name LIKE 'search\\_%' ESCAPE '\\'").fetchone():
            columns = {table.name: names for table, names in search_index.COLUMNS.items()}
            for statement in search_index.statements("sqlite", columns):
                new.execute(statement)
    with contextlib.suppress(sqlite3.DatabaseError):
        if source.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [tag_index.NAME]).fetchone():
            for statement in tag_index.statements("sqlite"):
                new.execute(statement)


def _complete(new: sqlite3.Connection, mark: Mark | None) -> None:
    """Insert the counters and the identity if they were lost: a store cannot be opened without them."""
    for name in counters.NAMES:
        new.execute("INSERT OR IGNORE INTO counters VALUES (?, 0)", [name])
    if mark is not None:
        new.execute("UPDATE counters SET value = max(value, ?) WHERE name = 'change'", [mark.changes])
        with contextlib.suppress(sqlite3.Error):  # a store from before there were ids
            if new.execute("SELECT count(*) FROM identity").fetchone() == (0,):
                new.execute("INSERT INTO identity VALUES (?, 1, '')", [mark.key])
