"""The database: many processes on one folder, forks, migrations, and failures that are told apart."""

from __future__ import annotations

import contextlib
import glob
import io
import multiprocessing
import os
import sqlite3
import threading
import time
import types

import pytest
import sqlalchemy
from alembic.config import Config
from alembic.script import ScriptDirectory

from autoflow.errors import ServerBusy, ServerRefused, StoreUnavailable
from autoflow.server.db import engine, forks, opening, schema, setup
from autoflow.server.server import Server
from autoflow.wire.parts import Part
from tests.postgres import on_sqlite
from tests.server.db.old_stores import (
    check_recorded,
    count_rows,
    differences,
    fill_new_tables,
    make_old,
    make_recorded,
    migrate,
    migrations,
    numbered,
    record,
    upgrade,
)

MIGRATIONS = os.path.join(os.path.dirname(setup.__file__), "migrations")


def open_and_record(folder, name, count):
    server = Server.open(folder)
    for number in range(count):
        record = {"key": f"{name}.{number}", "type": "log", "run": name, "at": 10**18, "lines": "x"}
        server.call("autoflow.records.add", {"records": [record]})
    server.close()


def fresh(folder):
    return sqlite3.connect(os.path.join(folder, "platform.db"))


def test_many_processes_open_a_new_folder_at_once(tmp_path):
    """Processes that meet at a folder with no store make one store, and none of their records is lost."""
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=open_and_record, args=(str(tmp_path), f"w{number}", 20)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    with contextlib.closing(fresh(tmp_path)) as rows:
        assert rows.execute("SELECT count(*) FROM logs").fetchone() == (80,)
        assert rows.execute("SELECT count(*) FROM teams").fetchone() == (1,)
        assert rows.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_threads_share_a_server(filled):
    """Calls from many threads at once are all applied."""
    failures = []

    def work(name):
        try:
            for number in range(10):
                filled.project(f"{name}-{number}")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert filled.call("projects.list", workspaceId=1)["total"] == 40


def in_child(work):
    """Run in a forked child; gives its exit status."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_goes_on(filled):
    """A child of a fork uses the server it inherited, and so does its parent, without a lost write."""
    filled.project("before")
    assert in_child(lambda: filled.project("child")) == 0
    filled.project("after")
    assert filled.call("projects.list", workspaceId=1)["total"] == 3


@on_sqlite
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_closes_idle_connections_first(filled):
    """No connection of the parent is open in the child: SQLite would believe to hold the parent's locks."""
    filled.project()
    path = filled.server._context.store._path

    def none_open():
        links = [os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd")]
        assert not [link for link in links if os.path.exists(link) and os.readlink(link).startswith(path)]

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("needs /proc")
    assert in_child(none_open) == 0


@on_sqlite  # the connection in use is closed when it is collected, of which PostgreSQL's driver complains
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_does_not_wait_for_a_long_transaction(filled, monkeypatch):
    """A transaction that goes on does not hold up the app's fork."""
    monkeypatch.setattr(forks, "FORK_WAIT", 0.01)
    with filled.server._context.store.read() as conn:
        conn.execute(sqlalchemy.select(schema.teams))
        assert in_child(lambda: None) == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_without_hooks_never_uses_what_it_inherited(filled, monkeypatch):
    """Where Python's hooks did not run, the process's number tells that connections are another process's."""
    filled.project()
    store = filled.server._context.store
    pool = store._engine.pool
    monkeypatch.setattr(store, "_pid", -1)
    filled.project("in the child")
    assert store._inherited == [pool]
    assert pool.checkedin() == 1
    pool.dispose()  # it was this process after all


def test_the_migrations_end_in_the_schema(tmp_path):
    """Applying every migration to an empty database gives the tables of the code, and its revision."""
    made = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'migrated.db'}")
    with setup.writing(made) as conn:
        setup.apply_migrations(conn)
    with made.connect() as conn:
        assert differences(conn) == []
        assert setup.revision_of(conn) == schema.REVISION
    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    assert ScriptDirectory.from_config(config).get_heads() == [schema.REVISION]
    made.dispose()


@pytest.mark.parametrize("revision", ["0001", "0002", "0003"])
def test_items_of_an_older_store_name_by_number(tmp_path, revision):
    """Blobs and documents get numbers, items name them by these, and no item's number is given again."""
    make_old(f"sqlite:///{tmp_path / 'platform.db'}", revision)
    server = Server.open(tmp_path)
    store = server._context.store
    with store.read() as conn:
        assert numbered(conn) == [("a.png", None, None), ("b.png", "h=", "d")]
        assert conn.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        assert conn.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'items'").scalar() == 3
    with store.write() as conn, pytest.raises(sqlalchemy.exc.IntegrityError):
        conn.execute(schema.blobs.delete())
    assert "h=" in server.call("images.internal.hashes.list", ["h="])
    server.close()


