"""The server's database on failing disks: calls return, records wait or arrive, and errors have a remedy.

Scenarios 44 to 48; the outbox has no database of its own.
"""

from __future__ import annotations

import contextlib
import glob
import os
import pathlib
import random
import sqlite3
import threading
import time

import pytest

import autoflow
from autoflow.cli.main import main
from autoflow.errors import ServerBusy, StoreUnavailable
from autoflow.server.blobs import file_system
from autoflow.server.db import engine, opening, schema
from autoflow.server.server import Server
from tests.reliability.kit import counts, load


@pytest.fixture(autouse=True)
def _embedded(monkeypatch):
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "autoflow-home" / "platform"


def record(*numbers):
    """A run that reads some projects of another server; what it says of the caller is that it returns."""
    with autoflow.workflow("w", api=Elsewhere()):
        for number in numbers:
            assert load(number) == number


def arrives(seconds=60.0):
    """Whether all is delivered before long: a store that was busy is asked again after a second."""
    deadline = time.monotonic() + seconds
    while not autoflow.flush():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)  # while the store is left alone, a flush does not wait
    return True


class Elsewhere:
    server_address = "http://elsewhere"


def stored(path):
    """The numbers in a store, asked without any of our code."""
    with contextlib.closing(sqlite3.connect(path)) as conn:
        return [int(number) for (number,) in conn.execute("SELECT entity FROM edges ORDER BY id")]


def mode(path):
    with contextlib.closing(sqlite3.connect(path)) as conn:
        return conn.execute("PRAGMA journal_mode").fetchone()[0]


# -- 44: file systems SQLite's log does not work on


def test_44_the_kind_of_a_file_system_is_told(monkeypatch, tmp_path):
    """The longest mount point a folder is under says what it is on; the last one, of several on one point."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 254:0 / / rw - ext4 /dev/vda rw\n"
        "30 22 0:40 / /mnt/my\\040share rw shared:1 - nfs4 server:/x rw\n"
        "31 22 0:41 / /mnt/twice rw - ext4 x rw\n"
        "32 31 0:42 / /mnt/twice rw - tmpfs x rw\n"
    )
    monkeypatch.setattr(file_system, "_MOUNTS", str(mounts))
    paths = ("/mnt/my share/a", "/mnt/my shareb", "/mnt/twice", "/")
    assert [file_system.file_system_type(location) for location in paths] == ["nfs4", "ext4", "tmpfs", "ext4"]
    monkeypatch.setattr(file_system, "_MOUNTS", str(tmp_path / "none"))
    assert file_system.file_system_type("/") is None


@pytest.mark.parametrize("kind", ["nfs4", "lustre", "cifs", "fuse.sshfs"])
def test_44_a_network_file_system_gets_no_write_ahead_log(monkeypatch, folder, caplog, kind):
    """There the store is written the old way, with one warning of what to do; records arrive."""
    monkeypatch.setattr(file_system, "file_system_type", lambda path: kind)
    record(1, 2)
    assert autoflow.flush(60)
    assert mode(folder / "platform.db") == "delete"
    assert stored(folder / "platform.db") == [1, 2]
    (warning,) = [line for line in caplog.messages if "network file system" in line]
    assert kind in warning
    assert "AUTOFLOW_HOME" in warning


def test_44_a_store_moved_to_a_network_file_system_gives_its_log_up(monkeypatch, folder):
    """What was made on a local disk is not left with a log that fails on the new one."""
    record(1)
    assert autoflow.flush(60)
    assert mode(folder / "platform.db") == "wal"
    autoflow.runtime.destination.embedded().close()
    monkeypatch.setattr(file_system, "file_system_type", lambda path: "nfs4")
    Server.open(folder).close()
    assert mode(folder / "platform.db") == "delete"
    assert stored(folder / "platform.db") == [1]


# -- 45: forks


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_45_parent_and_forked_child_deliver_to_one_store(folder):
    """Neither uses the other's connection: both deliver, and the store is sound."""
    record(1)
    assert autoflow.flush(60)
    child = os.fork()
    if child == 0:
        try:
            record(2)
            os._exit(not autoflow.flush(60))
        finally:
            os._exit(1)
    record(3)
    assert autoflow.flush(60)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert sorted(stored(folder / "platform.db")) == [1, 2, 3]
    with contextlib.closing(sqlite3.connect(folder / "platform.db")) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)


