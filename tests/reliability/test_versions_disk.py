"""Blobs and versions on failing disks: full at any write, unreadable, read-only, or cut off before a sync."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap

import pytest
from sqlalchemy import event, select, update

from autoflow.errors import ServerBusy
from autoflow.server.blobs import durable, folder
from autoflow.server.blobs.content import blob_path
from autoflow.server.db import clock
from autoflow.server.db.schema import blob_leases, blobs, upload_leases
from autoflow.server.server import Server
from autoflow.wire.parts import Part
from tests.blobs import blob_files

FILES = 3


@pytest.fixture
def server(tmp_path):
    opened = Server.open(tmp_path / "home")
    yield opened
    opened.close()


def parts_of(names, size=1000):
    parts = []
    for name in names:
        data = name.encode() * size
        parts += [Part("name", name), Part("path", "/"), Part("file", io.BytesIO(data), name)]
    return parts


def upload(server, names, size=1000):
    return server.upload("file-storage.bulk.upload", parts_of(names, size), {"teamId": 1})


def listed(server):
    return [item["name"] for item in server.call("file-storage.list", {"teamId": 1, "path": "/"})]


def files_of(server):
    """All files in the folder of blobs."""
    return blob_files(server._context.blobs.address)


def is_intact(server):
    """Return whether all bytes verify and every stored file is referenced."""
    reported = server.call("autoflow.upkeep.verify", {"level": 3})
    with server._context.store.read() as conn:
        named = {blob_path(*row) for row in conn.execute(select(blobs.c.hash, blobs.c.generation))}
    stored_paths = {actual.path for actual in server._context.blobs.files()}
    return reported["done"] and not reported["problems"] and named == stored_paths


def sweep(server):
    """Collect as another process would, when all leases are over; gives the counts."""
    server._context.upload_leases._lease = None
    with server._context.store.write() as conn:
        for table in (upload_leases, blob_leases):
            conn.execute(update(table).values(lease_until=clock.after(conn, -1)))
    return server.call("autoflow.upkeep.collect", {"confirm": True, "emptyTrash": True})["counts"]


# -- no room


@pytest.mark.parametrize("room", [0, 1, 999, 1500, 4000])
def test_files_that_do_not_fit_leave_nothing(server, room):
    """Wherever the limit of a file's size cuts a write off, the upload is busy as a whole, and leaves nothing that
    the collector does not take.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    upload(server, ["before"], 1)  # the database has the pages it needs
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    names = ["a", "b" * 4]  # of 1,000 and of 4,000 bytes, and both in the database's log
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        with pytest.raises(ServerBusy):
            upload(server, names)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert listed(server) == ["before"]
    sweep(server)
    assert is_intact(server)
    assert len(upload(server, names)) == 2
    assert is_intact(server)


@pytest.mark.parametrize("call", ["write", "fchmod", "rename", "fsync", "makedirs", "syncfs"])
@pytest.mark.parametrize("nth", [1, 2, 5])
def test_a_full_disk_at_any_call_leaves_nothing(server, monkeypatch, call, nth):
    """Each call that needs room may fail, at any file of many: nothing is named, and nothing stays behind."""
    count = 0

    def failing(do):
        def fail(*arguments, **options):
            nonlocal count
            count += 1
            if count == nth:
                raise OSError(errno.ENOSPC, "No space left on device")
            return do(*arguments, **options)

        return fail

    names = [f"n{n}" for n in range(folder.SYNC_ALL_FROM + 2 if call == "syncfs" else FILES)]
    if call == "write":
        monkeypatch.setattr(folder, "_write", failing(folder._write))
    elif call == "syncfs":
        nth = 1
        monkeypatch.setattr(durable, "sync_all", failing(durable.sync_all))
    else:
        monkeypatch.setattr((durable if call == "fsync" else folder).os, call, failing(getattr(os, call)))
    with contextlib.suppress(ServerBusy):
        upload(server, names)
    monkeypatch.undo()
    if count >= nth:
        assert listed(server) == []
        assert files_of(server) == []
    assert len(upload(server, names)) == len(names)
    assert is_intact(server)


ON_A_SMALL_DISK = """
import json, os, sys
from autoflow.errors import ServerBusy
from autoflow.server.server import Server
from tests.reliability.test_versions_disk import listed, sweep, upload, is_intact

server = Server.open(sys.argv[1])
kept, refused, step = [], 0, 0
while refused < 12 and step < 400:
    step += 1
    name = f"f{step}"
    try:
        upload(server, [name, name + "x"], 1 + (step * 911) % 2500)
        kept += [name, name + "x"]
    except ServerBusy:
        refused += 1
assert sorted(listed(server)) == sorted(kept), (listed(server), kept)
os.unlink(sys.argv[1] + "/ballast")  # the log of the database grows to 4 MB before it is copied back
for one in kept[:-4]:
    server.call("file-storage.remove", {"teamId": 1, "path": "/" + one})
counts = sweep(server)
upload(server, ["after"], 2000)
print(json.dumps({"kept": len(kept), "refused": refused, "whole": is_intact(server), "blobs": counts["blobs"]}))
"""


