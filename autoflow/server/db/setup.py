"""Creates new stores and migrates older ones: SQLite after a copy of its file, PostgreSQL on request.

The revision is read with a plain SELECT; Alembic is imported only for a migration. Creation and migration hold a lock
that other processes wait for when they open the same store or write to it.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import time
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, create_mock_engine, insert, inspect, text

from autoflow.errors import ServerBusy
from autoflow.server import private_files, timestamps
from autoflow.server.blobs import file_system
from autoflow.server.db import audit, counters, history_triggers, identity, roles, schema, search_index, tag_index
from autoflow.server.db.postgresql import LONG, WRITE
from autoflow.server.errors import Busy, StorageFull

logger = logging.getLogger("autoflow")

STAMP = "alembic_version"
_WAL = 2
NEWER = (
    "a newer autoflow has migrated it, and nothing was changed now: upgrade autoflow, or restore the copy or backup "
    "that was made before the migration (docs/deployment.md, Upgrade and downgrade)"
)
OUTDATED = "stop the servers that use it, back it up, and start one with `autoflow serve --migrate`"


def revision(engine: Engine) -> str | None:
    """Return the revision of a store; None if it is empty."""
    with engine.connect() as conn:
        return revision_of(conn)


def revision_of(conn: Connection) -> str | None:
    """Return the revision of a store; None if it is empty."""
    if not conn.dialect.has_table(conn, STAMP):
        return None
    return conn.execute(text(f"SELECT version_num FROM {STAMP}")).scalar()  # noqa: S608


def prepare(engine: Engine, *, migrate: bool = False, key: str | None = None) -> None:
    """Bring a store to this code's schema.

    Args:
        engine: for the database.
        migrate: whether an older PostgreSQL store may be migrated.
        key: the id of a new store; by default a random one.

    Raises:
        ServerBusy: it belongs to a newer autoflow, or to an older one and may not be migrated, or is not a store; or
            there is no space for a copy of it before it is migrated.
    """
    path = sqlite_path(engine)
    if path is not None:
        for ending in ("", "-wal", "-shm", ".lock"):
            private_files.restrict_access(path + ending)
    # the file is opened only if needed: closing it releases the locks that SQLite holds on it in this process
    if path is not None and _mode(path) != "WAL" and _log_of(path) == _WAL:
        with exclusive_lock(path):
            set_journal_mode(engine)
    if (path is None or os.path.exists(path)) and revision(engine) == schema.REVISION:
        return
    with exclusive_lock(path):
        if path is not None:
            private_files.create(path)  # SQLite gives its logs the mode of the file
        current = revision(engine)
        if current is None:
            _make(engine, key)
        elif current < schema.REVISION and (path is not None or migrate):
            if path is not None:
                _back_up(engine, f"{path}.{current}-{time.time_ns()}")
            with writing(engine) as conn:
                apply_migrations(conn)
        elif current != schema.REVISION:
            way = NEWER if current > schema.REVISION else OUTDATED
            raise Busy(
                f"the store {engine.url!r} is at revision {current}, this autoflow works with {schema.REVISION}: {way}",
            )


def sqlite_path(engine: Engine) -> str | None:
    """Return the file of a SQLite store; None for another database."""
    return engine.url.database if engine.dialect.name == "sqlite" else None


@contextlib.contextmanager
def exclusive_lock(path: str | None) -> Iterator[None]:
    """Hold the lock file of a SQLite store; the kernel releases it if this process dies."""
    if path is None:
        yield
        return
    import fcntl

    private_files.make_folder(os.path.dirname(path))
    with open(os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, private_files.FILE), "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Begin a write transaction without a time limit, of a database that may not be a store yet."""
    with engine.connect().execution_options(**{WRITE: True, LONG: True}) as conn, conn.begin():
        yield conn


def _make(engine: Engine, key: str | None) -> None:
    set_journal_mode(engine)
    with writing(engine) as conn:
        if revision_of(conn) is not None:
            return
        check_has_no_tables(conn)
        create_tables(conn)
        seed(conn)
        identity.seed(conn, key)


def check_has_no_tables(conn: Connection) -> None:
    """Check that a database has none of the tables of a store.

    Raises:
        Busy: it has.
    """
    foreign = schema.metadata.tables.keys() & set(inspect(conn).get_table_names())
    if foreign:
        raise Busy(
            f"the database {conn.engine.url!r} has tables that are not autoflow's ({', '.join(sorted(foreign))}): "
            "give it one of its own",
        )