# -- 46: opening while others write


def test_46_opening_a_store_changes_nothing_of_it(folder):
    """Who opens a store that others write to neither sets its mode again nor makes its log anew."""
    server = Server.open(folder)
    server.call("projects.add", {"workspaceId": 1, "name": "first"})

    def files():
        return {name: os.stat(name).st_ino for name in glob.glob(f"{folder}/platform.db*")}

    before = files()
    failed = []
    done = threading.Event()

    def write():
        try:
            for number in range(60):
                server.call("projects.add", {"workspaceId": 1, "name": f"p{number}"})
        except Exception as error:
            failed.append(error)
        finally:
            done.set()

    writer = threading.Thread(target=write)
    writer.start()
    opened = 0
    while not done.is_set() or opened < 10:
        other = Server.open(folder)
        assert other.call("projects.list", {"workspaceId": 1})["total"] >= 1
        other.close()
        opened += 1
    writer.join()
    assert failed == []
    assert files() == before
    assert server.call("projects.list", {"workspaceId": 1})["total"] == 61
    server.close()


# -- 47: readers that stay


def fill(server, name, rounds=40):
    """Write about a megabyte in many transactions; the longest of them in seconds."""
    longest = 0.0
    for number in range(rounds):
        begun = time.monotonic()
        server.call(
            "projects.add", {"workspaceId": 1, "name": f"{name}{number}", "description": random.randbytes(15_000).hex()}
        )
        longest = max(longest, time.monotonic() - begun)
    return longest


def test_47_a_reader_that_stays_stops_no_writer(folder, monkeypatch):
    """While somebody keeps a transaction open writers go on, and the log is short again soon after."""
    monkeypatch.setattr(engine, "LOG_BYTES", 200_000)
    monkeypatch.setattr(engine, "LOG_SECONDS", 0.0)
    server = Server.open(folder)
    log = folder / "platform.db-wal"
    with contextlib.closing(sqlite3.connect(folder / "platform.db")) as reader:
        reader.isolation_level = None
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM projects").fetchone()
        assert fill(server, "a") < engine.LOCK_TIMEOUT / 2  # never the wait for a lock
        assert os.path.getsize(log) > 200_000  # it cannot be shorter: the reader sees the old state
        assert reader.execute("SELECT count(*) FROM projects").fetchone() == (0,)
        reader.execute("COMMIT")
    fill(server, "b", 1)
    assert os.path.getsize(log) <= 200_000
    server.close()


def test_47_readers_that_overlap_do_not_make_the_log_grow(folder, monkeypatch):
    """With somebody reading at every moment, each for an instant, the log still begins anew."""
    monkeypatch.setattr(engine, "LOG_BYTES", 400_000)
    monkeypatch.setattr(engine, "LOG_SECONDS", 0.0)
    server = Server.open(folder)
    done = threading.Event()
    turn = threading.Barrier(2)

    def read():
        with contextlib.closing(sqlite3.connect(folder / "platform.db")) as reader:
            reader.isolation_level = None
            while not done.is_set():
                reader.execute("BEGIN")
                reader.execute("SELECT count(*) FROM projects").fetchone()
                with contextlib.suppress(threading.BrokenBarrierError):
                    turn.wait(0.02)  # the other has begun before this one ends
                reader.execute("COMMIT")

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        fill(server, "a", 100)
        size = os.path.getsize(folder / "platform.db-wal")
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert size < 1_500_000  # some three megabytes were written
    server.close()


# -- 48: the file is deleted, replaced, locked away, newer, damaged


