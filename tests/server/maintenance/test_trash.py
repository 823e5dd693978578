"""Collecting takes only from the store's own blobs, no large share unasked, and by way of the trash."""

from __future__ import annotations

import io
import json

import pytest
from sqlalchemy import select, update

from autoflow.errors import ServerRefused, StoreUnavailable
from autoflow.server.blobs.content import blob_path
from autoflow.server.db import clock
from autoflow.server.db.schema import blob_leases, blobs, upload_leases, versions
from autoflow.server.maintenance import garbage_collection, resumable_job
from autoflow.server.versions import reservations
from tests.blobs import blob_files
from tests.server.maintenance.test_leases import end_leases, end_sessions


def collect(filled, **more):
    state = None
    while True:
        response = filled.call("autoflow.upkeep.collect", state=state, **more)
        if response["done"]:
            return response["counts"]
        state = response["state"]


def trashed(tmp_path):
    return sorted(path.name for path in (tmp_path / "home" / "blobs" / "trash").rglob("*") if path.is_file())


def unneeded(filled, count):
    """Bring bytes that nothing names, and whose leases are over."""
    hashes = [filled.content(filled.picture((number, 0, 0))) for number in range(count)]
    end_leases(filled)
    return hashes


def test_what_is_collected_is_in_the_trash_for_a_while(filled, tmp_path, monkeypatch):
    """Files leave their place at once, and the disk a week later or when that is asked for."""
    unneeded(filled, 2)
    assert collect(filled)["blobs"] == 2
    assert blob_files(tmp_path / "home" / "blobs") == []
    assert len(trashed(tmp_path)) == 2
    assert collect(filled) == {"rows": 0, "files": 0, "blobs": 0, "bytes": 0, "strays": 0, "emptied": 0}
    monkeypatch.setattr(garbage_collection, "TRASH_SECONDS", -2 * 24 * 3600.0)  # the day after tomorrow is a week later
    assert collect(filled)["emptied"] == 2
    assert trashed(tmp_path) == []


def test_the_trash_is_emptied_when_asked(filled, tmp_path):
    """A disk that is full gets its room now."""
    unneeded(filled, 1)
    assert collect(filled, emptyTrash=True)["emptied"] == 1
    assert trashed(tmp_path) == []


def test_a_file_in_the_trash_comes_back_when_a_row_names_it(filled, tmp_path):
    """As after a database was restored that names more than the one that was collected by."""
    response = filled.file(data=b"needed")
    context = filled.server._context
    with context.store.read() as conn:
        path = blob_path(*conn.execute(select(blobs.c.hash, blobs.c.generation)).one())
    for inspect in (
        lambda: b"".join(filled.server.download("file-storage.download", {"id": response["id"]})) == b"needed",
        lambda: filled.call("autoflow.upkeep.verify", level=3)["problems"] == [],
    ):
        context.blobs.trash(path, "2026-01-01")
        assert len(trashed(tmp_path)) == 1
        assert inspect()
        assert trashed(tmp_path) == []
        assert len(blob_files(tmp_path / "home" / "blobs")) == 1


def test_bytes_that_come_again_are_kept_beside_the_trash(filled, tmp_path):
    """Uploading what is in the trash needs nothing of it; emptying it later takes nothing that is needed."""
    (content,) = unneeded(filled, 1)
    collect(filled)
    assert filled.content(filled.picture((0, 0, 0))) == content
    collect(filled, emptyTrash=True)
    assert filled.call("autoflow.upkeep.verify", level=3)["problems"] == []
    assert len(blob_files(tmp_path / "home" / "blobs")) == 1


@pytest.mark.parametrize("seconds", [0.0, 60.0])
def test_a_large_share_is_asked_about(filled, tmp_path, monkeypatch, seconds):
    """More than a fifth of all blobs is taken only when that was confirmed; until then nothing is."""
    monkeypatch.setattr(resumable_job, "TIME_LIMIT", seconds)  # in one call, or in many
    filled.file()
    unneeded(filled, 12)
    with pytest.raises(ServerRefused, match=r"12 of 13 blobs.*--yes") as refusal:
        collect(filled)
    assert (refusal.value.status, refusal.value.details["confirm"]) == (409, {"removed": 12, "of": 13})
    assert len(blob_files(tmp_path / "home" / "blobs")) == 13
    assert collect(filled, confirm=True)["blobs"] == 12
    assert len(blob_files(tmp_path / "home" / "blobs")) == 1


def test_a_small_share_is_not_asked_about(filled, monkeypatch):
    """Up to a fifth, and up to a few, go unconfirmed."""
    monkeypatch.setattr(garbage_collection, "ALWAYS_ALLOWED", 1)
    for number in range(8):
        filled.file(f"/{number}", str(number).encode())
    unneeded(filled, 2)
    assert collect(filled)["blobs"] == 2
    unneeded(filled, 3)
    with pytest.raises(ServerRefused, match="3 of 11"):
        collect(filled)


def test_strays_are_a_share_too(filled, tmp_path):
    """Files without rows, as beside an older copy of the database, are asked about as well."""
    context = filled.server._context
    lease = context.upload_leases.current()
    for number in range(11):
        context.blobs.receive(io.BytesIO(str(number).encode()), lease.generation())
    end_sessions(filled)
    with pytest.raises(ServerRefused, match="11 of 11"):
        collect(filled)
    assert len(blob_files(tmp_path / "home" / "blobs")) == 11
    assert collect(filled, confirm=True)["strays"] == 11
    assert len(trashed(tmp_path)) == 11


def test_blobs_of_another_store_are_refused(filled, tmp_path):
    """A collector whose blobs are marked as another store's takes none of them, confirmed or not."""
    unneeded(filled, 1)
    mark = tmp_path / "home" / "blobs" / "store.json"
    mark.write_text(json.dumps({**json.loads(mark.read_text()), "store": "another"}))
    for confirm in (False, True):
        with pytest.raises(StoreUnavailable, match="store another"):
            collect(filled, confirm=confirm)
    assert len(blob_files(tmp_path / "home" / "blobs")) == 1


# -- leases under a wrong clock

YEAR = 365 * 24 * 3600.0


def test_a_reservation_made_under_a_wrong_clock_ends(filled):
    """One that would last for a year gives way to the next, and is collected."""
    project = filled.project()
    filled.call("projects.versions.reserve", projectId=project)
    with filled.server.store.write() as conn:
        conn.execute(update(versions).values(lease_until=clock.after(conn, YEAR)))
    second = filled.call("projects.versions.reserve", projectId=project)
    with pytest.raises(ServerRefused, match="already committing"):
        filled.call("projects.versions.reserve", projectId=project)
    with filled.server.store.write() as conn:
        conn.execute(update(versions).values(lease_until=clock.after(conn, YEAR)))
    assert collect(filled)["rows"] == 1
    assert second["id"] not in [
        each["id"] for each in filled.call("projects.versions.list", projectId=project)["entities"]
    ]


def test_leases_on_bytes_made_under_a_wrong_clock_end(filled):
    """Uploads and sessions that would last for a year hold nothing up; those of the length they are given do."""
    filled.content(filled.picture())
    for seconds, count in ((reservations.LEASE, 0), (YEAR, 1)):
        with filled.server.store.write() as conn:
            for table in (blob_leases, upload_leases):
                conn.execute(update(table).values(lease_until=clock.after(conn, seconds)))
        assert collect(filled)["blobs"] == count
