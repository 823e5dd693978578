"""INSERT ... ON CONFLICT, which SQLAlchemy has for each database separately."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


@functools.cache
def _statement(dialect: str, table: Table) -> Any:
    # inline: without RETURNING, which would replace the row count
    return _INSERT[dialect](table).inline().on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def insert_or_ignore_many(conn: Connection, table: Table, values: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows with the same columns, skipping conflicts."""
    if values:
        conn.execute(_statement(conn.dialect.name, table), values)


def insert_or_ignore(conn: Connection, table: Table, **values: Any) -> bool:
    """Insert a row unless it conflicts with another; return whether it was inserted."""
    return conn.execute(_statement(conn.dialect.name, table), values).rowcount > 0


def insert_or_update(conn: Connection, table: Table, **values: Any) -> Any:
    """Return a statement that inserts rows by their primary keys with these values, or sets them in existing rows."""
    statement = _INSERT[conn.dialect.name](table).inline().values(**values)
    excluded = {name: statement.excluded[name] for name in values}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=excluded)
