"""The database: short transactions, safe for many processes on one folder or server, and across forks.

A write begins with the store's write lock (SQLite's ``BEGIN IMMEDIATE``, and in `postgresql` the same), so that what it
reads first stays true until it commits. Whatever the database cannot do now (locked, full, gone) is `ServerBusy`: the
caller keeps its records and tries again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy import exc as failures
from sqlalchemy.pool import Pool

from autoflow.platform.store import counters, deadline, postgresql, setup
from autoflow.platform.store.access import LOCAL, OPTION, Caller
from autoflow.platform.store.deadline import limited
from autoflow.platform.store.failing import busy, refusing
from autoflow.platform.store.forks import Gate
from autoflow.platform.store.postgresql import WRITE
from autoflow.platform.store.turns import Turns

logger = logging.getLogger("autoflow")

WAIT = 5.0  # seconds for another process's write
LOG_BYTES = 16 << 20  # of the write-ahead log, above which it is shortened
LOG_SECONDS = 1.0  # between two tries
LOG_WAIT = 0.05  # seconds that one may take of a write
CACHE_BYTES = 64 << 20  # of a connection, at most, of a store that has as many
_PRAGMAS = (
    f"PRAGMA busy_timeout={int(WAIT * 1000)}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA synchronous=FULL",  # what was acknowledged is gone from the sender's journal
    f"PRAGMA journal_size_limit={LOG_BYTES}",
    f"PRAGMA cache_size=-{CACHE_BYTES >> 10}",  # indexes by hash are written at random places: many pages are in use
)


def _on_connect(connection: Any, _record: Any) -> None:
    for pragma in _PRAGMAS:
        connection.execute(pragma).close()


def _on_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def make_engine(url: str | URL) -> Engine:
    """An engine for a database's url; for SQLite with our own BEGIN, as its driver begins too late.

    Raises:
        ValueError: the url is of no database that can hold a store.
        ServerExtraMissing: its driver is not installed.
    """
    try:
        address = sqlalchemy.make_url(url)
    except failures.ArgumentError:
        raise ValueError("that is no database's url; write postgresql+psycopg://user:password@host/database") from None
    if address.drivername.partition("+")[0] in {"postgresql", "postgres"}:
        return postgresql.make_engine(address)
    if address.drivername.partition("+")[0] != "sqlite":
        raise ValueError(f"a store is kept in SQLite or PostgreSQL, not in {address.drivername}")
    engine = sqlalchemy.create_engine(
        address, connect_args={"timeout": WAIT, "isolation_level": None, "check_same_thread": False}
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _identity(path: str | None) -> tuple[int, int] | None:
    """Which file a path names now, None when it names none."""
    try:
        found = os.stat(path) if path is not None else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found is not None else None


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


class Store:
    """One database, as one process uses it; methods may be called from any thread, and in forked children.

    Args:
        url: SQLAlchemy's; a SQLite file is made when missing, and migrated when older than this code.
        migrate: whether a PostgreSQL database that is older may be migrated, too: other servers may be using it.
    """

    def __init__(self, url: str | URL, *, migrate: bool = False) -> None:
        self._engine = make_engine(url)
        self._migrate = migrate
        self._inherited: list[Pool] = []
        self._pid = os.getpid()
        self._gate = Gate(self._engine.dispose)
        self._turns = Turns()
        self._path = setup.file_of(self._engine)
        self._log_due = 0.0
        try:
            with self._failing():
                self._prepare()
        except BaseException:
            self._engine.dispose()
            raise
        self._identity = _identity(self._path)
        self._log = _identity(self._log_path)

    @contextlib.contextmanager
    def read(self, caller: Caller = LOCAL) -> Iterator[Connection]:
        """A transaction that only reads, and sees one state of the whole store."""
        options = {OPTION: caller, **self._reading}
        with self._failing(), self._gate.passing(), self._own().connect().execution_options(**options) as rows:
            yield rows

    @contextlib.contextmanager
    def write(self, caller: Caller = LOCAL, *, noted: bool = True) -> Iterator[Connection]:
        """A transaction that writes: all of it or, after any error, nothing.

        Args:
            caller: who it is for.
            noted: whether it advances the change counter: not when no page shows what was written.
        """
        options = {OPTION: caller, WRITE: True}
        with (
            self._failing(),
            self._gate.passing(),
            self._turns.taking(),
            self._own().connect().execution_options(**options) as rows,
            rows.begin(),
        ):
            yield rows
            if noted:
                counters.note_change(rows, caller.teams)
        self._shorten_log()

    @property
    def _reading(self) -> dict[str, Any]:
        return postgresql.READING if self._path is None else {}

    @property
    def address(self) -> str:
        """The database's url, as it may be shown: without a password."""
        return self._engine.url.render_as_string(hide_password=True)

    def of(self, caller: Caller) -> StoreOf:
        """The store as a caller sees it."""
        return StoreOf(self, caller)

    def close(self) -> None:
        """Give the connections back; a later transaction opens new ones."""
        self._own().dispose()

    def _own(self) -> Engine:
        """The engine, with no connection opened by another process: those are neither used nor closed here."""
        if self._pid != os.getpid():
            self._inherited.append(self._engine.pool)
            self._engine.dispose(close=False)
            self._pid = os.getpid()
        if self._identity != (found := _identity(self._path)):
            # the file was removed or replaced: what is open would be written into nowhere
            self._leave_behind()
            if found is None:
                self._prepare()
            self._identity = _identity(self._path)
        self._log = _identity(self._log_path)
        return self._engine

    @property
    def _log_path(self) -> str | None:
        return None if self._path is None else f"{self._path}-wal"

    def _leave_behind(self) -> None:
        """Close a file that is no longer the store, and remove its log: SQLite would play it into the new one."""
        stale = self._log if getattr(self._engine.pool, "checkedin", int)() else None  # held open: surely the old one
        if self._path is not None and stale is not None and stale == _identity(self._log_path):
            for ending in ("-wal", "-shm"):
                with contextlib.suppress(OSError):
                    os.unlink(self._path + ending)
        self._engine.dispose()

    def _prepare(self) -> None:
        """Bring the store to this code's schema; a damaged one is moved aside, and a new one begun."""
        try:
            setup.prepare(self._engine, migrate=self._migrate)
        except failures.DatabaseError as error:
            if not self._set_aside(error):
                raise
            setup.prepare(self._engine)

    def _set_aside(self, error: Exception) -> bool:
        """Move the store out of the way if an error says that it is damaged, and it is; whether it was."""
        if self._path is None or not setup.is_damage(error):
            return False
        self._engine.dispose()
        aside = setup.set_aside(self._path)
        if aside is not None:
            logger.error(
                "autoflow: the store %s is damaged; it was moved to %s, and a new one is begun. What was in it may be "
                "read with: sqlite3 %s .recover",
                self._path,
                aside,
                aside,
            )
        return aside is not None

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
        """Tell the database's failures apart: try again, or never."""
        try:
            with refusing():
                yield
        except failures.ProgrammingError as error:
            if postgresql.is_forbidden(error):
                raise busy(error) from error
            raise
        except (failures.DBAPIError, failures.TimeoutError, OSError) as error:
            self._set_aside(error)
            raise busy(error) from error


class StoreOf(NamedTuple):
    """A store, and whom its transactions are for."""

    store: Store
    caller: Caller

    @contextlib.contextmanager
    def read(self, *, seconds: float = deadline.READ) -> Iterator[Connection]:
        """See `Store.read`; with a time limit."""
        with self.store.read(self.caller) as rows, limited(rows, seconds):
            yield rows

    @contextlib.contextmanager
    def write(self, *, noted: bool = True) -> Iterator[Connection]:
        """See `Store.write`; with a time limit."""
        with self.store.write(self.caller, noted=noted) as rows, limited(rows, deadline.WRITE):
            yield rows
