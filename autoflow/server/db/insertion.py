"""Insertion of one row with its author and times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, insert

from autoflow.server import timestamps
from autoflow.server.db.access import caller


def insert_row(conn: Connection, table: Table, values: Mapping[str, Any]) -> int:
    """Insert a row; return its id.

    Columns that the values leave out are the caller's for ``created_by``, and now for ``created_at`` and
    ``updated_at``, of those that the table has.
    """
    now = timestamps.now()
    stamps = {"created_by": caller(conn).user, "created_at": now, "updated_at": now}
    row = {name: value for name, value in stamps.items() if name in table.c} | dict(values)
    result = conn.execute(insert(table).values(row))
    assert result.inserted_primary_key is not None
    return int(result.inserted_primary_key[0])
