"""A store that is new is made; one older than this code is migrated, SQLite's after a copy of its file, PostgreSQL's
when that is asked for; a newer one is left.

The revision is read with a plain SELECT: Alembic is imported only when there is something to migrate. Making and
migrating happen under a lock that other processes opening the same store wait for, as do those that write to it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Iterator

from sqlalchemy import Connection, Engine, insert, inspect, text

from autoflow.errors import ServerBusy
from autoflow.platform import disk, times
from autoflow.platform.store import counters, history, schema
from autoflow.platform.store.postgresql import WRITE

logger = logging.getLogger("autoflow")

_STAMP = "alembic_version"
_WAL = 2
OUTDATED = "stop the servers that use it, back it up, and start one with `autoflow serve --migrate`"
_DAMAGE = ("disk image is malformed", "file is not a database", "malformed database schema")


def revision(engine: Engine) -> str | None:
    """The revision a store is at, None when it is empty."""
    with engine.connect() as rows:
        return _revision(rows)


def _revision(rows: Connection) -> str | None:
    if not rows.dialect.has_table(rows, _STAMP):
        return None
    return rows.execute(text(f"SELECT version_num FROM {_STAMP}")).scalar()  # noqa: S608


def prepare(engine: Engine, *, migrate: bool = False) -> None:
    """Bring a store to this code's schema.

    Args:
        engine: for the database.
        migrate: whether one that is older may be migrated also where there is no file to copy first.

    Raises:
        ServerBusy: it belongs to a newer autoflow, or to an older one and may not be migrated, or is no store.
    """
    path = file_of(engine)
    if path is not None and _log_of(path) == _WAL and _mode(path) != "WAL":
        with _alone(path):
            _set_mode(engine, path)
    if (path is None or os.path.exists(path)) and revision(engine) == schema.REVISION:
        return
    with _alone(path):
        found = revision(engine)
        if found is None:
            _make(engine)
        elif found < schema.REVISION and (path is not None or migrate):
            if path is not None:
                _back_up(engine, f"{path}.{found}-{time.time_ns()}")
            _migrate(engine)
        elif found != schema.REVISION:
            way = "upgrade autoflow" if found > schema.REVISION else OUTDATED
            raise ServerBusy(
                f"the store {engine.url!r} is at revision {found}, this autoflow works with {schema.REVISION}: {way}",
                status=503,
            )


def file_of(engine: Engine) -> str | None:
    """A SQLite store's file, None for another database."""
    return engine.url.database if engine.dialect.name == "sqlite" else None


@contextlib.contextmanager
def _alone(path: str | None) -> Iterator[None]:
    """Hold a SQLite store's lock file; freed by the kernel if this process dies."""
    if path is None:
        yield
        return
    import fcntl

    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(f"{path}.lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _writing(engine: Engine) -> Iterator[Connection]:
    with engine.connect().execution_options(**{WRITE: True}) as rows, rows.begin():
        yield rows


def _make(engine: Engine) -> None:
    path = file_of(engine)
    if path is not None:
        _set_mode(engine, path)
    with _writing(engine) as rows:
        if _revision(rows) is not None:
            return
        foreign = schema.metadata.tables.keys() & set(inspect(rows).get_table_names())
        if foreign:
            raise ServerBusy(
                f"the database {engine.url!r} has tables that are not autoflow's ({', '.join(sorted(foreign))}): "
                "give it one of its own",
                status=503,
            )
        schema.metadata.create_all(rows)
        history.install(rows)
        seed(rows)
        rows.execute(text(f"CREATE TABLE {_STAMP} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        rows.execute(text(f"INSERT INTO {_STAMP} VALUES ('{schema.REVISION}')"))  # noqa: S608


def _mode(path: str) -> str:
    """How SQLite is to write to a file: the write-ahead log, but where processes cannot share memory the old way."""
    return "DELETE" if disk.kind_of(os.path.dirname(path)) in disk.NETWORK else "WAL"


def _log_of(path: str) -> int:
    """The version byte of a SQLite file: 2 with a write-ahead log, 1 without, 0 when there is no such file."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return (file.read(19)[18:] or b"\0")[0]
    return 0


def _set_mode(engine: Engine, path: str) -> None:
    mode = _mode(path)
    if mode != "WAL":
        logger.warning(
            "autoflow: %s is on a network file system (%s), which is slow and fails when machines share it; "
            "set AUTOFLOW_HOME to a local disk",
            path,
            disk.kind_of(os.path.dirname(path)),
        )
    with contextlib.closing(engine.raw_connection()) as raw:
        raw.cursor().execute(f"PRAGMA journal_mode={mode}")


def is_damage(error: BaseException) -> bool:
    """Whether a database's error says that its file is damaged, or no database at all."""
    return any(words in str(error) for words in _DAMAGE)


def set_aside(path: str) -> str | None:
    """Move a SQLite store that is damaged out of the way, its logs with it; where to, None when it is sound after all.

    Other processes that have it open go on to the new one at their next transaction.
    """
    with _alone(path):
        if not os.path.exists(path) or _is_sound(path):
            return None
        aside = f"{path}.corrupt-{time.time_ns()}"
        for ending in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.rename(path + ending, aside + ending)
        return aside


def _is_sound(path: str) -> bool:
    import sqlite3

    try:
        with contextlib.closing(sqlite3.connect(path, timeout=1.0)) as rows:
            return bool(rows.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",))
    except sqlite3.DatabaseError as error:
        return not is_damage(error)  # locked, or out of reach, is no reason to move it


def seed(rows: Connection) -> None:
    """Put in what every store begins with: the counters, and team, workspace and user 1."""
    moment = times.now()
    stamps = {"created_at": moment, "updated_at": moment}
    counters.seed(rows)
    rows.execute(insert(schema.teams).values(name="Team", **stamps))
    rows.execute(insert(schema.users).values(login="admin", name="Admin", **stamps))
    rows.execute(insert(schema.members).values(team_id=1, user_id=1))
    rows.execute(insert(schema.workspaces).values(team_id=1, name="Workspace", **stamps))


def _back_up(engine: Engine, path: str) -> None:
    """Copy a SQLite store whole, other processes' writes included."""
    import sqlite3

    with contextlib.closing(sqlite3.connect(path)) as copy, engine.connect() as rows:
        source = rows.connection.driver_connection
        assert isinstance(source, sqlite3.Connection)
        source.backup(copy)


def _migrate(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    folder = os.path.join(os.path.dirname(os.path.dirname(__file__)), "migrations")
    config = Config()
    config.set_main_option("script_location", folder.replace("%", "%%"))
    with _writing(engine) as rows:
        config.attributes["connection"] = rows
        command.upgrade(config, "head")