def test_the_history_of_an_older_store_stays(tmp_path):
    """Revision 0009 renames the columns of history in place; the triggers go on with it."""
    url = f"sqlite:///{tmp_path / 'platform.db'}"
    make_old(url, "0008")
    server = Server.open(tmp_path)
    history = schema.items_history
    query = sqlalchemy.select(history.c.name, history.c.valid_from, history.c.valid_to).order_by(history.c.name)
    with server._context.store.read() as conn:
        assert conn.execute(query).all() == [("c.png", 1, 2)]
        assert differences(conn) == []
    server.call("images.bulk.remove", {"imageIds": [1]})
    with server._context.store.read() as conn:
        assert conn.execute(query).all() == [("a.png", 1, 2), ("c.png", 1, 2)]
    assert server.call("autoflow.versions.snapshot", {"projectId": 1})["version"] == 2
    server.close()


@pytest.mark.parametrize("revision", ["0002", "0005", "0009"])
def test_runs_of_an_older_store_stay(tmp_path, revision):
    """With what names them; who recorded them is not known. The older store is backed up, and its copy is complete."""
    path = tmp_path / "platform.db"
    make_recorded(f"sqlite:///{path}", revision)
    server = Server.open(tmp_path)
    check_recorded(server)
    with server._context.store.read() as conn:
        assert conn.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        assert differences(conn) == []
    server.close()
    (copy,) = glob.glob(f"{path}.{revision}-*")
    with contextlib.closing(sqlite3.connect(copy)) as conn:
        assert conn.execute("SELECT card, touched FROM edges").fetchall() == [("folder:/in", 1)]


def test_every_revision_upgrades_with_its_data(tmp_path):
    """Rows that are written at a revision, in all of its tables, are there after each later one, up to the last."""
    url = f"sqlite:///{tmp_path / 'platform.db'}"
    engine = sqlalchemy.create_engine(url)
    first, second, *later = migrations()
    make_old(url, first.revision)
    upgrade(url, second.revision)
    record(url)
    with engine.connect() as conn:
        known, before = {*sqlalchemy.inspect(conn).get_table_names()}, count_rows(conn)
    assert min(before[name] for name in ("projects", "versions", "items", "edges", "tokens")) > 0
    for migration in later:
        with engine.begin() as conn:
            migrate(conn, migration)
            after = count_rows(conn)
            assert {name: after[name] for name in before} == before, migration.revision
            assert conn.exec_driver_sql("PRAGMA foreign_key_check").all() == [], migration.revision
            known = fill_new_tables(conn, known)
            before = count_rows(conn)
    engine.dispose()
    assert before.keys() == {*schema.metadata.tables} - {"counters"}
    Server.open(tmp_path).close()


def test_an_older_store_is_copied_then_migrated(tmp_path):
    """A store of an older revision is backed up whole before it is changed."""
    path = tmp_path / "platform.db"
    with contextlib.closing(sqlite3.connect(path)) as conn:
        conn.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        conn.execute("INSERT INTO alembic_version VALUES ('0000')")
        conn.execute("CREATE TABLE old (x)")
        conn.execute("INSERT INTO old VALUES (7)")
        conn.commit()
    with pytest.raises(Exception, match="0000"):  # there never was such a revision: the migration fails
        Server.open(tmp_path)
    (copy,) = glob.glob(f"{path}.0000-*")
    with contextlib.closing(sqlite3.connect(copy)) as conn:
        assert conn.execute("SELECT x FROM old").fetchone() == (7,)


def test_a_newer_store_is_left_alone(tmp_path):
    """A store of a newer autoflow is busy, not refused: records wait for the upgrade, and the message says so."""
    Server.open(tmp_path).close()
    with contextlib.closing(fresh(tmp_path)) as rows:
        rows.execute("UPDATE alembic_version SET version_num = '9999'")
        rows.commit()
    with pytest.raises(ServerBusy, match=r"revision 9999, .* a newer autoflow .*: upgrade autoflow, or restore"):
        Server.open(tmp_path)


def test_a_locked_store_is_busy(tmp_path, monkeypatch):
    """A write that waits too long for another process's is busy, with a time to try again."""
    monkeypatch.setattr(engine, "_PRAGMAS", ("PRAGMA busy_timeout=1",))
    monkeypatch.setattr(engine, "LOCK_TIMEOUT", 0.001)
    server = Server.open(tmp_path)
    with contextlib.closing(fresh(tmp_path)) as rows:
        rows.isolation_level = None
        rows.execute("BEGIN IMMEDIATE")
        with pytest.raises(ServerBusy, match="locked") as busy:
            server.call("projects.add", {"workspaceId": 1, "name": "x"})
        assert busy.value.retry_after
        assert server.call("projects.list", {})["total"] == 0
    server.close()


def test_what_is_no_database_is_left_as_it_is(tmp_path):
    """A file that is no database is never written to nor moved: the store is unavailable until somebody looks."""
    (tmp_path / "platform.db").write_bytes(b"no database at all" * 100)
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(StoreUnavailable, match=r"is damaged.*autoflow server recover --data"):
        Server.open(tmp_path)
    assert (tmp_path / "platform.db").read_bytes() == b"no database at all" * 100
    assert sorted(os.listdir(tmp_path)) == before


