"""The database: short transactions, safe for many processes on one folder or server, and across forks.

A write begins with the store's write lock (SQLite's ``BEGIN IMMEDIATE``, and in `postgresql` the same), so that what it
reads first stays true until it commits. Whatever the database cannot do now (locked, full, gone) is `ServerBusy`: the
caller keeps its records and tries again.
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
from autoflow.server.db import counters, deadline, postgresql, schema, setup
from autoflow.server.db.access import LOCAL, OPTION, Caller
from autoflow.server.db.deadline import time_limit
from autoflow.server.db.error_translation import Failure, classify, first_line, server_busy, translate_data_errors
from autoflow.server.db.forks import ForkGate
from autoflow.server.db.identity import Witness
from autoflow.server.db.lock_holder import find_lock_holder
from autoflow.server.db.opening import RECOVER_COMMAND, StoreOpener
from autoflow.server.db.outages import Outages
from autoflow.server.db.postgresql import WRITE
from autoflow.server.db.write_lock import WriteLock

LOCK_TIMEOUT = 5.0  # seconds for another process's write
LOG_BYTES = 16 << 20  # of the write-ahead log, above which it is shortened
LOG_SECONDS = 1.0  # between two tries
LOG_WAIT = 0.05  # seconds that one may take of a write
CACHE_BYTES = 64 << 20  # of a connection, at most, of a store that has as many
_PRAGMAS = (
    f"PRAGMA busy_timeout={int(LOCK_TIMEOUT * 1000)}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA synchronous=FULL",  # what was acknowledged is gone from the sender's journal
    f"PRAGMA journal_size_limit={LOG_BYTES}",
    "PRAGMA cell_size_check=ON",  # finds damage of a page when it is read
    f"PRAGMA cache_size=-{CACHE_BYTES >> 10}",  # indexes by hash are written at random places: many pages are in use
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
        ValueError: it is none.
    """
    try:
        return sqlalchemy.make_url(url)
    except failures.ArgumentError:
        raise ValueError("that is no database's url; write postgresql+psycopg://user:password@host/database") from None


