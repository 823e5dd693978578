"""Diagnosis and repair of a store that is unavailable; repairs run only on a person's request.

Nothing is deleted: a damaged file, or a log that belongs to another file, is renamed and stays beside the store.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import URL, Connection, Engine, update

from autoflow.errors import AutoflowError, StoreUnavailable
from autoflow.server.db import counters, identity, salvage, schema, setup
from autoflow.server.db.engine import Store, make_engine
from autoflow.server.db.identity import Mark, Witness
from autoflow.server.db.opening import find_damage
from autoflow.server.db.postgresql import WRITE
from autoflow.server.db.salvage import SalvagedTable

_LOG = ("-wal", "-shm")
_ROUNDS = 6  # a repair may uncover the next problem


class Diagnosis(NamedTuple):
    """The problem of a store.

    Args:
        reason: one of the constants of `db.identity`.
        message: the problem.
        action: what `Recovery.repair` would do about it.
        tables: for a damaged store, what can be read of each table.
    """

    reason: str
    message: str
    action: str
    tables: Sequence[SalvagedTable] = ()


class Recovery:
    """Diagnoses and repairs one store.

    Args:
        url, witnesses, remedy: see `Store`.
    """

    def __init__(self, url: URL, witnesses: Sequence[Witness], remedy: str) -> None:
        self._url = url
        self._witnesses = witnesses
        self._remedy = remedy
        self._path = url.database if url.drivername.startswith("sqlite") else None
        self._repairs: Mapping[str, tuple[Callable[[], None], str]] = {
            identity.DAMAGED: (
                self._salvage,
                "copy what can be read into a new file, and keep the damaged file beside it",
            ),
            identity.LOST: (self._create_empty, "create an empty store with the id of the lost one"),
            identity.FOREIGN: (
                self._adopt,
                "accept this database as the store of these blobs and this address",
            ),
            identity.OLDER: (
                self._continue_from_copy,
                "continue with this older copy, without reusing ids that were assigned since",
            ),
            identity.BLOBS_LOST: (
                self._adopt,
                "accept this location of the blobs; those that are not there are lost",
            ),
            identity.FOREIGN_LOG: (self._move_log, "move the log aside, and use the file without it"),
        }

    def diagnose(self) -> Diagnosis | None:
        """Return the store's problem, None if it is sound; nothing is changed.

        Raises:
            ServerBusy: the database does not answer, or has the schema of another version of autoflow.
        """
        try:
            store = Store(self._url, witnesses=self._witnesses, remedy=self._remedy)
        except StoreUnavailable as error:
            return self._diagnosis(error.reason, str(error))
        store.close()
        damage = find_damage(self._path) if self._path is not None else []
        return self._diagnosis(identity.DAMAGED, "; ".join(damage[:5])) if damage else None

    def _diagnosis(self, reason: str, message: str) -> Diagnosis:
        if reason != identity.DAMAGED:
            return Diagnosis(reason, message, self._repairs[reason][1])
        if self._path is None:
            return Diagnosis(reason, message, "nothing: restore the database from a backup")
        tables = [table for table in salvage.count_readable(self._path) if table.rows or table.gaps]
        action = self._repairs[reason][1]
        if not tables:
            action = "rename the file and create an empty store: not even the list of tables can be read"
        return Diagnosis(reason, message, action, tables)

    def repair(self) -> list[Diagnosis]:
        """Repair the store; return the problems that were repaired.

        Raises:
            ServerBusy, OSError: it cannot be repaired now; completed repairs are kept.
        """
        repaired: list[Diagnosis] = []
        for _ in range(_ROUNDS):
            diagnosis = self.diagnose()
            if diagnosis is None:
                return repaired
            if diagnosis.reason == identity.DAMAGED and self._path is None:
                raise StoreUnavailable(diagnosis.reason, f"{diagnosis.message}: {diagnosis.action}")
            self._repairs[diagnosis.reason][0]()
            repaired.append(diagnosis)
        last = repaired[-1]
        raise StoreUnavailable(last.reason, f"it is not repaired after {_ROUNDS} steps: {last.message}")

    # -- repairs

    def _newest_mark(self) -> Mark | None:
        """Return the newest mark of those that can be read."""
        marks: list[Mark] = []
        for witness in self._witnesses:
            with contextlib.suppress(AutoflowError, OSError):
                marks += [mark for _, mark in identity.marks_of([witness]) if mark is not None]
        return max(marks, key=lambda mark: mark.changes, default=None)

    def _salvage(self) -> None:
        path = str(self._path)
        stamp = time.time_ns()
        new = f"{path}.recovered-{stamp}"
        with setup.exclusive_lock(path):
            try:
                tables = salvage.copy(path, new, self._newest_mark())
            except (sqlite3.Error, OSError):
                with contextlib.suppress(OSError):
                    os.unlink(new)
                raise
            _move(path, f"{path}.corrupt-{stamp}", ("", *_LOG))
            if tables:
                os.rename(new, path)
        if not tables:
            self._create_empty()
        self._continue_from_copy()

    def _move_log(self) -> None:
        path = str(self._path)
        with setup.exclusive_lock(path):
            _move(path, f"{path}.log-{time.time_ns()}", _LOG)

    def _create_empty(self) -> None:
        mark = self._newest_mark()
        with self._engine() as engine:
            setup.prepare(engine, key=mark.key if mark is not None else None)
        self._continue_from_copy()

    def _continue_from_copy(self) -> None:
        mark = self._newest_mark()

        def advance(conn: Connection) -> None:
            if mark is None:
                return
            identity.reserve_numbers(conn, mark.numbers)
            is_behind = (schema.counters.c.name == counters.CHANGE, schema.counters.c.value < mark.changes)
            conn.execute(update(schema.counters).where(*is_behind).values(value=mark.changes))
            conn.execute(update(schema.identity).values(key=mark.key))

        self._change(advance)

    def _adopt(self) -> None:
        self._change(lambda conn: None)

    def _change(self, change: Callable[[Connection], None]) -> None:
        """Change the database, and rewrite its marks."""
        with self._engine() as engine:
            setup.prepare(engine, migrate=True)
            with engine.connect().execution_options(**{WRITE: True}) as conn, conn.begin():
                change(conn)
                conn.execute(update(schema.identity).values(marked=False))
            with engine.connect() as conn:
                database = identity.read(conn)
                assert database is not None
                mark = identity.mark_of(conn, database.key)
        for witness in self._witnesses:
            witness.write(mark.encode())

    @contextlib.contextmanager
    def _engine(self) -> Iterator[Engine]:
        engine = make_engine(self._url)
        try:
            yield engine
        finally:
            engine.dispose()


def _move(path: str, target: str, suffixes: Sequence[str]) -> None:
    for suffix in suffixes:
        with contextlib.suppress(FileNotFoundError):
            os.rename(path + suffix, target + suffix)