def create_tables(conn: Connection) -> None:
    """Create the tables of this code's revision, without rows."""
    for definition in _definitions(conn.engine.url.drivername):
        conn.exec_driver_sql(definition)
    history_triggers.install(conn)
    search_index.install(conn)
    tag_index.install(conn)
    audit.install(conn)
    conn.execute(text(f"CREATE TABLE {STAMP} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    conn.execute(text(f"INSERT INTO {STAMP} VALUES ('{schema.REVISION}')"))  # noqa: S608


@functools.cache
def _definitions(driver: str) -> tuple[str, ...]:
    """Return the statements that create the tables and their indexes.

    Compiling them is most of the processor time of a new store, and a process may make many.
    """
    statements: list[str] = []

    def note(statement: Any, *_parameters: Any, **_more: Any) -> None:
        statements.append(str(statement.compile(dialect=compiling.dialect)))

    compiling = create_mock_engine(f"{driver}://", note)
    schema.metadata.create_all(compiling, checkfirst=False)
    return tuple(statements)


def _mode(path: str) -> str:
    """Return SQLite's journal mode for a file: DELETE on network file systems, where processes cannot share memory."""
    return "DELETE" if file_system.file_system_type(os.path.dirname(path)) in file_system.NETWORK else "WAL"


def _log_of(path: str) -> int:
    """Return the version byte of a SQLite file: 2 with a write-ahead log, 1 without; 0 if there is no file."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return (file.read(19)[18:] or b"\0")[0]
    return 0


def set_journal_mode(engine: Engine) -> None:
    """Set the journal mode of a SQLite file that its file system supports; nothing for another database."""
    path = sqlite_path(engine)
    if path is None:
        return
    mode = _mode(path)
    if mode != "WAL":
        logger.warning(
            "autoflow: %s is on a network file system (%s), which is slow and fails when machines share it; "
            "set AUTOFLOW_HOME to a local disk",
            path,
            file_system.file_system_type(os.path.dirname(path)),
        )
    with contextlib.closing(engine.raw_connection()) as raw:
        raw.cursor().execute(f"PRAGMA journal_mode={mode}")


def seed(conn: Connection) -> None:
    """Insert the initial rows: the counters, and team, workspace and user 1."""
    now = timestamps.now()
    stamps = {"created_at": now, "updated_at": now}
    counters.seed(conn)
    conn.execute(insert(schema.teams).values(name="Team", **stamps))
    conn.execute(insert(schema.users).values(login="admin", name="Admin", **stamps))
    conn.execute(insert(schema.members).values(team_id=1, user_id=1, role=roles.ADMIN))
    conn.execute(insert(schema.workspaces).values(team_id=1, name="Workspace", **stamps))


def _back_up(engine: Engine, path: str) -> None:
    """Copy a SQLite store, with the writes of other processes.

    Raises:
        StorageFull: there is no space for the copy and the migration; nothing was changed.
    """
    import sqlite3

    source_path = str(sqlite_path(engine))
    size = sum(os.stat(name).st_size for name in (source_path, f"{source_path}-wal") if os.path.exists(name))
    room = os.statvfs(os.path.dirname(path))
    free = room.f_bavail * room.f_frsize
    if free < 2 * size:  # the copy, and a log that may hold every page
        raise _no_room(source_path, f"{free:,} bytes are free, {2 * size:,} are needed")
    try:
        private_files.create(path)
        with contextlib.closing(sqlite3.connect(path)) as copy, engine.connect() as conn:
            source = conn.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)
            source.backup(copy)
    except (sqlite3.Error, OSError) as error:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise _no_room(source_path, str(error)) from error


def _no_room(path: str, why: str) -> ServerBusy:
    return StorageFull(
        f"{path} has to be migrated, and a copy of it cannot be made first: {why}. It was not changed; make room on "
        "its disk, then start again",
    )


def apply_migrations(conn: Connection, target: str = "head") -> None:
    """Apply the migrations up to a revision, in the caller's transaction."""
    from alembic import command
    from alembic.config import Config

    folder = os.path.join(os.path.dirname(__file__), "migrations")
    config = Config()
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.attributes["connection"] = conn
    command.upgrade(config, target)