@pytest.mark.parametrize("what", ["the file", "the folder"])
def test_48_a_store_that_is_gone_while_running_is_waited_for(folder, tmp_path, caplog, what):
    """Records wait, the log says so once, no new store is begun; when it is back they arrive."""
    record(1)
    assert autoflow.flush(60)
    autoflow.runtime.destination.embedded().close()
    gone = folder if what == "the folder" else folder / "platform.db"
    os.rename(gone, tmp_path / "gone")
    record(2)
    assert not autoflow.flush(60)
    assert counts()["waiting"] > 0
    assert not gone.exists()
    assert len([line for line in caplog.messages if "cannot be used" in line]) == 1
    os.rename(tmp_path / "gone", gone)
    assert arrives()
    assert stored(folder / "platform.db") == [1, 2]
    assert any("can be used again" in line for line in caplog.messages)


def test_48_a_store_that_is_gone_at_the_start_is_waited_for(folder):
    """A new process that finds no folder where its machine had a store begins no new one, either."""
    record(1)
    assert autoflow.flush(60)
    autoflow.runtime.destination.embedded().close()
    os.rename(folder, folder.with_name("unmounted"))
    autoflow.runtime.destination.reset()
    record(2)
    assert not autoflow.flush(60)
    assert not folder.exists()
    os.rename(folder.with_name("unmounted"), folder)
    assert arrives()
    assert stored(folder / "platform.db") == [1, 2]


def backup_of(path, target):
    with contextlib.closing(sqlite3.connect(path)) as conn, contextlib.closing(sqlite3.connect(target)) as copy:
        conn.backup(copy)
        copy.execute("PRAGMA journal_mode=WAL")


def checkpoint(path):
    """Copy the log into the file; the next write begins a new one."""
    with contextlib.closing(sqlite3.connect(path)) as conn:
        assert conn.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()[0] == 0


def test_48_a_backup_put_in_place_is_asked_about(folder, tmp_path):
    """An older copy is neither mixed with the log beside it nor written to, until `recover` was told to use it."""
    record(1)
    assert autoflow.flush(60)
    backup_of(folder / "platform.db", tmp_path / "backup.db")
    record(2, 3, 4)
    assert autoflow.flush(60)
    checkpoint(folder / "platform.db")
    record(6)
    assert autoflow.flush(60)
    assert os.path.getsize(folder / "platform.db-wal") > 0
    os.replace(tmp_path / "backup.db", folder / "platform.db")
    record(5)
    assert not autoflow.flush(60)
    assert counts()["waiting"] > 0
    autoflow.runtime.destination.embedded().close()
    assert main(["server", "recover", "--yes"]) == 0
    assert arrives()
    assert stored(folder / "platform.db") == [1, 5]
    with contextlib.closing(sqlite3.connect(folder / "platform.db")) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_48_a_store_nobody_may_open_is_waited_for(folder):
    """Records wait while the file cannot be opened, and arrive when it can."""
    record(1)
    assert autoflow.flush(60)
    autoflow.runtime.destination.embedded().close()
    os.rename(folder / "platform.db", folder / "hidden")
    os.mkdir(folder / "platform.db")  # cannot be opened, by the superuser neither
    record(2)
    assert not autoflow.flush(60)
    assert counts()["waiting"] > 0
    os.rmdir(folder / "platform.db")
    os.rename(folder / "hidden", folder / "platform.db")
    assert arrives()
    assert stored(folder / "platform.db") == [1, 2]


def test_48_records_wait_for_an_upgrade_when_the_store_is_newer(folder):
    """A store of a newer autoflow is left as it is; the error says what to do."""
    Server.open(folder).close()
    with contextlib.closing(sqlite3.connect(folder / "platform.db")) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
        conn.commit()
    record(1)
    assert not autoflow.flush(60)
    assert counts()["waiting"] > 0
    with pytest.raises(ServerBusy, match="upgrade autoflow"):
        autoflow.runtime.destination.embedded().call("instance.version", {})
    with contextlib.closing(sqlite3.connect(folder / "platform.db")) as conn:
        conn.execute("UPDATE alembic_version SET version_num = ?", [schema.REVISION])
        conn.commit()
    assert arrives()
    assert stored(folder / "platform.db") == [1]


