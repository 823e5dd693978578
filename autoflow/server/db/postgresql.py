"""The engine for PostgreSQL: a write begins with an advisory lock of the store, shared if it names its `scopes`.

What a write reads within its scopes stays true until it commits, whichever process writes beside it, and there are no
deadlocks. A read sees one snapshot of the whole store. Every wait has a deadline: for a lock, and for processes and
machines that are gone.

Behind a connection pooler such as PgBouncer a connection is opened for each transaction and closed after it, so that
no idle connection occupies one of the pooler's server connections. Nothing depends on a session there: settings are
made in each transaction, and statements are not prepared. Session and transaction pooling both work.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from autoflow.distribution import install
from autoflow.errors import ServerExtraMissing
from autoflow.server.db import pipeline
from autoflow.server.db.pipeline import Statement
from autoflow.server.db.scopes import SCOPED
from autoflow.server.db.watchdog import WATCHDOG

WRITE = "autoflow_write"  # a transaction's option
LONG = "autoflow_long"  # a transaction's option: maintenance, whose statements may take hours
READ = "autoflow_read"  # a transaction's option: it sees one snapshot, and changes nothing
BEGIN = "autoflow_begin"  # a transaction's option: the caller begins it by `begin`
LOCK = int.from_bytes(b"autoflow", "big")
POOL_SIZE = 8  # kept open
MAX_OVERFLOW = 24  # further ones while they are needed
WRITERS = 16  # write transactions of a process at a time: what waits for a lock has a connection, and reads need some
LOCK_TIMEOUT = 20  # seconds for a lock, for a connection
CONNECT_TIMEOUT = 10.0  # seconds to open a connection and apply its settings
PING_TIMEOUT = 5.0  # seconds for the ping of an idle connection
PING_AFTER = 1.0  # seconds without use after which a connection is pinged before it is used again
STATEMENT_TIMEOUT = 30.0  # seconds for a statement
GRACE = 5.0  # seconds after a statement's timeout until the server is considered gone
MAINTENANCE_TIMEOUT = 12 * 3600.0  # for a statement of maintenance
UNSCRUBBED = "the write-ahead log, the replicas, the backups of PostgreSQL, and the free space in its files"
_FORBIDDEN = "42501"
_SETTINGS = {
    "statement_timeout": f"{STATEMENT_TIMEOUT:.0f}s",
    "lock_timeout": f"{LOCK_TIMEOUT}s",
    "idle_in_transaction_session_timeout": "30s",  # of a process that hangs
    "tcp_keepalives_idle": "30",  # releases the locks of a vanished machine after a minute
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "jit": "off",  # queries here are short: compiling one takes longer than running it
}
# TCP settings of this end, which notice a vanished peer unless a proxy keeps acknowledging.
_CLIENT = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
# Acknowledged writes must be on disk; a stronger setting of the database is kept.
_DURABLE = (
    "SELECT set_config('synchronous_commit', 'on', %(local)s) "
    "WHERE current_setting('synchronous_commit') IN ('off', 'local')"
)
_UNANSWERED = (
    "it did not answer within {:.0f} s. It is down or out of reach, or all server connections of the connection pooler "
    "in front of it (PgBouncer's default_pool_size) are in use"
)
_UNLIMITED = ("SET LOCAL statement_timeout = 0", "SET LOCAL idle_in_transaction_session_timeout = 0")
_BEGIN_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# later statements see all earlier commits: READ COMMITTED takes a snapshot for each
_BEGIN_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"
_AUTOCOMMIT = "AUTOCOMMIT"
_LAST_USE = "autoflow_last_use"  # of a connection of the pool


def _settings(*, local: bool) -> list[Statement]:
    """Return the statements that set `_SETTINGS`, for the session or for the transaction alone."""
    values = ", ".join(f"set_config('{name}', '{value}', %(local)s)" for name, value in _SETTINGS.items())
    return [(f"SELECT {values}", {"local": local}), (_DURABLE, {"local": local})]


def _on_connect(connection: Any, _record: Any) -> None:
    (backend,) = connection.execute("SELECT pg_backend_pid()").fetchone()
    # a pooler invents the process id in its greeting
    connection.pooled = backend != connection.info.backend_pid
    if connection.pooled:
        connection.prepare_threshold = None
    else:
        for query, parameters in _settings(local=False):
            connection.execute(query, parameters)


def _on_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if BEGIN not in options and options.get("isolation_level") != _AUTOCOMMIT:
        begin(connection, [])


def begin(connection: Connection, statements: Sequence[Statement]) -> list[list[tuple[Any, ...]]]:
    """Begin the transaction that the options of a connection describe, with its first statements, in one round trip.

    A write begins with the lock of the store.

    Returns:
        The rows of each of the statements.
    """
    options = connection.get_execution_options()
    driver: Any = connection.connection.driver_connection
    driver.limit = STATEMENT_TIMEOUT + GRACE
    first: list[Statement] = [(_BEGIN_READ if options.get(READ, False) else _BEGIN_WRITE, {})]
    if driver.pooled:
        first += _settings(local=True)
    if options.get(LONG, False):
        driver.limit = MAINTENANCE_TIMEOUT
        first += [(query, {}) for query in _UNLIMITED]
    if options.get(WRITE, False):
        lock = "pg_advisory_xact_lock_shared" if options.get(SCOPED, False) else "pg_advisory_xact_lock"
        first.append((f"SELECT {lock}(%(key)s)", {"key": LOCK}))
    return pipeline.execute(connection, [*first, *statements])[len(first) :]


class _Pings:
    """Events of a pool: a connection is pinged before its use, unless it was in use lately and none broke since."""

    def __init__(self) -> None:
        self._broken = float("-inf")  # when a connection was last lost

    def listen(self, engine: Engine) -> None:
        """Observe the connections of an engine."""
        for name in ("checkout", "checkin", "invalidate"):
            event.listen(engine, name, getattr(self, name))

    def checkout(self, connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        """Ping a connection that may have been lost since its last use.

        Raises:
            InvalidatePoolError: it is lost; the pool opens another one, and does not use older ones.
        """
        last_use = record.info.get(_LAST_USE)
        if last_use is None or (last_use > self._broken and time.monotonic() < last_use + PING_AFTER):
            return
        from psycopg import Error

        try:
            connection.execute("SELECT 1")
        except Error as error:
            raise InvalidatePoolError from error

    def checkin(self, connection: Any, record: ConnectionPoolEntry) -> None:
        """Note when a connection was used; close one that a pooler shares."""
        if connection is None:
            return
        if connection.pooled:
            record.close()
        record.info[_LAST_USE] = time.monotonic()
        connection.limit = PING_TIMEOUT  # for the ping when it is used again

    def invalidate(self, _connection: object, _record: object, _error: object) -> None:
        """Note that a connection was lost; probably the others are, too."""
        self._broken = time.monotonic()


@functools.cache
def _bounded() -> type[Any]:
    """Return psycopg's connection class with a deadline for every wait: a ping, a statement, a commit."""
    import psycopg

    class Bounded(psycopg.Connection[Any]):
        limit = CONNECT_TIMEOUT
        pooled = False  # whether a connection pooler is in between

        def client_cursor(self) -> psycopg.ClientCursor[Any]:
            """Return a cursor that puts parameters into the text of statements, of which a message may have several."""
            return psycopg.ClientCursor(self)

        def wait(self, *args: Any, **more: Any) -> Any:
            begun = time.monotonic()
            try:
                with WATCHDOG.watching(self.pgconn.socket, self.limit):
                    return super().wait(*args, **more)
            except psycopg.OperationalError as error:
                if error.sqlstate is not None or time.monotonic() < begun + self.limit:
                    raise
                raise psycopg.OperationalError(_UNANSWERED.format(self.limit)) from error

    return Bounded