def make_engine(url: str | URL) -> Engine:
    """An engine for a database's url; for SQLite with our own BEGIN, as its driver begins too late.

    Raises:
        ValueError: the url is of no database that can hold a store.
        ServerExtraMissing: its driver is not installed.
    """
    address = make_url(url)
    if address.drivername.partition("+")[0] in {"postgresql", "postgres"}:
        return postgresql.make_engine(address)
    if address.drivername.partition("+")[0] != "sqlite":
        raise ValueError(f"a store is kept in SQLite or PostgreSQL, not in {address.drivername}")
    engine = sqlalchemy.create_engine(
        address, connect_args={"timeout": LOCK_TIMEOUT, "isolation_level": None, "check_same_thread": False}
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


class Store:
    """One database, as one process uses it; methods may be called from any thread, and in forked children.

    A store that is damaged, lost or another's is never begun afresh and never moved: whatever is asked of it raises
    `StoreUnavailable`, until it is sound again.

    Args:
        url: SQLAlchemy's; a SQLite file is made when missing, and migrated when older than this code.
        migrate: whether a PostgreSQL database that is older may be migrated, too: other servers may be using it.
        witnesses: the places that keep the store's mark; see `store.identity`.
        remedy: the command that looks at a store that is unavailable, for messages.
        lazy: whether the database is opened by the first call, which then raises what opening it raises.
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
        self._turns = WriteLock()
        self._path = setup.sqlite_path(self._engine)
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
            StoreUnavailable: it is damaged, lost, or not the store that was here.
            ServerBusy: it does not answer, or is of a newer autoflow, or of an older one and may not be migrated.
        """
        with self._failing():
            self._own()

    @property
    def is_remote(self) -> bool:
        """Whether the database is a server of its own and no file."""
        return self._path is None

    def tables(self) -> list[str]:
        """The tables that `check` takes; none where the database server checks its own pages."""
        return sorted(schema.metadata.tables) if self._path is not None else []

    def check(self, table: str) -> None:
        """Have SQLite check the structure of a table and its indexes.

        Raises:
            StoreUnavailable: they are damaged.
        """
        with self.read() as conn:
            told = [str(row[0]) for row in conn.exec_driver_sql(f'PRAGMA quick_check("{table}")')]
        if told != ["ok"]:
            error = self._opening.damaged(f"{table}: {told[0]}")
            self._outages.failed(error)
            raise error

    @property
    def key(self) -> str | None:
        """The store's id, None while it was never open."""
        return self._opening.key

    @contextlib.contextmanager
    def read(self, caller: Caller = LOCAL) -> Iterator[Connection]:
        """A transaction that only reads, and sees one state of the whole store."""
        options = {OPTION: caller, **self._reading}
        with self._failing(), self._gate.passing(), self._own().connect().execution_options(**options) as conn:
            yield conn

    @contextlib.contextmanager
    def write(self, caller: Caller = LOCAL, *, count_change: bool = True) -> Iterator[Connection]:
        """A transaction that writes: all of it or, after any error, nothing.

        Args:
            caller: who it is for.
            count_change: whether it advances the change counter: not when no page shows what was written.

        Raises:
            StoreUnavailable: see `open`; also when another autoflow has migrated the database since it was opened.
        """
        options = {OPTION: caller, WRITE: True}
        with (
            self._failing(),
            self._gate.passing(),
            self._turns.taking(),
            self._own().connect().execution_options(**options) as conn,
            conn.begin(),
        ):
            self._opening.fence(conn)
            yield conn
            if count_change:
                counters.count_change(conn, caller.teams)
        self._shorten_log()
        if self._opening.mark_is_due:
            with contextlib.suppress(ServerBusy), self._failing(), self._gate.passing():
                self._opening.mark_machine()

    def mark(self) -> None:
        """Have all witnesses keep how far the store is now; a place that does not take it is passed over."""
        with self._failing(), self._gate.passing():
            self._own()
            self._opening.mark()

    def check_identity(self) -> None:
        """Compare the database with the marks of its witnesses, as they are now.

        Raises:
            StoreUnavailable: see `open`.
        """
        with self._failing(), self._gate.passing():
            self._own()
            self._opening.judge()

    @property
    def _reading(self) -> dict[str, Any]:
        return postgresql.READ_OPTIONS if self._path is None else {}

    @property
    def address(self) -> str:
        """The database's url, as it may be shown: without a password."""
        return self._engine.url.render_as_string(hide_password=True)

    def for_caller(self, caller: Caller) -> CallerStore:
        """The store as a caller sees it."""
        return CallerStore(self, caller)

    def close(self) -> None:
        """Give the connections back; a later transaction opens new ones."""
        self._opening.leave()
        if self._pid == os.getpid():
            self._engine.dispose()

    def _own(self) -> Engine:
        """The engine, with no connection opened by another process: those are neither used nor closed here."""
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
        """Begin the write-ahead log anew when it has grown long, which SQLite by itself does in no moment somebody
        reads. Waits a moment at the most; a reader that stays longer puts it off.
        """
        log = self._log_path
        if log is None or time.monotonic() < self._log_due or _size(log) <= LOG_BYTES:
            return
        self._log_due = time.monotonic() + LOG_SECONDS
        with (
            contextlib.suppress(failures.DBAPIError, sqlite3.Error),
            self._gate.passing(),
            contextlib.closing(self._engine.raw_connection()) as raw,
        ):
            rows = raw.cursor()
            rows.execute(f"PRAGMA busy_timeout={int(LOG_WAIT * 1000)}")
            try:
                rows.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                rows.execute(_PRAGMAS[0])

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        """Translate the database's failures: what may be over at the next try, what damages show, and what never is."""
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
            told: ServerBusy = self._opening.damaged(first_line(error))
        else:
            holder = find_lock_holder(self._path) if failure is Failure.BUSY and self._path is not None else None
            told = server_busy(error, f": {holder}" if holder is not None else "")
            if holder is not None and holder.stopped:
                failure = Failure.AWAY
        if failure is not Failure.BUSY:
            self._outages.failed(told)
        return told


class CallerStore(NamedTuple):
    """A store, and whom its transactions are for."""

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
    def write(self, *, count_change: bool = True) -> Iterator[Connection]:
        """See `Store.write`; with a time limit."""
        with self.store.write(self.caller, count_change=count_change) as conn, time_limit(conn, deadline.WRITE_SECONDS):
            yield conn
