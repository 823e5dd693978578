"""What is wrong with a store that is unavailable, and mending it when a person has decided to.

Nothing is removed: a damaged file and a log that is another's stay beside the store under another name.
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
_ROUNDS = 6  # one repair may show the next thing that is wrong


class Diagnosis(NamedTuple):
    """What is wrong with a store.

    Args:
        reason: one of the words of `store.identity`.
        message: what is wrong.
        action: what `Recovery.repair` would do.
        tables: of a damaged store, what can be read.
    """

    reason: str
    message: str
    action: str
    tables: Sequence[SalvagedTable] = ()


class Recovery:
    """One store that may be unavailable.

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
                "copy what can be read into a new file, and keep the damaged one beside it",
            ),
            identity.LOST: (self._begin_anew, "begin an empty store with the id of the one that was lost"),
            identity.FOREIGN: (
                self._adopt,
                "take this database for the store that these blobs and this address are of",
            ),
            identity.OLDER: (
                self._go_on_from_copy,
                "go on from this copy, and give no number again that was given since",
            ),
            identity.BLOBS_LOST: (
                self._adopt,
                "take this place for that of the blobs; bytes that are not there are lost",
            ),
            identity.FOREIGN_LOG: (self._move_log, "move the log aside, and use the file as it is without it"),
        }

    def diagnose(self) -> Diagnosis | None:
        """Say what is wrong, None when nothing is; nothing is changed.

        Raises:
            ServerBusy: the database does not answer, or its revision is not this autoflow's.
        """
        try:
            store = Store(self._url, witnesses=self._witnesses, remedy=self._remedy)
        except StoreUnavailable as error:
            return self._finding(error.reason, str(error))
        store.close()
        wrong = find_damage(self._path) if self._path is not None else []
        return self._finding(identity.DAMAGED, "; ".join(wrong[:5])) if wrong else None

    def _finding(self, reason: str, message: str) -> Diagnosis:
        if reason != identity.DAMAGED:
            return Diagnosis(reason, message, self._repairs[reason][1])
        if self._path is None:
            return Diagnosis(reason, message, "nothing: restore the database from a backup")
        tables = [table for table in salvage.count_readable(self._path) if table.rows or table.gaps]
        action = self._repairs[reason][1]
        if not tables:
            action = "keep the file beside it and begin an empty store: not even its list of tables can be read"
        return Diagnosis(reason, message, action, tables)

    def repair(self) -> list[Diagnosis]:
        """Mend what is wrong; gives what was, empty when nothing is.

        Raises:
            ServerBusy, OSError: it cannot be mended now; what was done until then stays.
        """
        mended: list[Diagnosis] = []
        for _ in range(_ROUNDS):
            finding = self.diagnose()
            if finding is None:
                return mended
            if finding.reason == identity.DAMAGED and self._path is None:
                raise StoreUnavailable(finding.reason, f"{finding.message}: {finding.action}")
            self._repairs[finding.reason][0]()
            mended.append(finding)
        raise StoreUnavailable(mended[-1].reason, f"it is not mended after {_ROUNDS} steps: {mended[-1].message}")

    # -- repairs

    def _mark(self) -> Mark | None:
        """Return the mark that is furthest, of those that can be read."""
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
                told = salvage.copy(path, new, self._mark())
            except (sqlite3.Error, OSError):
                with contextlib.suppress(OSError):
                    os.unlink(new)
                raise
            _move(path, f"{path}.corrupt-{stamp}", ("", *_LOG))
            if told:
                os.rename(new, path)
        if not told:
            self._begin_anew()
        self._go_on_from_copy()

    def _move_log(self) -> None:
        path = str(self._path)
        with setup.exclusive_lock(path):
            _move(path, f"{path}.log-{time.time_ns()}", _LOG)

    def _begin_anew(self) -> None:
        mark = self._mark()
        with self._engine() as engine:
            setup.prepare(engine, key=mark.key if mark is not None else None)
        self._go_on_from_copy()

    def _go_on_from_copy(self) -> None:
        mark = self._mark()

        def forward(conn: Connection) -> None:
            if mark is None:
                return
            identity.reserve_numbers(conn, mark.numbers)
            change = schema.counters.c.name == counters.CHANGE
            behind = schema.counters.c.value < mark.changes
            conn.execute(update(schema.counters).where(change, behind).values(value=mark.changes))
            conn.execute(update(schema.identity).values(key=mark.key))

        self._change(forward)

    def _adopt(self) -> None:
        self._change(lambda conn: None)

    def _change(self, change: Callable[[Connection], None]) -> None:
        """Change the database, and write its marks anew."""
        with self._engine() as engine:
            setup.prepare(engine, migrate=True)
            with engine.connect().execution_options(**{WRITE: True}) as conn, conn.begin():
                change(conn)
                conn.execute(update(schema.identity).values(marked=False))
            with engine.connect() as conn:
                found = identity.read(conn)
                assert found is not None
                mark = identity.mark_of(conn, found.key)
        for witness in self._witnesses:
            witness.write(mark.encode())

    @contextlib.contextmanager
    def _engine(self) -> Iterator[Engine]:
        engine = make_engine(self._url)
        try:
            yield engine
        finally:
            engine.dispose()


def _move(path: str, aside: str, endings: Sequence[str]) -> None:
    for ending in endings:
        with contextlib.suppress(FileNotFoundError):
            os.rename(path + ending, aside + ending)