def _connect(_dialect: Any, _record: Any, args: Any, more: Any) -> Any:
    from psycopg import OperationalError
    from psycopg.errors import ConnectionTimeout

    try:
        return _bounded().connect(*args, **more)
    except ConnectionTimeout as error:
        raise OperationalError(_UNANSWERED.format(CONNECT_TIMEOUT)) from error


def make_engine(address: URL) -> Engine:
    """Return an engine for a PostgreSQL database.

    Raises:
        ServerExtraMissing: its driver is not installed.
    """
    try:
        engine = sqlalchemy.create_engine(
            address.set(drivername="postgresql+psycopg"),
            isolation_level=_AUTOCOMMIT,  # `begin` begins the transactions
            pool_size=POOL_SIZE,
            max_overflow=MAX_OVERFLOW,
            pool_timeout=LOCK_TIMEOUT,
            connect_args={"connect_timeout": int(CONNECT_TIMEOUT), "client_encoding": "utf8", **_CLIENT},
        )
    except ImportError as error:
        raise ServerExtraMissing(f"PostgreSQL needs an extra: {install('postgres')} ({error})") from error
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    _Pings().listen(engine)
    return engine


def vacuum(engine: Engine, tables: Sequence[str]) -> None:
    """Vacuum tables, outside of a transaction and without a time limit."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        driver = conn.connection.driver_connection
        assert driver is not None
        driver.limit = MAINTENANCE_TIMEOUT
        conn.exec_driver_sql("SET statement_timeout = 0")
        try:
            for table in tables:
                conn.exec_driver_sql(f'VACUUM "{table}"')
        finally:
            conn.exec_driver_sql(f"SET statement_timeout = '{_SETTINGS['statement_timeout']}'")


def is_forbidden(error: DBAPIError) -> bool:
    """Return whether the database denied permission."""
    return getattr(error.orig, "sqlstate", None) == _FORBIDDEN
