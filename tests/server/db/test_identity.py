"""A store knows its own database and blobs: what was lost, replaced or put back is told from a first start."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys

import pytest
import sqlalchemy

from autoflow.errors import ServerBusy, StoreUnavailable
from autoflow.server.db import identity, opening, schema, wal
from autoflow.server.location import locate
from autoflow.server.maintenance.recovery import Recovery
from autoflow.server.server import Server
from tests.blobs import blob_files
from tests.postgres import DATABASES, on_sqlite
from tests.server.conftest import Filled
from tests.server.db.old_stores import make_old


@pytest.fixture(params=DATABASES)
def empty(request, postgres_or_none):
    """The url of an empty database, None for a file in the folder."""
    if request.param == "sqlite":
        yield None
    else:
        with postgres_or_none().database("template0") as url:
            yield url


@pytest.fixture
def postgres_or_none(request):
    return lambda: request.getfixturevalue("postgres")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(opening, "RETRY_INTERVAL", 0.0)


def recovery(folder, database=None):
    location = locate(folder, database)
    return Recovery(location.url, location.witnesses, location.remedy)


def key_of(folder):
    return json.loads((folder / "blobs" / "store.json").read_text())["store"]


@contextlib.contextmanager
def filling(folder, database=None, **more):
    server = Server.open(folder, database, **more)
    try:
        yield Filled(server)
    finally:
        server.close()


def unavailable(reason, folder, database=None, **more):
    with pytest.raises(StoreUnavailable, match="autoflow server recover") as error:
        Server.open(folder, database, **more)
    assert error.value.reason == reason
    assert error.value.status == 503


def test_a_first_start_needs_no_set_up(tmp_path, empty):
    """An empty database and no blobs become a store, which its blobs are marked with."""
    with filling(tmp_path / "home", empty) as filled:
        assert key_of(tmp_path / "home") == filled.server.store.key
        assert recovery(tmp_path / "home", empty).diagnose() is None


@pytest.mark.parametrize("marked", [True, False])
def test_an_empty_database_beside_full_blobs_is_no_first_start(tmp_path, empty, marked):
    """Nothing is begun and nothing removed, whether the blobs have a mark or are from before there were marks."""
    home = tmp_path / "home"
    with filling(home) as filled:
        filled.file()
    os.unlink(home / "platform.db")
    if not marked:
        os.unlink(home / "blobs" / "store.json")
    unavailable("lost", home, empty)
    assert len(blob_files(home / "blobs")) == 1
    assert not (home / "platform.db").exists()


def test_a_lost_store_is_begun_again_when_asked_with_new_numbers(tmp_path, empty):
    """It keeps its id, so that its blobs are its own, and gives no number that the lost one had given."""
    home = tmp_path / "home"
    with filling(home) as filled:
        number, key = filled.project(), filled.server.store.key
        filled.file()
    os.unlink(home / "platform.db")
    assert recovery(home, empty).diagnose().reason == "lost"
    assert [finding.reason for finding in recovery(home, empty).repair()] == ["lost"]
    with filling(home, empty) as filled:
        assert filled.server.store.key == key
        assert filled.project() > number
        assert filled.file()["id"] > 1
    assert len(blob_files(home / "blobs")) == 2  # the lost store's is still there


def test_another_stores_database_is_refused(tmp_path):
    """A database that is not that of the blobs beside it is neither used nor changed, until it is adopted."""
    for name in "ab":
        with filling(tmp_path / name) as filled:
            filled.project(name)
            filled.file()
    shutil.copy(tmp_path / "b" / "platform.db", tmp_path / "a" / "platform.db")
    unavailable("foreign", tmp_path / "a")
    assert len(blob_files(tmp_path / "a" / "blobs")) == 1
    recovery(tmp_path / "a").repair()
    assert key_of(tmp_path / "a") == key_of(tmp_path / "b")
    with filling(tmp_path / "a") as filled:
        assert [project["name"] for project in filled.call("projects.list")["entities"]] == ["b"]


def test_an_older_copy_is_asked_about(tmp_path):
    """A backup put back is told by its change counter; adopted, it gives no number that was given since."""
    with filling(tmp_path) as filled:
        filled.project("first")
    shutil.copy(tmp_path / "platform.db", tmp_path / "backup")
    with filling(tmp_path) as filled:
        last = [filled.project(name) for name in ("second", "third")][-1]
    shutil.copy(tmp_path / "backup", tmp_path / "platform.db")
    unavailable("older", tmp_path)
    assert (tmp_path / "platform.db").read_bytes() == (tmp_path / "backup").read_bytes()
    recovery(tmp_path).repair()
    with filling(tmp_path) as filled:
        assert filled.call("projects.list", workspaceId=1)["total"] == 1
        assert filled.project("fourth") > last


def test_a_newer_state_of_the_same_store_is_its_own(tmp_path):
    """A database that is ahead of its marks, as after a crash, is used."""
    with filling(tmp_path) as filled:
        filled.project("first")
        mark = (tmp_path / "blobs" / "store.json").read_bytes()
        filled.project("second")
    (tmp_path / "blobs" / "store.json").write_bytes(mark)
    with filling(tmp_path) as filled:
        assert filled.call("projects.list", workspaceId=1)["total"] == 2


def test_blobs_that_are_not_where_they_were_stop_the_store(tmp_path, database):
    """An unmounted folder of blobs is no empty one: neither at the start, nor while it is served."""
    home, away = tmp_path / "home", tmp_path / "away"
    with filling(home, database) as filled:
        content = filled.file()["hash"]
        os.rename(home / "blobs", away)
        with pytest.raises(ServerBusy, match="is missing or was replaced"):
            filled.file("/other", b"other")
        (problem,) = filled.call("autoflow.upkeep.verify", level=2)["problems"]
        assert problem["problem"] == "unreadable"  # and so not taken to be damaged
        assert not (home / "blobs").exists()
    unavailable("blobs-lost", home, database)
    os.rename(away, home / "blobs")
    with filling(home, database) as filled:
        assert filled.call("autoflow.upkeep.verify", level=3)["problems"] == []
        assert content in filled.server.call("images.internal.hashes.list", [content])


def test_blobs_moved_on_purpose_are_accepted_when_asked(tmp_path):
    """Another folder that was copied has the mark with it; an empty one is adopted by `recover`."""
    with filling(tmp_path) as filled:
        filled.file()
    shutil.copytree(tmp_path / "blobs", tmp_path / "copy")
    Server.open(tmp_path, blobs=str(tmp_path / "copy")).close()
    unavailable("blobs-lost", tmp_path, blobs=str(tmp_path / "empty"))
    location = locate(tmp_path, None, str(tmp_path / "empty"))
    Recovery(location.url, location.witnesses, location.remedy).repair()
    Server.open(tmp_path, blobs=str(tmp_path / "empty")).close()


def test_a_folder_that_is_gone_is_remembered_by_the_machine(tmp_path):
    """With a note outside of the folder, database and blobs that are gone together are no first start either."""
    notes = str(tmp_path / "notes")
    with filling(tmp_path / "home", notes=notes) as filled:
        filled.project()
    os.rename(tmp_path / "home", tmp_path / "unmounted")
    (tmp_path / "home").mkdir()
    unavailable("lost", tmp_path / "home", notes=notes)
    assert os.listdir(tmp_path / "home") == []
    Server.open(tmp_path / "elsewhere", notes=notes).close()


@pytest.mark.parametrize("revision", ["0001", "0003"])
def test_a_store_from_before_ids_gets_one(tmp_path, empty, revision):
    """Migrating gives an id and marks the blobs; an unmigrated copy put back later is asked about."""
    url = empty or f"sqlite:///{tmp_path / 'platform.db'}"
    make_old(url, revision)
    if empty is None:
        shutil.copy(tmp_path / "platform.db", tmp_path / "backup")
    Server.open(tmp_path, empty, migrate=True).close()
    key = key_of(tmp_path)
    assert len(key) == 32
    if empty is None:
        shutil.copy(tmp_path / "backup", tmp_path / "platform.db")
        unavailable("older", tmp_path)
        recovery(tmp_path).repair()
        Server.open(tmp_path).close()
        assert key_of(tmp_path) == key


def test_a_mark_that_cannot_be_read_is_nobodys(tmp_path):
    """A torn mark stops the store, as it may be another's; `recover` writes it anew."""
    Server.open(tmp_path).close()
    (tmp_path / "blobs" / "store.json").write_bytes(b"{")
    unavailable("foreign", tmp_path)
    recovery(tmp_path).repair()
    Server.open(tmp_path).close()


