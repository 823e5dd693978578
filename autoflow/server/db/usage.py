"""Counts of what a store holds, for metrics."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, func, select, text

from autoflow.server.db.schema import blobs, versions


class Usage(NamedTuple):
    """The size of a store.

    Args:
        versions: committed versions.
        blobs: distinct contents.
        blob_bytes: their size.
        database_bytes: the size of the database; of a SQLite file without its write-ahead log.
    """

    versions: int
    blobs: int
    blob_bytes: int
    database_bytes: int


def measure(conn: Connection) -> Usage:
    """Return the size of the store; takes time in proportion to the number of blobs."""
    committed = select(func.count()).select_from(versions).where(versions.c.status == "committed")
    stored = select(func.count(), func.coalesce(func.sum(blobs.c.size), 0)).select_from(blobs)
    if conn.dialect.name == "sqlite":
        size = text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
    else:
        size = text("SELECT pg_database_size(current_database())")
    blob_count, blob_bytes = conn.execute(stored).one()
    return Usage(
        int(conn.execute(committed).scalar_one()),
        int(blob_count),
        int(blob_bytes),
        int(conn.execute(size).scalar_one()),
    )
