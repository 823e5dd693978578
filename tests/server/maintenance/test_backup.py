"""Backups under load, restored to an empty place with every version equal: both databases, a folder and a bucket."""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from autoflow.errors import BackupError, ServerBusy
from autoflow.server.db import identity, schema
from autoflow.server.location import locate
from autoflow.server.maintenance.backup.check import check_backup
from autoflow.server.maintenance.backup.create import create_backup
from autoflow.server.maintenance.backup.folder import BackupFolder
from autoflow.server.maintenance.backup.restore import Restore
from autoflow.server.server import Server
from autoflow.server.versions import snapshot
from autoflow.wire.parts import Part
from tests import buckets
from tests.blobs import blob_files
from tests.server.conftest import Filled


def silent(_label, _done, _total):
    """Progress that nobody sees."""


def back_up(server, folder, progress=silent):
    return create_backup(server.store, server._context.blobs, BackupFolder(str(folder)), progress)


def restore(source, data, database=None, *, blobs=None, notes=None, **options):
    """Restore the last backup of a folder; gives the result, and the new server."""
    folder = BackupFolder(str(source))
    location = locate(data, database, blobs, notes)
    arguments = (location.url, location.blobs, location.witnesses, location.remedy, silent)
    result = Restore(folder, folder.manifest(), *arguments, **options).run()
    return result, Server.open(data, database, blobs=blobs, notes=notes)


def versions_of(server, *, with_items=True):
    """Every version, with its digest and the names and bytes of its items."""
    versions = {}
    with server.store.read() as conn:
        rows = conn.execute(select(schema.versions)).mappings().all()
    for row in rows:
        items = items_of(server, row) if with_items else None
        versions[row["project_id"], row["number"]] = row["digest"], row["items_count"], items
    return versions


def items_of(server, version):
    """The names of a version's items, each with the sha256 of its bytes."""
    with server.store.read() as conn:
        rows = snapshot.page(conn, snapshot.SnapshotRef.of(version), 0, 500)
    return sorted((row["name"], digest_of(server, row["hash"])) for row in rows)


def digest_of(server, blob_hash):
    """The sha256 of the bytes that the server has for a hash."""
    with server.store.read() as conn:
        blob = conn.execute(select(schema.blobs).where(schema.blobs.c.hash == blob_hash)).mappings().one()
    digest = hashlib.sha256()
    for chunk in server._context.blobs.read(blob_hash, blob["generation"], 0, blob["size"]):
        digest.update(chunk)
    return digest.hexdigest()


