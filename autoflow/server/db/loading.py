"""Loading of rows into an empty database: of this code's revision, or of an older one that is migrated afterwards."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, MetaData, Table, delete, insert

from autoflow.server.db import counters, identity, schema, setup

BATCH = 1000  # rows of an INSERT

Row = Mapping[str, Any]


def load(
    conn: Connection,
    revision: str,
    numbers: Mapping[str, int],
    names: Collection[str],
    rows_of: Callable[[str], Iterable[Row]],
    progress: Callable[[int], object],
) -> None:
    """Create the tables of a revision in an empty database, insert rows, and migrate them to this code's revision.

    Args:
        conn: a write transaction; it is all or nothing.
        revision: of the rows.
        numbers: last id assigned, by table or counter; ids continue after these (`identity.reserve_numbers`).
        names: the tables that have rows; others, such as those of a search index, are filled by triggers.
        rows_of: returns the rows of a table by its name.
        progress: is called with the number of rows of each INSERT.
    """
    setup.check_has_no_tables(conn)
    tables = _create(conn, revision, names)
    for table in tables:
        for batch in _batches(_in_order(table, rows_of(table.name))):
            conn.execute(insert(table), batch)
            progress(len(batch))
    if revision != schema.REVISION:
        setup.apply_migrations(conn)
    counters.convert(conn)
    identity.reserve_numbers(conn, numbers)


def _create(conn: Connection, revision: str, names: Collection[str]) -> list[Table]:
    """Create the tables of a revision, without rows; return the named ones, each after those that it refers to."""
    if revision == schema.REVISION:
        setup.create_tables(conn)
        return [table for table in schema.metadata.sorted_tables if table.name in names]
    setup.apply_migrations(conn, revision)
    reflected = MetaData()
    reflected.reflect(conn, only=lambda name, _: name in names)
    tables = [table for table in reflected.sorted_tables if table.name in names]
    for table in reversed(tables):  # rows that migrations insert
        conn.execute(delete(table))
    return tables


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def _in_order(table: Table, rows: Iterable[Row]) -> Iterable[Row]:
    """Return rows in an order that foreign keys within the table allow."""
    parents = [key.parent.name for key in table.foreign_keys if key.column.table is table]
    return parents_first(list(rows), parents[0]) if parents else rows


def parents_first(rows: Sequence[Row], parent: str) -> Iterator[Row]:
    """Return rows so that each follows the row whose id its column `parent` has."""
    by_id = {row["id"]: row for row in rows}
    inserted: set[int] = set()
    for row in rows:
        line: list[Row] = []
        current: Row | None = row
        while current is not None and current["id"] not in inserted:
            line.append(current)
            inserted.add(current["id"])
            current = by_id.get(current[parent])
        yield from reversed(line)
