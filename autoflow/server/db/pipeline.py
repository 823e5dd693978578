"""Statements on PostgreSQL that are sent together, so that a transaction waits for few answers.

Each is executed by itself, in order: in a READ COMMITTED transaction each sees what was committed before it begins.
After one that fails the others are skipped.

A transaction begins with one message of several statements, after which the database's timeout of idle transactions
runs; after libpq's pipeline mode it would not. It ends in that mode, whose statements are prepared.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ClauseElement, Connection
from sqlalchemy import exc as failures

from autoflow.server.db import compiled

DEFERRED = "autoflow_deferred"  # a transaction's option: the list of its deferred statements

Statement = tuple[str, Mapping[str, Any]]  # SQL in psycopg's notation, and its parameters


def execute(conn: Connection, statements: Sequence[Statement]) -> list[list[tuple[Any, ...]]]:
    """Execute statements in one round trip; return the rows of each."""
    driver: Any = conn.connection.driver_connection
    cursor = driver.client_cursor()
    query = "; ".join(cursor.mogrify(*statement) for statement in statements)
    rows = []
    with _translating_errors(conn):
        cursor.execute(query)
        while True:
            rows.append(cursor.fetchall() if cursor.description is not None else [])
            if not cursor.nextset():
                return rows


def defer(conn: Connection, statement: ClauseElement, parameters: Mapping[str, Any]) -> None:
    """Execute a statement without results when the transaction is committed, after which its errors are raised.

    In a transaction that does not defer, such as those on SQLite, it is executed at once.
    """
    deferred = conn.get_execution_options().get(DEFERRED)
    if deferred is None:
        compiled.execute(conn, statement, parameters)
    else:
        deferred.append((statement, parameters))


def commit(conn: Connection) -> None:
    """Commit a transaction; its deferred statements are sent with the COMMIT."""
    deferred = conn.get_execution_options().get(DEFERRED)
    if deferred:
        driver: Any = conn.connection.driver_connection
        with _translating_errors(conn), driver.pipeline():
            for statement, parameters in deferred:
                compiled.execute(conn, statement, parameters)
            driver.execute("COMMIT")
    conn.commit()


@contextlib.contextmanager
def _translating_errors(conn: Connection) -> Iterator[None]:
    """Raise the driver's errors as SQLAlchemy's, as `Connection.execute` does; give up a connection that is broken."""
    driver = conn.connection.driver_connection
    dialect = conn.dialect
    base = dialect.loaded_dbapi.Error
    try:
        yield
    except base as error:
        broken = dialect.is_disconnect(error, driver, None)
        if broken:
            conn.invalidate(error)
        raise failures.DBAPIError.instance(
            None, None, error, base, connection_invalidated=broken, dialect=dialect
        ) from error