def grow(server, name, until):
    """Write images, versions, files and runs until an event; every other image is removed again."""
    filled = Filled(server)
    dataset = filled.dataset(project := filled.project(name))
    for index in itertools.count():
        data = filled.picture((index % 256, index // 256, len(name)))
        part = Part("0-file", io.BytesIO(data), "0", "image/*")
        content = server.upload("images.bulk.upload", [part], {})[0]["hash"]
        new = {"title": f"{index}.png", "hash": content}
        image = filled.call("images.bulk.add", datasetId=dataset, images=[new])[0]
        filled.snapshot(project)
        filled.file(f"/{name}/{index}.txt", f"{name} {index}".encode())
        filled.edge("input", "project", project, run=f"{name}-{index}", key=f"{name}.{index}")
        if index % 2:
            filled.call("images.bulk.remove", imageIds=[image["id"]])
        if index >= 5 and until.is_set():
            return


@pytest.fixture
def bucket_url(monkeypatch):
    """The url of an empty bucket."""
    with buckets.serving() as address:
        for name, value in buckets.variables(address).items():
            monkeypatch.setenv(name, value)
        yield f"s3://{buckets.make_bucket(address)}/blobs"


def test_a_backup_under_load_restores_with_every_version_equal(tmp_path, database, bucket_url, postgres):
    """Writers go on meanwhile; on the other database, and in a bucket instead of a folder or the other way round, the
    versions of one snapshot are equal to the byte.
    """
    original_blobs, restored_blobs = (bucket_url, None) if database else (None, bucket_url)
    original = Server.open(tmp_path / "data", database, blobs=original_blobs)
    done = threading.Event()
    collector_errors = []

    def progress(label, count, _total):
        if label == "blobs" and count == 1:
            with pytest.raises(ServerBusy, match="backup") as error:
                original.call("autoflow.upkeep.collect", {})
            collector_errors.append(error.value)

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(grow, original, name, done) for name in ("lemons", "limes")]
        try:
            while len(versions_of(original, with_items=False)) < 8 and not any(writer.done() for writer in writers):
                done.wait(0.01)
            created = back_up(original, tmp_path / "backups", progress)
        finally:
            done.set()
    assert [writer.result() for writer in writers] == [None, None]
    assert collector_errors
    assert original.call("autoflow.upkeep.collect", {"confirm": True})
    with postgres.database("template0") as url:
        target = None if database else url
        result, restored = restore(tmp_path / "backups", tmp_path / "restored", target, blobs=restored_blobs)
        assert (result.problems, result.written) == ([], created.manifest.blobs)
        expected, restored_versions = versions_of(original), versions_of(restored)
        assert restored_versions
        assert {key: expected[key] for key in restored_versions} == restored_versions
        assert check_rows(restored, created.manifest)
        assert restored.call("autoflow.search", {"q": "lemons", "kinds": ["project"]})["results"]
        assert created.manifest.numbers.keys() <= mark_of(restored).numbers.keys()
        assert mark_of(restored).changes >= created.manifest.changes
        assert Filled(restored).project("new") > created.manifest.numbers["projects"]
        restored.close()
    original.close()


def mark_of(server):
    with server.store.read() as conn:
        return identity.mark_of(conn, server.store.key)


def check_rows(server, manifest):
    """Assert that each table has the number of rows in the manifest; counters are left out."""
    counts = {}
    with server.store.read() as conn:
        for name in manifest.tables:
            counts[name] = len(conn.execute(select(schema.metadata.tables[name])).all())
    expected = {name: entry["rows"] for name, entry in manifest.tables.items()}
    return all(counts[name] == expected[name] for name in expected if name not in {"counters", "change_counts"})


@pytest.fixture
def small(tmp_path):
    """A server with a version and a file."""
    server = Server.open(tmp_path / "data")
    filled = Filled(server)
    filled.image(filled.dataset(project := filled.project()))
    filled.snapshot(project)
    filled.file()
    yield server
    server.close()


def test_the_next_backup_copies_only_new_content(small, tmp_path):
    """Both backups are complete and share their blobs; either can be restored."""
    assert back_up(small, tmp_path / "backups").copied == 2
    Filled(small).file("/new.txt", b"new")
    second = back_up(small, tmp_path / "backups")
    assert (second.copied, second.copied_bytes, second.manifest.blobs) == (1, 3, 3)
    folder = BackupFolder(str(tmp_path / "backups"))
    assert folder.names() == sorted(folder.names())
    assert [folder.manifest(name).blobs for name in folder.names()] == [2, 3]
    assert [check_backup(folder, folder.manifest(name), silent) for name in folder.names()] == [[], []]


def test_damage_of_a_backup_is_noticed(small, tmp_path):
    """A changed blob or file of rows is reported by a check, and not restored."""
    back_up(small, tmp_path / "backups")
    folder = BackupFolder(str(tmp_path / "backups"))
    blob = next(path for path in blob_files(tmp_path / "backups" / "blobs") if path.stat().st_size > 10)
    content = blob.read_bytes()
    blob.write_bytes(b"x" + content[1:])
    assert [blob.name in problem for problem in check_backup(folder, folder.manifest(), silent)] == [True]
    with pytest.raises(BackupError, match=blob.name):
        restore(folder.path, tmp_path / "restored")
    assert not (tmp_path / "restored" / "platform.db").exists()
    blob.write_bytes(content)
    rows = Path(folder.rows_path(folder.names()[0], "items"))
    rows.write_bytes(rows.read_bytes()[:-1] + b"x")
    assert ["items" in problem for problem in check_backup(folder, folder.manifest(), silent)] == [True]
    with pytest.raises(BackupError, match="items"):
        restore(folder.path, tmp_path / "restored")
    assert not (tmp_path / "restored" / "platform.db").exists()


def test_content_that_the_store_lacks_is_listed_and_can_be_uploaded_again(small, tmp_path):
    """The backup is complete but for that; in the restored store an upload of the bytes repairs the file."""
    lost = next(path for path in blob_files(tmp_path / "data" / "blobs") if path.read_bytes() == b"weights")
    lost.unlink()
    created = back_up(small, tmp_path / "backups")
    assert list(created.manifest.missing.values()) == ["missing"]
    _, restored = restore(tmp_path / "backups", tmp_path / "restored")
    Filled(restored).file("/again.pt", b"weights")
    (blob_hash,) = created.manifest.missing
    assert digest_of(restored, blob_hash) == hashlib.sha256(b"weights").hexdigest()
    restored.close()


def test_a_backup_is_restored_to_an_empty_place_only(small, tmp_path):
    """Neither a store nor blobs nor the notes of a machine that served another store are overwritten."""
    back_up(small, tmp_path / "backups")
    with pytest.raises(BackupError, match="there is a store"):
        restore(tmp_path / "backups", tmp_path / "data")
    other = Server.open(tmp_path / "other", notes=str(tmp_path / "notes"))
    other.close()
    os.rename(tmp_path / "other", tmp_path / "gone")
    with pytest.raises(BackupError, match="is here"):
        restore(tmp_path / "backups", tmp_path / "other", notes=str(tmp_path / "notes"))
    (tmp_path / "blobs" / "ab").mkdir(parents=True)
    (tmp_path / "blobs" / "ab" / f"{'ab' * 32}.g").write_bytes(b"")
    with pytest.raises(BackupError, match="1 blobs"):
        restore(tmp_path / "backups", tmp_path / "new", blobs=str(tmp_path / "blobs"))


def test_a_store_restored_in_place_of_a_newer_one_assigns_no_id_again(small, tmp_path):
    """The machine's note of the lost store says which ids it had assigned since the backup."""
    notes = str(tmp_path / "notes")
    server = Server.open(tmp_path / "served", notes=notes)
    back_up(server, tmp_path / "backups")
    last = [Filled(server).project(f"p{number}") for number in range(3)][-1]
    server.close()
    os.rename(tmp_path / "served", tmp_path / "lost")
    _, restored = restore(tmp_path / "backups", tmp_path / "served", notes=notes)
    assert restored.store.key == server.store.key
    assert Filled(restored).project() > last
    restored.close()


def test_a_copy_with_a_new_id_does_not_take_the_original_s_blobs(small, tmp_path):
    """Such a copy refuses to open with the blobs of the original."""
    back_up(small, tmp_path / "backups")
    _, copy = restore(tmp_path / "backups", tmp_path / "copy", new_id=True)
    copy.close()
    assert copy.store.key != small.store.key
    with pytest.raises(ServerBusy, match="belongs to the store"):
        Server.open(tmp_path / "copy", blobs=str(tmp_path / "data" / "blobs"))


def test_a_folder_of_backups_is_one_store_s(small, tmp_path):
    """Backups of another store, a second backup at a time and a folder of something else are refused."""
    other = Server.open(tmp_path / "other")
    back_up(other, tmp_path / "backups")
    other.close()
    with pytest.raises(BackupError, match="has backups of the store"):
        back_up(small, tmp_path / "backups")
    with pytest.raises(BackupError, match="not a folder of backups"):
        back_up(small, tmp_path / "data")
    folder = BackupFolder(str(tmp_path / "new"))
    with folder.prepare(small.store.key), pytest.raises(BackupError, match="another backup"):
        back_up(small, tmp_path / "new")
    with pytest.raises(BackupError, match="no complete backup"):
        folder.manifest()


_KILLED = """
import os, signal, sys
from autoflow.server.maintenance.backup.create import create_backup
from autoflow.server.maintenance.backup.folder import BackupFolder
from autoflow.server.server import Server
data, dest = sys.argv[1:]
def progress(label, count, total):
    if label == "blobs" and count >= total // 2:
        os.kill(os.getpid(), signal.SIGKILL)
server = Server.open(data)
create_backup(server.store, server._context.blobs, BackupFolder(dest), progress)
"""


def test_a_killed_backup_is_continued(tmp_path):
    """It does not count as a backup; the next one copies only the blobs that it had not copied."""
    server = Server.open(tmp_path / "data")
    for number in range(60):
        Filled(server).file(f"/{number}", str(number).encode())
    arguments = [str(tmp_path / "data"), str(tmp_path / "backups")]
    killed = subprocess.run([sys.executable, "-c", _KILLED, *arguments], check=False)
    assert killed.returncode == -signal.SIGKILL
    folder = BackupFolder(str(tmp_path / "backups"))
    assert folder.names() == []
    copied = len(blob_files(tmp_path / "backups" / "blobs"))
    assert copied >= 30
    created = back_up(server, tmp_path / "backups")
    assert (created.copied, created.manifest.blobs) == (60 - copied, 60)
    assert check_backup(folder, folder.manifest(), silent) == []
    assert len(os.listdir(tmp_path / "backups" / "backups")) == 1
    server.close()


_KILLED_RESTORE = """
import os, signal, sys
from autoflow.server.location import locate
from autoflow.server.maintenance.backup.folder import BackupFolder
from autoflow.server.maintenance.backup.restore import Restore
source, data = sys.argv[1:]
def progress(name, count, total):
    if name == "rows" and count >= total // 2:
        os.kill(os.getpid(), signal.SIGKILL)
folder, location = BackupFolder(source), locate(data)
arguments = location.url, location.blobs, location.witnesses, location.remedy, progress
Restore(folder, folder.manifest(), *arguments).run()
"""


def test_a_killed_restore_is_continued(tmp_path):
    """Until it is complete there is no store; the next restore keeps the blobs that are there."""
    server = Server.open(tmp_path / "data")
    for number in range(40):
        Filled(server).file(f"/{number}", str(number).encode())
    back_up(server, tmp_path / "backups")
    server.close()
    source, data = tmp_path / "backups", tmp_path / "restored"
    arguments = [sys.executable, "-c", _KILLED_RESTORE, str(source), str(data)]
    assert subprocess.run(arguments, check=False).returncode == -signal.SIGKILL
    with pytest.raises(ServerBusy, match="there are blobs of one"):
        Server.open(data)
    result, restored = restore(source, data)
    assert (result.problems, result.written) == ([], 0)
    assert len(Filled(restored).call("file-storage.list", teamId=1, path="/")) == 40
    restored.close()