def spoil(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(random.Random(7).randbytes(4096))


def test_48_a_damaged_store_is_left_and_waited_for(folder, caplog):
    """It is neither moved nor written to; a line says where it is and what looks at it; mended, records arrive."""
    record(1)
    assert autoflow.flush(60)
    autoflow.runtime.destination.embedded().close()
    sound = (folder / "platform.db").read_bytes()
    spoil(folder / "platform.db", 0)
    damaged = (folder / "platform.db").read_bytes()
    record(2)
    assert not autoflow.flush(60)
    assert (folder / "platform.db").read_bytes() == damaged
    assert glob.glob(f"{folder}/platform.db.corrupt-*") == []
    assert any(str(folder) in line and "autoflow server recover" in line for line in caplog.messages)
    (folder / "platform.db").write_bytes(sound)
    assert arrives()
    assert stored(folder / "platform.db") == [1, 2]


def test_48_a_store_damaged_while_running_is_recovered_when_asked(folder, capsys):
    """What can be read is copied to a new file, the damaged one is kept, and what waited arrives."""
    record(*range(1, 200))
    assert autoflow.flush(60)
    with contextlib.closing(sqlite3.connect(folder / "platform.db")) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = conn.execute("SELECT rootpage FROM sqlite_master WHERE name = 'logs'").fetchone()
        (size,) = conn.execute("PRAGMA page_size").fetchone()
    autoflow.runtime.destination.embedded().close()
    spoil(folder / "platform.db", (root - 1) * size)
    damaged = (folder / "platform.db").read_bytes()
    with pytest.raises(StoreUnavailable):
        Server.open(folder).call("autoflow.upkeep.verify", {"level": 1})
    assert main(["server", "recover"]) == 1
    reported = capsys.readouterr().out
    assert "logs" in reported
    assert "gaps" in reported
    assert main(["server", "recover", "--yes"]) == 0
    (aside,) = (name for name in glob.glob(f"{folder}/platform.db.corrupt-*") if not name.endswith(("-wal", "-shm")))
    assert pathlib.Path(aside).read_bytes() == damaged
    record(1000)
    assert arrives()
    assert stored(folder / "platform.db") == [*range(1, 200), 1000]
    assert main(["server", "recover"]) == 0


def test_48_two_processes_that_find_the_damage_both_wait(folder):
    """Neither begins a new store; mended, both go on."""
    first, second = Server.open(folder), Server.open(folder)
    first.call("projects.add", {"workspaceId": 1, "name": "a"})
    first.close()
    second.close()
    sound = (folder / "platform.db").read_bytes()
    spoil(folder / "platform.db", 0)
    for server in (first, second):
        with pytest.raises(StoreUnavailable):
            server.call("projects.list", {"workspaceId": 1})
    (folder / "platform.db").write_bytes(sound)
    time.sleep(opening.RETRY_INTERVAL)
    for server in (first, second):
        server.call("projects.add", {"workspaceId": 1, "name": str(id(server))})
    assert first.call("projects.list", {"workspaceId": 1})["total"] == 3
    first.close()
    second.close()


def test_48_a_disk_without_room_is_waited_for(folder):
    """A store that cannot grow takes nothing; records wait until it can, and arrive once and in order."""
    record(1)
    assert autoflow.flush(60)
    pages = engine._PRAGMAS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_PRAGMAS", (*pages, "PRAGMA max_page_count=1"))  # as full as it can be
        autoflow.runtime.destination.embedded().close()
        record(*range(2, 300))
        assert not autoflow.flush(60)
        assert counts()["waiting"] > 0
    autoflow.runtime.destination.embedded().close()
    assert arrives()
    assert stored(folder / "platform.db") == list(range(1, 300))
