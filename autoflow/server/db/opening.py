"""Opens a database, creating or migrating it, and checks that it stays the one that was opened.

A process opens it once. It is checked again when its file was replaced or deleted, when a statement found damage, and
when a write finds that another version of autoflow has migrated it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Engine, select, text, update
from sqlalchemy import exc as failures

from autoflow.errors import AutoflowError, ServerBusy, StoreUnavailable
from autoflow.process.forks import ProcessLock
from autoflow.server.db import compiled, counters, identity, pipeline, schema, setup, wal
from autoflow.server.db.error_translation import Failure, classify, first_line, server_busy
from autoflow.server.db.identity import DAMAGED, FOREIGN_LOG, OLDER, Identity, Witness
from autoflow.server.db.pipeline import Statement
from autoflow.server.db.postgresql import WRITE
from autoflow.server.errors import Busy

RECOVER_COMMAND = "autoflow server recover"
RETRY_INTERVAL = 1.0  # seconds before a failed opening is tried again: waiting callers would queue up otherwise
MARK_INTERVAL = 60.0  # seconds between two marks written by a process that writes
_TRIES = 10
_CHECKED = "quick_check(100)"
_FENCE = "SELECT 1 FROM alembic_version, identity WHERE version_num = %(revision)s AND identity.key = %(key)s"

_Fingerprint = tuple[Any, ...]


class StoreOpener:
    """Opens one database for this process, and checks that it may be used.

    Args:
        engine: for the database.
        witnesses, remedy, migrate: see `Store`.
    """

    def __init__(self, engine: Engine, witnesses: Sequence[Witness], remedy: str, *, migrate: bool) -> None:
        self.key: str | None = None
        self._engine = engine
        self._path = setup.sqlite_path(engine)
        self._witnesses = witnesses
        self._remedy = remedy
        self._migrate = migrate
        self._lock = ProcessLock()
        self._open = False
        self._file: _Fingerprint | None = None
        self._failure: ServerBusy | None = None
        self._failed_at = 0.0
        self._damage: tuple[_Fingerprint, str] | None = None  # fingerprint of the damaged file
        self._suspect = False
        self._mark_due = 0.0

    @cached_property
    def _address(self) -> str:
        return self._path or self._engine.url.render_as_string(hide_password=True)

    def ensure(self) -> None:
        """Open the database unless it is open, and still the same file.

        Raises:
            ServerBusy, StoreUnavailable: see `Store.open`.
        """
        if self._open and (self._path is None or self._file == _inode(self._path)):
            return
        with self._lock:
            if self._open and self._path is not None and self._file != _inode(self._path):
                self._open = False
                self._engine.dispose()  # its connections would write to the removed file
            if not self._open:
                self._try()

    def _try(self) -> None:
        if self._failure is not None and time.monotonic() < self._failed_at + RETRY_INTERVAL:
            raise self._failure
        try:
            self._prepare()
        except (failures.DBAPIError, failures.TimeoutError, sqlite3.Error, OSError) as error:
            if isinstance(error, failures.ProgrammingError):
                raise
            translated = self.damaged(first_line(error)) if classify(error) is Failure.DAMAGED else server_busy(error)
            self._remember(translated)
            raise translated from error
        except ServerBusy as error:
            self._remember(error)
            raise
        self._failure = None

    def _remember(self, error: ServerBusy) -> None:
        self._failure, self._failed_at = error, time.monotonic()

    def _prepare(self) -> None:
        if self._path is not None:
            self._examine_file(self._path)
        state = self.compare_with_marks()
        setup.prepare(self._engine, migrate=self._migrate)
        if state is None:
            state = self.compare_with_marks()
        assert state is not None
        self.key = state.key
        self._file = _inode(self._path) if self._path is not None else None
        self._open = True
        self.mark()

    def _examine_file(self, path: str) -> None:
        """Examine a SQLite file before it is opened.

        Raises:
            StoreUnavailable: it is damaged, or the log beside it is another file's.
        """
        if self._damage is not None and self._damage[0] == _fingerprint(path):
            raise self._damaged(self._damage[1])
        if not wal.log_matches_file(path):
            raise StoreUnavailable(
                FOREIGN_LOG,
                f"the log {path}-wal was not written for the file {path} beside it: a backup was copied here, perhaps. "
                f"Nothing was changed. To look at it: {self._remedy}",
            )
        if self._suspect:
            damage = find_damage(path)
            if damage:
                self._damage = _fingerprint(path), damage[0]
                raise self._damaged(damage[0])
            self._suspect = False
        self._damage = None

    def damaged(self, message: str) -> StoreUnavailable:
        """Stop using the database after damage was detected; return the error to raise.

        A SQLite file is checked completely before it is used again, and again only after it was changed.
        """
        self._open = False
        self._suspect = self._path is not None
        self._engine.dispose()
        return self._damaged(message)

    def _damaged(self, message: str) -> StoreUnavailable:
        return StoreUnavailable(
            DAMAGED,
            f"the store {self._address} is damaged ({message}). Nothing was changed. To look at it: {self._remedy}",
        )

    def compare_with_marks(self) -> Identity | None:
        """Compare the database with its marks; return its identity, None for a new store or one without an id.

        Raises:
            StoreUnavailable: see `identity.check_identity`.
        """
        state = self._identity()
        for _ in range(_TRIES):
            revision, database_identity = state
            marks = identity.marks_of(self._witnesses)
            try:
                if database_identity is None and revision is not None:  # created before stores had an id
                    self._check_without_id(marks)
                else:
                    identity.check_identity(self._address, self._remedy, database_identity, marks, self.key)
                return database_identity
            except StoreUnavailable:
                state = self._identity()
                if state == (revision, database_identity):
                    raise
                # another process was creating or writing it meanwhile
        return state[1]

    def _check_without_id(self, marks: identity.Marks) -> None:
        for witness, mark in marks:
            if mark is not None:
                raise StoreUnavailable(
                    OLDER,
                    f"{self._address} is a store of an older autoflow, from before {witness.address} was marked as "
                    f"that of store {mark.key}. Nothing was changed. To look at it: {self._remedy}",
                )

    def _identity(self) -> tuple[str | None, Identity | None]:
        if self._path is not None and not _size(self._path):
            return None, None  # connecting would create it
        with self._engine.connect() as conn:
            revision = setup.revision_of(conn)
            return revision, identity.read(conn) if revision is not None else None

    def close(self) -> None:
        """Write the marks a last time if the database is open; failures are ignored."""
        if self._open and (self._path is None or self._file == _inode(self._path)):
            with contextlib.suppress(failures.SQLAlchemyError, AutoflowError, OSError):
                self.mark()

    # -- while it is open

    @cached_property
    def _fence(self) -> Any:
        same_store = select(text("1")).select_from(text("alembic_version, identity"))
        same_store = same_store.where(text("version_num = :fence_revision"), text("identity.key = :fence_key"))
        counter = schema.counters
        writes = update(counter).where(counter.c.name == counters.WRITE, same_store.exists())
        return writes.values(value=counter.c.value + 1)

    def fence(self, conn: Connection) -> None:
        """Begin a write transaction: check the database's schema revision and store id, and count the transaction.

        Raises:
            ServerBusy: another autoflow has migrated the database, or it holds another store; it is opened again.
        """
        if self._path is None:
            self.check_fence(pipeline.execute(conn, [self.fence_statement()])[0])
        else:
            known = {"fence_revision": schema.REVISION, "fence_key": self.key}
            self._check_fence(compiled.execute(conn, self._fence, known).rowcount == 1)

    def fence_statement(self) -> Statement:
        """Return the statement on PostgreSQL whose rows `check_fence` checks."""
        return _FENCE, {"revision": schema.REVISION, "key": self.key}

    def check_fence(self, rows: Sequence[object]) -> None:
        """See `fence`; the rows are those of `fence_statement`."""
        self._check_fence(bool(rows))

    def _check_fence(self, passed: bool) -> None:
        if not passed:
            self._open = False
            raise Busy(
                f"the store {self._address} was migrated by another autoflow, or replaced, since this process opened "
                "it; nothing was written. If a newer autoflow uses it, upgrade this one",
                retry_after=1.0,
            )

    def mark(self) -> None:
        """Write the current mark to all witnesses."""
        self._write_marks(self._witnesses)

    @property
    def mark_is_due(self) -> bool:
        """Return whether the marks on this machine are due to be written again."""
        return time.monotonic() >= self._mark_due

    def mark_machine(self) -> None:
        """Write the current mark to the files of this machine, which is cheap."""
        self._write_marks([witness for witness in self._witnesses if not witness.blobs])

    def _write_marks(self, witnesses: Sequence[Witness]) -> None:
        self._mark_due = time.monotonic() + MARK_INTERVAL
        if not witnesses or self.key is None:
            return
        with self._engine.connect() as conn:
            mark = identity.mark_of(conn, self.key)
            marked = conn.execute(select(schema.identity.c.marked)).scalar()
        for witness in witnesses:
            with contextlib.suppress(OSError, AutoflowError):  # it is written again later
                ((_, current),) = identity.marks_of([witness])
                if (current is None and witness.blobs and marked) or (current is not None and current.key != mark.key):
                    self._open = False  # another store is there: check before writing anything
                    continue
                witness.write(mark.encode())
                if witness.blobs and not marked:
                    self._set_marked()

    def _set_marked(self) -> None:
        with self._engine.connect().execution_options(**{WRITE: True}) as conn, conn.begin():
            self.fence(conn)
            conn.execute(update(schema.identity).values(marked=True))


def find_damage(path: str) -> list[str]:
    """Check a SQLite file; return the damage, empty if there is none or it cannot be checked now."""
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=1.0)) as conn:
            messages = [str(row[0]) for row in conn.execute(f"PRAGMA {_CHECKED}")]
    except sqlite3.Error as error:
        return [str(error)] if classify(error) is Failure.DAMAGED else []
    return [] if messages == ["ok"] else messages


def _inode(path: str) -> _Fingerprint | None:
    """Return the identity of the file at a path; None if there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _fingerprint(path: str) -> _Fingerprint:
    """Return the state of a file and its log, which differs after a change."""
    parts: list[Any] = []
    for name in (path, f"{path}-wal"):
        try:
            status = os.stat(name)
            parts.append((status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns))
        except OSError:
            parts.append(None)
    return tuple(parts)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