@on_sqlite
def test_a_store_removed_while_open_is_not_begun_anew(filled, tmp_path):
    """After its files were removed nothing is written anywhere; put back, it goes on."""
    filled.project("first")
    filled.server.close()
    home, away = tmp_path / "home", tmp_path / "away"
    home.rename(away)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="gone") as unavailable:
            filled.project("lost")
        assert unavailable.value.retry_after
    assert not home.exists()
    away.rename(home)
    time.sleep(opening.RETRY_INTERVAL)
    filled.project("second")
    assert filled.call("projects.list", workspaceId=1)["total"] == 2


def test_a_write_after_another_autoflow_migrated_is_fenced(filled):
    """A process that opened an older schema writes nothing more, and says what to do; afterwards it goes on."""
    filled.project("before")
    store = filled.server.store
    with store.write() as conn:
        conn.execute(sqlalchemy.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ServerBusy, match="migrated by another autoflow"):
        filled.project("stale")
    with pytest.raises(ServerBusy, match="upgrade autoflow"):
        filled.project("stale")
    with store._engine.connect() as conn, conn.begin():
        conn.execute(sqlalchemy.text("UPDATE alembic_version SET version_num = :now"), {"now": schema.REVISION})
    time.sleep(opening.RETRY_INTERVAL)
    filled.project("after")
    assert filled.call("projects.list", workspaceId=1)["total"] == 2


def test_a_text_about_damage_is_no_damage(filled):
    """Errors are judged by their codes: what a user or a statement says of a database stops nothing."""
    words = "file is not a database; database disk image is malformed"
    filled.project(words)
    failed = (ServerBusy, sqlalchemy.exc.ProgrammingError)
    with pytest.raises(failed), filled.server.store.read() as conn:
        conn.exec_driver_sql(f'SELECT * FROM "{words}"')
    assert filled.call("autoflow.search", query=words) is not None
    assert filled.call("projects.list", workspaceId=1)["total"] == 1


@on_sqlite
@pytest.mark.parametrize("mask", [0o000, 0o022])
def test_a_store_is_its_owners_alone(database, tmp_path, mask):
    """In a folder that everybody may read, the files of a store may be read by its owner only, whatever the umask."""
    old = os.umask(mask)
    try:
        data = tmp_path / "data"
        data.mkdir(mode=0o755)
        server = Server.open(data)
        part = [Part("name", "a"), Part("path", "/"), Part("file", io.BytesIO(b"secret"), "a")]
        server.upload("file-storage.bulk.upload", part, {"teamId": 1})
        readable = {path for path in data.rglob("*") if path.stat().st_mode & 0o077}
        server.close()
    finally:
        os.umask(old)
    assert readable == set()


@on_sqlite
def test_what_an_older_autoflow_left_readable_is_taken_back(database, tmp_path):
    """A database that others may read is theirs no more once it is opened."""
    Server.open(tmp_path).close()
    os.chmod(tmp_path / "platform.db", 0o644)
    Server.open(tmp_path).close()
    assert os.stat(tmp_path / "platform.db").st_mode & 0o077 == 0


def test_a_migration_without_room_for_a_copy_says_so(tmp_path, monkeypatch):
    """Nothing is changed and nothing left behind, and the message says how much room is needed."""
    make_old(f"sqlite:///{tmp_path / 'platform.db'}", "0003")
    monkeypatch.setattr(setup.os, "statvfs", lambda path: types.SimpleNamespace(f_bavail=1, f_frsize=4096))
    with pytest.raises(ServerBusy, match="make room on its disk") as full:
        Server.open(tmp_path)
    assert full.value.status == 507
    monkeypatch.undo()
    assert glob.glob(f"{tmp_path}/platform.db.0003*") == []
    server = Server.open(tmp_path)
    assert server.call("projects.list", {})["total"] == 1
    server.close()


def test_an_error_in_a_write_leaves_nothing(filled):
    """A refusal half-way takes back what the operation had done."""
    filled.file()
    with pytest.raises(ServerRefused, match="/none"):
        filled.call("file-storage.bulk.remove", teamId=1, paths=["/models/best.pt", "/none"])
    assert len(filled.call("file-storage.list", teamId=1, path="/", recursive=True)) == 1


@on_sqlite
def test_opening_a_store_gives_up_no_lock_of_sqlites(filled, tmp_path):
    """Whoever reads a database's file and closes it loses SQLite's locks on it, and its log to another process."""
    if not os.path.exists("/proc/locks"):
        pytest.skip("needs /proc")
    filled.project()
    inode = os.stat(tmp_path / "home" / "platform.db").st_ino

    def locks():
        with open("/proc/locks", encoding="ascii") as file:
            return sum(f":{inode} " in line and f" {os.getpid()} " in line for line in file)

    assert locks() == 1
    Server.open(tmp_path / "home").close()
    assert locks() == 1
