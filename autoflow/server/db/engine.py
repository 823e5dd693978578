"""The database: short transactions, safe for several processes on one folder or server, and across forks.

A write begins with the store's write lock (SQLite's ``BEGIN IMMEDIATE``) or, on PostgreSQL, with the locks of its
`scopes`, so that what it reads there stays true until it commits. If the database cannot do something now (it is
locked, full or unreachable), that is `ServerBusy`: the caller keeps its records and tries again.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy import exc as failures
from sqlalchemy.pool import Pool

from autoflow.errors import ServerBusy, StoreUnavailable
from autoflow.process.lru_cache import LruCache
from autoflow.server.db import counters, deadline, pipeline, postgresql, schema, scopes, setup, sqlite_scrub
from autoflow.server.db.access import LOCAL, OPTION, Caller
from autoflow.server.db.deadline import time_limit
from autoflow.server.db.error_translation import Failure, classify, first_line, server_busy, translate_data_errors
from autoflow.server.db.forks import ForkGate
from autoflow.server.db.group_commit import GroupCommit
from autoflow.server.db.identity import Witness
from autoflow.server.db.lock_holder import find_lock_holder
from autoflow.server.db.opening import RECOVER_COMMAND, StoreOpener
from autoflow.server.db.outages import Outages
from autoflow.server.db.pipeline import Statement
from autoflow.server.db.postgresql import LONG, READ, WRITE
from autoflow.server.db.scopes import SCOPED, Scope, Scopes
from autoflow.server.db.write_lock import WriteLock
from autoflow.server.histogram import Histogram

LOCK_TIMEOUT = 5.0  # seconds to wait for another process's write
LOG_BYTES = 16 << 20  # of the write-ahead log; above it a checkpoint truncates the log
LOG_SECONDS = 1.0  # between two checkpoints
LOG_WAIT = 0.05  # seconds that a checkpoint may delay a write
CACHE_BYTES = 64 << 20  # page cache of a connection
KNOWN_TASKS = 20_000  # runs and numbers whose tasks a process remembers
_SCOPE_TRIES = 3  # of a write whose scopes change while it waits for their locks
_PRAGMAS = (
    f"PRAGMA busy_timeout={int(LOCK_TIMEOUT * 1000)}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA synchronous=FULL",  # senders delete acknowledged records
    f"PRAGMA journal_size_limit={LOG_BYTES}",
    "PRAGMA cell_size_check=ON",  # detects damaged pages when they are read
    f"PRAGMA cache_size=-{CACHE_BYTES >> 10}",  # indexes by hash touch random pages
)


def _on_connect(connection: Any, _record: Any) -> None:
    for pragma in _PRAGMAS:
        connection.execute(pragma).close()


def _on_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def make_url(url: str | URL) -> URL:
    """Parse a database's url.

    Raises:
        ValueError: it is not a valid url.
    """
    try:
        return sqlalchemy.make_url(url)
    except failures.ArgumentError:
        raise ValueError("not a database url; write postgresql+psycopg://user:password@host/database") from None


def make_engine(url: str | URL) -> Engine:
    """Return an engine for a database's url; for SQLite with our own BEGIN, as its driver begins too late.

    Raises:
        ValueError: the database cannot hold a store.
        ServerExtraMissing: its driver is not installed.
    """
    address = make_url(url)
    if address.drivername.partition("+")[0] in {"postgresql", "postgres"}:
        engine = postgresql.make_engine(address)
        deadline.install(engine)
        return engine
    if address.drivername.partition("+")[0] != "sqlite":
        raise ValueError(f"a store is kept in SQLite or PostgreSQL, not in {address.drivername}")
    engine = sqlalchemy.create_engine(
        address, connect_args={"timeout": LOCK_TIMEOUT, "isolation_level": None, "check_same_thread": False}
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    deadline.install(engine)
    return engine


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


class Store:
    """One database, as one process uses it; methods may be called from any thread, and in forked children.

    A store that is damaged, lost or foreign is never re-created or moved: all methods raise `StoreUnavailable` until it
    is sound again.

    Args:
        url: SQLAlchemy's; a SQLite file is created if missing, and migrated if older than this code.
        migrate: whether an older PostgreSQL database may be migrated: other servers may be using it.
        witnesses: what keeps the store's mark outside of the database; see `db.identity`.
        remedy: the command that inspects an unavailable store, as messages name it.
        lazy: whether the first call opens the database, and raises the errors of `open`.
    """

    def __init__(
        self,
        url: str | URL,
        *,
        migrate: bool = False,
        witnesses: Sequence[Witness] = (),
        remedy: str = RECOVER_COMMAND,
        lazy: bool = False,
    ) -> None:
        self._engine = make_engine(url)
        self._migrate = migrate
        self._inherited: list[Pool] = []
        self._pid = os.getpid()
        self._gate = ForkGate(self._engine.dispose)
        self.write_waits = Histogram()  # from the call of `write` until the transaction has its locks
        self._path = setup.sqlite_path(self._engine)
        self._write_lock = WriteLock(postgresql.WRITERS if self._path is None else 1)
        self.groups = GroupCommit()
        # the tasks that runs and numbers denoted lately, by their scopes; may be out of date
        self.known_tasks: LruCache[Scope, tuple[int, ...]] = LruCache(KNOWN_TASKS)
        self._log_due = 0.0
        self._opening = StoreOpener(self._engine, witnesses, remedy, migrate=migrate)
        self._outages = Outages(self.address)
        if not lazy:
            try:
                self.open()
            except BaseException:
                self._engine.dispose()
                raise

    def open(self) -> None:
        """Open the database, unless it is open.

        Raises:
            StoreUnavailable: it is damaged, lost, or another store.
            ServerBusy: it does not answer, or belongs to a newer autoflow, or to an older one and may not be migrated.
        """
        with self._translating_errors():
            self._own_engine()

    @property
    def is_remote(self) -> bool:
        """True if the database is a server, False if it is a file."""
        return self._path is None

    def tables(self) -> list[str]:
        """Return the tables for `check`; none if the database server checks its own pages."""
        return sorted(schema.metadata.tables) if self._path is not None else []

    def check(self, table: str) -> None:
        """Check the structure of a SQLite table and its indexes.

        Raises:
            StoreUnavailable: it is damaged.
        """
        with self.read() as conn:
            messages = [str(row[0]) for row in conn.exec_driver_sql(f'PRAGMA quick_check("{table}")')]
        if messages != ["ok"]:
            error = self._opening.damaged(f"{table}: {messages[0]}")
            self._outages.failed(error)
            raise error

    @property
    def key(self) -> str | None:
        """The store's id; None before it was first opened."""
        return self._opening.key

    @contextlib.contextmanager
    def read(self, caller: Caller = LOCAL) -> Iterator[Connection]:
        """Begin a read transaction, which sees one snapshot of the whole store."""
        options = {OPTION: caller, READ: True}
        with (
            self._translating_errors(),
            self._gate.transaction(),
            self._own_engine().connect().execution_options(**options) as conn,
        ):
            yield conn
            conn.commit()  # a rollback makes psycopg discard its prepared statements

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Begin a read transaction without a time limit, for maintenance that reads the whole store."""
        options = {OPTION: LOCAL, LONG: True, READ: True}
        with (
            self._translating_errors(),
            self._gate.transaction(),
            self._own_engine().connect().execution_options(**options) as conn,
        ):
            yield conn

    @contextlib.contextmanager
    def write(
        self,
        caller: Caller = LOCAL,
        *,
        scope: Scopes = None,
        count_change: bool = True,
        seconds: float | None = None,
    ) -> Iterator[Connection]:
        """Begin a write transaction; an error rolls it back.

        Args:
            caller: the user on whose behalf it is.
            scope: the scopes that it changes, or a function of a connection that returns them; None for the store.
            count_change: whether it advances the change counter; False for data that no page shows.
            seconds: its time limit; None for none.

        Raises:
            StoreUnavailable: see `open`; also when another autoflow has migrated the database since it was opened.
        """
        began = time.monotonic()
        with (
            self._translating_errors(),
            self._gate.transaction(),
            self._write_lock.hold(),
            self._begin_write(caller, scope) as conn,
        ):
            self.write_waits.observe(time.monotonic() - began)
            with time_limit(conn, seconds) if seconds is not None else contextlib.nullcontext():
                yield conn
                if count_change:
                    counters.count_change(conn, caller.teams)
                pipeline.commit(conn)
        self._shorten_log()
        if self._opening.mark_is_due:
            with contextlib.suppress(ServerBusy), self._translating_errors(), self._gate.transaction():
                self._opening.mark_machine()

    @contextlib.contextmanager
    def _begin_write(self, caller: Caller, scope: Scopes) -> Iterator[Connection]:
        """Begin a write transaction that holds its locks; with the store's lock if its scopes keep changing."""
        if self._path is not None:
            with self._own_engine().connect().execution_options(**{OPTION: caller, WRITE: True}) as conn:
                self._opening.fence(conn)
                yield conn
            return
        for attempt in (*[scope] * _SCOPE_TRIES, None) if scope is not None else (None,):
            with self._begin_scoped(caller, attempt) as conn:
                if not callable(attempt) or scopes.resolve_and_lock(conn, attempt):
                    yield conn
                    return

    @contextlib.contextmanager
    def _begin_scoped(self, caller: Caller, scope: Scopes) -> Iterator[Connection]:
        """Begin a transaction with the lock of the store, and with those of scopes that are known."""
        known = None if callable(scope) or scope is None or len(scope) > scopes.MOST else scope
        options = {OPTION: caller, WRITE: True, SCOPED: callable(scope) or known is not None}
        statements = [self._opening.fence_statement()]
        if known:
            statements.append(scopes.lock_statement(known))
        try:
            conn, results = self._try_to_begin(options, statements)
        except failures.DBAPIError as error:
            if not error.connection_invalidated:
                raise
            # it was lost since its last use, and nothing was written
            conn, results = self._try_to_begin(options, statements)
        with conn:
            self._opening.check_fence(results[0])
            if known is not None:
                scopes.hold(conn, known)
            yield conn

    def _try_to_begin(
        self, options: dict[str, Any], statements: Sequence[Statement]
    ) -> tuple[Connection, list[list[Any]]]:
        deferred: list[Any] = []
        more = {postgresql.BEGIN: True, pipeline.DEFERRED: deferred}
        conn = self._own_engine().connect().execution_options(**options, **more)
        try:
            conn.begin()
            return conn, postgresql.begin(conn, statements)
        except BaseException:
            conn.close()
            raise

    def mark(self) -> None:
        """Write the store's current mark to all witnesses; one that is unavailable is skipped."""
        with self._translating_errors(), self._gate.transaction():
            self._own_engine()
            self._opening.mark()

    def check_identity(self) -> None:
        """Compare the database with the current marks of its witnesses.

        Raises:
            StoreUnavailable: see `open`.
        """
        with self._translating_errors(), self._gate.transaction():
            self._own_engine()
            self._opening.compare_with_marks()

    @property
    def address(self) -> str:
        """The database's url without its password."""
        return self._engine.url.render_as_string(hide_password=True)

    def for_caller(self, caller: Caller) -> CallerStore:
        """Return the store restricted to a caller."""
        return CallerStore(self, caller)

    def close(self) -> None:
        """Close the connections; a later transaction opens new ones."""
        self._opening.close()
        if self._pid == os.getpid():
            self._engine.dispose()

    def scrub(self, tables: Sequence[str]) -> None:
        """Leave nothing in the database's files of what was deleted.

        A SQLite file is written anew, its index of words with it, and its log emptied; copies that migrations made of
        it are deleted. On PostgreSQL the tables are vacuumed.

        Args:
            tables: the tables that rows were deleted from.

        Raises:
            Busy: another process reads the database all the time.
            ServerBusy: the database has no room for it, or does not answer.
        """
        with self._translating_errors(), self._gate.transaction(), self._write_lock.hold():
            engine = self._own_engine()
            if self._path is None:
                postgresql.vacuum(engine, tables)
            else:
                sqlite_scrub.scrub(engine, self._path)

    def unscrubbed(self) -> list[str]:
        """Return what `scrub` does not reach, a phrase each."""
        if self._path is None:
            return [postgresql.UNSCRUBBED]
        return [f"{os.path.basename(name)}, which a repair set aside" for name in sqlite_scrub.set_aside(self._path)]

    def _own_engine(self) -> Engine:
        """Return the engine, without the connections of a parent process: those are neither used nor closed."""
        if self._pid != os.getpid():
            self._inherited.append(self._engine.pool)
            self._engine.dispose(close=False)
            self._pid = os.getpid()
        self._opening.ensure()
        return self._engine

    @property
    def _log_path(self) -> str | None:
        return None if self._path is None else f"{self._path}-wal"

    def _shorten_log(self) -> None:
        """Truncate a long write-ahead log, which SQLite itself does only when nobody reads.

        Waits `LOG_WAIT` at most; a reader that stays longer postpones it.
        """
        log = self._log_path
        if log is None or time.monotonic() < self._log_due or _size(log) <= LOG_BYTES:
            return
        self._log_due = time.monotonic() + LOG_SECONDS
        with (
            contextlib.suppress(failures.DBAPIError, sqlite3.Error),
            self._gate.transaction(),
            contextlib.closing(self._engine.raw_connection()) as raw,
        ):
            cursor = raw.cursor()
            cursor.execute(f"PRAGMA busy_timeout={int(LOG_WAIT * 1000)}")
            try:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                cursor.execute(_PRAGMAS[0])

    @contextlib.contextmanager
    def _translating_errors(self) -> Iterator[None]:
        """Translate errors of the database to `ServerBusy`, `StoreUnavailable` and `ServerRefused`."""
        try:
            with translate_data_errors():
                yield
        except failures.ProgrammingError as error:
            if postgresql.is_forbidden(error):
                raise server_busy(error) from error
            raise
        except (failures.DBAPIError, failures.TimeoutError, sqlite3.Error, OSError) as error:
            raise self._translated(error) from error
        except StoreUnavailable as error:
            self._outages.failed(error)
            raise
        else:
            self._outages.succeeded()

    def _translated(self, error: Exception) -> ServerBusy:
        failure = classify(error)
        if failure is Failure.DAMAGED:
            translated: ServerBusy = self._opening.damaged(first_line(error))
        else:
            holder = find_lock_holder(self._path) if failure is Failure.BUSY and self._path is not None else None
            translated = server_busy(error, f": {holder}" if holder is not None else "")
            if holder is not None and holder.stopped:
                failure = Failure.AWAY
        if failure is not Failure.BUSY:
            self._outages.failed(translated)
        return translated


class CallerStore(NamedTuple):
    """A store whose transactions are on behalf of one caller."""

    store: Store
    caller: Caller

    @contextlib.contextmanager
    def read(self, *, seconds: float = deadline.READ_SECONDS) -> Iterator[Connection]:
        """See `Store.read`; with a time limit."""
        with self.store.read(self.caller) as conn, time_limit(conn, seconds):
            yield conn

    def tables(self) -> list[str]:
        """See `Store.tables`."""
        return self.store.tables()

    def check(self, table: str) -> None:
        """See `Store.check`."""
        self.store.check(table)

    def check_identity(self) -> None:
        """See `Store.check_identity`."""
        self.store.check_identity()

    @contextlib.contextmanager
    def write(self, *, scope: Scopes = None, count_change: bool = True) -> Iterator[Connection]:
        """See `Store.write`; with a time limit."""
        seconds = deadline.WRITE_SECONDS
        with self.store.write(self.caller, scope=scope, count_change=count_change, seconds=seconds) as conn:
            yield conn
