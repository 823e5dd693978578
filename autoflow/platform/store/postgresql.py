"""PostgreSQL as the store uses it: a write begins with one lock for the whole store, as it does on SQLite.

So what a write reads first stays true until it commits, whichever process writes beside it, and no two of them meet in
a row or wait for each other in a circle. A read sees one state of the whole store. Nobody waits for ever: not for the
lock, and not for a process or a machine that is gone.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, event, func, select
from sqlalchemy.exc import DBAPIError

from autoflow.distribution import install
from autoflow.errors import ServerExtraMissing

WRITE = "autoflow_write"  # a transaction's option
READING = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
LOCK = int.from_bytes(b"autoflow", "big")
CONNECTIONS = 8  # kept open
MORE = 24  # beside them while they are needed
PATIENCE = 20  # seconds for the lock, for a connection
_FORBIDDEN = "42501"
_SETTINGS = {
    "lock_timeout": f"{PATIENCE}s",
    "idle_in_transaction_session_timeout": "60s",  # of a process that hangs
    "tcp_keepalives_idle": "30",  # of a machine that is gone: what it held is free after a minute
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "jit": "off",  # queries here are short: compiling one takes longer than running it
}


def _on_connect(connection: Any, _record: Any) -> None:
    connection.execute("; ".join(f"SET {name} = '{value}'" for name, value in _SETTINGS.items()))
    connection.commit()


def _on_begin(connection: Connection) -> None:
    if connection.get_execution_options().get(WRITE, False):
        # the statements after it see what was committed before: a snapshot is taken for each
        connection.execute(select(func.pg_advisory_xact_lock(LOCK)))


def make_engine(address: URL) -> Engine:
    """An engine for a PostgreSQL database.

    Raises:
        ServerExtraMissing: its driver is not installed.
    """
    try:
        engine = sqlalchemy.create_engine(
            address.set(drivername="postgresql+psycopg"),
            isolation_level="READ COMMITTED",
            pool_size=CONNECTIONS,
            max_overflow=MORE,
            pool_timeout=PATIENCE,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 10, "client_encoding": "utf8"},
        )
    except ImportError as error:
        raise ServerExtraMissing(f"PostgreSQL needs more: {install('postgres')} ({error})") from error
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def is_forbidden(error: DBAPIError) -> bool:
    """Whether the database says that its user may not do that."""
    return getattr(error.orig, "sqlstate", None) == _FORBIDDEN