def test_a_real_disk_that_is_full_takes_files_again_after_collecting(tmp_path):
    """On a real file system of 8 MiB: what was answered is there, the rest is busy; collecting makes room again."""
    mount = tmp_path / "small"
    mount.mkdir()
    prepare = f"mount -t tmpfs -o mode=0700,size=8m none {mount} && head -c 5000000 /dev/zero > {mount}/ballast"
    command = f'{prepare} && exec "$@"'
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]
    if not shutil.which("unshare") or subprocess.run([*unshare, "sh", "-c", command, "sh", "true"]).returncode:
        pytest.skip("mounting a small file system is not permitted here")
    script = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(ON_A_SMALL_DISK), str(mount)]
    done = subprocess.run([*unshare, "sh", "-c", command, "sh", *script], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    reported = json.loads(done.stdout)
    assert reported["refused"] == 12
    assert reported["kept"] > 20
    assert reported["whole"] is True
    assert reported["blobs"] >= reported["kept"] - 4


# -- a disk that says no


@pytest.mark.parametrize("code", [errno.EIO, errno.EROFS, errno.EACCES, errno.EDQUOT, errno.EMFILE])
def test_a_disk_error_is_reported_as_busy(server, monkeypatch, code):
    """An error in writing or reading is one to try again, says what the system said, and changes nothing."""
    reported = upload(server, ["a"])

    def failing(real):
        def fail(path, *arguments, **options):
            if "blobs" in str(path):
                raise OSError(code, os.strerror(code), str(path))
            return real(path, *arguments, **options)

        return fail

    monkeypatch.setattr(folder, "open", failing(open), raising=False)  # reads
    monkeypatch.setattr(os, "open", failing(os.open))  # writes
    with pytest.raises(ServerBusy, match=os.strerror(code)):
        upload(server, ["b"])
    with pytest.raises(ServerBusy, match=os.strerror(code)):
        list(server.download("file-storage.download", {"id": reported[0]["id"]}))
    (problem,) = server.call("autoflow.upkeep.verify", {"level": 3})["problems"]
    assert problem["problem"] == "unreadable"
    monkeypatch.undo()
    assert listed(server) == ["a"]
    assert is_intact(server)


def test_a_folder_that_may_not_be_written_to_is_busy(server, monkeypatch):
    """With a read-only folder uploads are busy and downloads go on; the collector says that it cannot remove."""
    upload(server, ["a"])
    address = server._context.blobs.address

    def readonly(call):
        def fail(path, *arguments, **options):
            if str(path).startswith(address):
                raise OSError(errno.EROFS, "Read-only file system")
            return call(path, *arguments, **options)

        return fail

    for name in ("makedirs", "rename", "unlink"):
        monkeypatch.setattr(folder.os, name, readonly(getattr(os, name)))
    with pytest.raises(ServerBusy, match="Read-only"):
        upload(server, ["b"])
    assert b"".join(server.download("file-storage.download", {"teamId": 1, "path": "/a"})) == b"a" * 1000
    monkeypatch.undo()
    assert listed(server) == ["a"]


# -- power


class Tape:
    """The calls that matter, in their order: what was written, renamed, synced, and what rows a commit named."""

    def __init__(self, server, monkeypatch):
        self.calls = []
        for module, name in ((folder.os, "rename"), (durable, "sync"), (durable, "sync_all")):
            self._record(monkeypatch, module, name)
        write = folder._write

        def written(stream, path, probe):
            reported = write(stream, path, probe)
            self.calls.append(("write", path))
            return reported

        monkeypatch.setattr(folder, "_write", written)
        engine = server._store._engine

        def named(rows):
            self.calls.append(("commit", {blob_path(*row) for row in rows.execute(_NAMED)}))

        event.listen(engine, "commit", named)

    def _record(self, monkeypatch, module, name):
        do = getattr(module, name)

        def recorded(*arguments):
            reported = do(*arguments)
            self.calls.append((name, *arguments))
            return reported

        monkeypatch.setattr(module, name, recorded)


_NAMED = select(blobs.c.hash, blobs.c.generation)


def survivors(calls, top):
    """What is on the disk for sure when the power goes after these calls: whole files under durable names."""
    synced, renamed, names = set(), {}, set()
    for call, *arguments in calls:
        if call == "rename":
            renamed[arguments[1]] = arguments[0]
        elif call == "sync" and os.path.isdir(arguments[0]):
            names |= {path for path in renamed if os.path.dirname(path) == arguments[0]}
        elif call == "sync":
            synced.add(arguments[0])
        elif call == "sync_all":
            synced |= set(renamed)
            names |= set(renamed)
    return {os.path.relpath(path, top) for path in synced & names}


@pytest.mark.parametrize("count", [1, 3, folder.SYNC_ALL_FROM, 40])
def test_no_commit_refers_to_a_file_a_power_cut_could_lose(server, monkeypatch, count):
    """Whenever the power goes, every file that a committed row names had been synced, and so had its name."""
    tape = Tape(server, monkeypatch)
    for turn in range(3):
        upload(server, [f"{turn}-{n}" for n in range(count)], 10)
    top = server._context.blobs.address
    commits = [location for location, (call, *_arguments) in enumerate(tape.calls) if call == "commit"]
    assert len(commits) >= 3
    for location in range(len(tape.calls) + 1):
        before = [arguments[0] for call, *arguments in tape.calls[:location] if call == "commit"]
        if before:
            assert before[-1] <= survivors(tape.calls[:location], top)
    assert len(survivors(tape.calls, top)) == 3 * count


def test_many_files_are_synced_at_once(server, monkeypatch):
    """However many files one request brings, the disk is waited for once."""
    tape = Tape(server, monkeypatch)
    upload(server, [f"n{n}" for n in range(50)], 10)
    assert [call for call, *_ in tape.calls].count("sync_all") == 1
    assert [call for call, *_ in tape.calls].count("sync") == 0