def test_a_write_into_a_replaced_database_is_fenced(filled):
    """A process never writes into a store of another id."""
    filled.project("before")
    with filled.server.store.write() as conn:
        conn.execute(sqlalchemy.update(schema.identity).values(key="another"))
    with pytest.raises(ServerBusy, match="or replaced"):
        filled.project("after")
    with pytest.raises(StoreUnavailable):
        filled.project("after")


# -- a log that lies beside another file


KILLED = """
import os, signal, sqlite3, sys
from contextlib import closing
from autoflow.server.server import Server
folder = sys.argv[1]
server = Server.open(folder)
def add(name):
    server.call("projects.add", {"workspaceId": 1, "name": name, "description": name * 3000})
for number in range(20):
    add(f"old{number}")
with closing(sqlite3.connect(f"{folder}/platform.db")) as rows, closing(sqlite3.connect(f"{folder}/backup")) as copy:
    rows.backup(copy)
    rows.execute(f"VACUUM INTO '{folder}/vacuumed'")
for number in range(20):
    add(f"late{number}")
if sys.argv[2] == "checkpointed":
    with closing(sqlite3.connect(f"{folder}/platform.db")) as rows:
        rows.execute("PRAGMA wal_checkpoint(RESTART)")
    for number in range(5):
        add(f"last{number}")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(params=["checkpointed", "not checkpointed"], scope="module")
def killed_once(request, tmp_path_factory):
    """The folder of a server that was killed, and how many projects it had acknowledged."""
    folder = tmp_path_factory.mktemp("killed")
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder), request.param], timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert os.path.getsize(folder / "platform.db-wal") > 0
    return folder, 45 if request.param == "checkpointed" else 40


@pytest.fixture
def killed(killed_once, tmp_path):
    """A copy of that folder, to be written to."""
    folder, count = killed_once
    return shutil.copytree(folder, tmp_path / "killed"), count


def total(folder):
    with filling(folder) as filled:
        assert filled.call("autoflow.upkeep.verify", level=1)["problems"] == []
        return filled.call("projects.list", workspaceId=1)["total"]


def test_a_killed_servers_log_is_its_own(killed):
    """After a kill the log is applied, and nothing acknowledged is missing."""
    folder, count = killed
    assert wal.log_matches_file(str(folder / "platform.db"))
    assert total(folder) == count


@pytest.mark.parametrize("backup", ["backup", "vacuumed"])
def test_a_backup_copied_beside_an_old_log_is_never_mixed_with_it(killed, backup):
    """The store stops, or it has exactly what was acknowledged; never a part of one and a part of the other."""
    folder, count = killed
    log = (folder / "platform.db-wal").read_bytes()
    shutil.copy(folder / backup, folder / "platform.db")
    diagnosis = recovery(folder).diagnose()
    if diagnosis is None:
        assert total(folder) == count
    else:
        unavailable("foreign-log", folder)
        assert (folder / "platform.db").read_bytes() == (folder / backup).read_bytes()
        assert (folder / "platform.db-wal").read_bytes() == log
        assert recovery(folder).repair()
        assert total(folder) == 20


def test_a_log_that_was_copied_into_its_file_belongs_to_it(killed):
    """A checkpoint that copied all of the log, or a part of it, makes no alarm."""
    folder, count = killed
    with contextlib.closing(sqlite3.connect(folder / "platform.db")) as conn:
        conn.execute("PRAGMA wal_checkpoint(PASSIVE)")
        assert wal.log_matches_file(str(folder / "platform.db"))
    assert total(folder) == count


@on_sqlite
def test_processes_that_write_make_no_alarm(filled, tmp_path):
    """A log that others are writing at the moment belongs to its file."""
    for number in range(50):
        filled.project(str(number))
        assert wal.log_matches_file(str(tmp_path / "home" / "platform.db"))


def test_marks_are_read_as_they_were_written():
    """A mark is JSON that people may read, too."""
    mark = identity.Mark("k", 7, {"projects": 3})
    assert identity.Mark.decode(mark.encode()) == mark
    for content in (b"", b"[]", b'{"store": "k"}', b'{"store": "k", "changes": 1, "numbers": {"a": "x"}}', b"\xff"):
        assert identity.Mark.decode(content).key == "(unreadable)"
