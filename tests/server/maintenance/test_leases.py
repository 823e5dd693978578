"""Bytes that are being written, or that somebody was told of, are nobody's to collect; whatever else is."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from sqlalchemy import select, update

from autoflow.errors import ServerBusy, ServerRefused
from autoflow.server.blobs.content import blob_path
from autoflow.server.db import blobs as leases
from autoflow.server.db import clock, upload_leases
from autoflow.server.db.schema import blob_leases, blobs, files
from autoflow.server.db.schema import upload_leases as session_table
from autoflow.server.maintenance import unused_blobs
from autoflow.server.uploads.upload_session import upload_session
from autoflow.wire.parts import Part
from tests.blobs import blob_files


def collect(filled):
    """Collect to the end, however many calls it takes."""
    state = None
    while True:
        response = filled.call("autoflow.upkeep.collect", state=state)
        if response["done"]:
            return response["counts"]
        state = response["state"]


def on_disk(tmp_path):
    """The files there are, by their paths below the folder of blobs."""
    top = tmp_path / "home" / "blobs"
    return [str(path.relative_to(top)) for path in blob_files(top)]


def end_leases(filled):
    """Let the leases on uploads be over, as after a day."""
    with filled.server._context.store.write() as conn:
        conn.execute(update(blob_leases).values(lease_until=clock.after(conn, -1)))


def end_sessions(filled):
    """Let all sessions be over, as after their processes died."""
    with filled.server._context.store.write() as conn:
        conn.execute(update(session_table).values(lease_until=clock.after(conn, -1)))


def rows_of(filled, table, *columns):
    with filled.server._context.store.read() as conn:
        return [tuple(row) for row in conn.execute(select(*columns or table.c))]


@pytest.fixture
def dataset(filled):
    return filled.dataset(filled.project())


def add(filled, dataset, name, content):
    return filled.call("images.bulk.add", datasetId=dataset, images=[{"title": name, "hash": content}])[0]["id"]


def test_uploaded_bytes_stay_for_a_lease(filled, tmp_path):
    """What was uploaded and not named yet is not collected; a lease later it is, file and row."""
    content = filled.content(filled.picture())
    assert collect(filled)["blobs"] == 0
    assert len(on_disk(tmp_path)) == 1
    end_leases(filled)
    counts = collect(filled)
    assert (counts["blobs"], counts["bytes"]) == (1, len(filled.picture()))
    assert on_disk(tmp_path) == []
    assert rows_of(filled, blobs) == rows_of(filled, blob_leases) == []
    assert filled.server.call("images.internal.hashes.list", [content]) == []


def test_who_is_told_that_bytes_are_there_may_name_them(filled, dataset):
    """The answer that nothing need be uploaded holds for a lease, also for bytes that were condemned before."""
    content = filled.content(filled.picture())
    end_leases(filled)
    with filled.server._context.store.write() as conn:
        assert unused_blobs.condemn(conn, "", 100).removed == 1
    assert filled.server.call("images.internal.hashes.list", [content]) == [content]
    assert rows_of(filled, blobs, blobs.c.state) == [("live",)]
    assert collect(filled)["blobs"] == 0
    assert add(filled, dataset, "a", content)


def test_condemned_bytes_that_are_named_live(filled, dataset):
    """Naming bytes after they were condemned keeps them: the collector looks again before it removes anything."""
    content = filled.content(filled.picture())
    end_leases(filled)
    with filled.server._context.store.write() as conn:
        unused_blobs.condemn(conn, "", 100)
    number = add(filled, dataset, "a", content)
    assert rows_of(filled, blobs, blobs.c.state) == [("live",)]
    assert collect(filled)["blobs"] == 0
    assert b"".join(filled.server.download("images.download", {"id": number})) == filled.picture()


def test_condemned_bytes_that_come_again_live(filled, tmp_path):
    """An upload of condemned bytes keeps the file that is there, and leaves no second one."""
    filled.content(filled.picture())
    before = on_disk(tmp_path)
    end_leases(filled)
    with filled.server._context.store.write() as conn:
        unused_blobs.condemn(conn, "", 100)
    filled.content(filled.picture())
    assert rows_of(filled, blobs, blobs.c.state) == [("live",)]
    assert on_disk(tmp_path) == before
    assert collect(filled)["blobs"] == 0


def test_a_late_removal_meets_no_newer_upload(filled, tmp_path):
    """Bytes that come again while the collector is about to remove their old file have a file of their own."""
    context = filled.server._context
    filled.content(filled.picture())
    end_leases(filled)
    with context.store.write() as conn:
        unused_blobs.condemn(conn, "", 100)
        (gone,), _step = unused_blobs.delete_condemned(conn, "", 100)
    filled.content(filled.picture())
    context.blobs.remove(blob_path(gone.hash, gone.generation))
    (left,) = on_disk(tmp_path)
    assert gone.generation not in left
    assert collect(filled)["strays"] == 0


@pytest.mark.parametrize("named_by", ["an image", "a version", "a restored project", "a team file"])
def test_what_is_named_is_kept(filled, dataset, tmp_path, named_by):
    """Whatever names bytes keeps them, without any lease."""
    content = filled.content(filled.picture())
    if named_by == "a team file":
        filled.file("/a.png", filled.picture())
    else:
        number = add(filled, dataset, "a", content)
        if named_by != "an image":
            version = filled.snapshot(1)["id"]
            filled.call("images.bulk.remove", imageIds=[number])
        if named_by == "a restored project":
            filled.call("autoflow.versions.restore", id=version)
            filled.call("autoflow.versions.delete", id=version)
    end_leases(filled)
    assert collect(filled)["blobs"] == 0
    assert len(on_disk(tmp_path)) == 1


def test_what_is_named_no_more_goes(filled, dataset, tmp_path):
    """With the last version that sees an image its bytes go."""
    number = add(filled, dataset, "a", filled.content(filled.picture()))
    version = filled.snapshot(1)["id"]
    filled.call("images.bulk.remove", imageIds=[number])
    filled.call("autoflow.versions.delete", id=version)
    end_leases(filled)
    counts = collect(filled)
    assert counts["blobs"] == 1
    assert counts["rows"] >= 1
    assert on_disk(tmp_path) == []


def test_replaced_files_are_kept_while_an_edge_or_a_version_names_them(filled, tmp_path):
    """Of the files a path had, the current one stays, and those that a run or a version has to do with."""
    numbers = [filled.file("/best.pt", str(n).encode())["id"] for n in range(5)]
    filled.edge("output", "model_weight", numbers[0])
    filled.edge("input", "file", numbers[1])
    project = filled.project()
    reserved = filled.call("projects.versions.reserve", projectId=project)
    filled.call(
        "projects.versions.commit", id=reserved["id"], commitToken=reserved["commitToken"], teamFileId=numbers[2]
    )
    assert collect(filled)["files"] == 0
    end_leases(filled)
    counts = collect(filled)
    assert (counts["files"], counts["blobs"]) == (1, 1)
    assert {number for (number,) in rows_of(filled, files, files.c.id)} == {*numbers[:3], numbers[4]}
    assert len(on_disk(tmp_path)) == 4


def test_a_file_without_a_row_is_its_sessions(filled, tmp_path):
    """What a living process is writing is left alone; what a dead one left is removed."""
    context = filled.server._context
    lease = context.upload_leases.current()
    context.blobs.receive(io.BytesIO(b"under way"), lease.generation())
    new = Path(context.blobs.address, "new")
    (new / lease.generation()).write_bytes(b"half")
    Path(context.blobs.address, "ab").mkdir(exist_ok=True)
    assert collect(filled)["strays"] == 0
    end_sessions(filled)
    assert collect(filled)["strays"] == 2
    assert on_disk(tmp_path) == []
    assert rows_of(filled, session_table) == []


def test_files_of_older_kinds_of_names_are_swept(filled, tmp_path):
    """A file whose generation tells no session is somebody's only if a row names it."""
    response = filled.file("/a", b"kept")
    with filled.server._context.store.write() as conn:
        (generation,) = conn.execute(select(blobs.c.generation)).scalars()
        conn.execute(update(blobs).values(generation="0123456789abcdef"))
    top = tmp_path / "home" / "blobs"
    old, named = blob_path(response["hash"], generation), blob_path(response["hash"], "0123456789abcdef")
    os.link(top / old, top / named)
    os.rename(top / old, top / blob_path(response["hash"], "fedcba9876543210"))
    assert collect(filled)["strays"] == 1
    assert on_disk(tmp_path) == [named]


def test_who_was_taken_to_be_dead_names_nothing(filled, tmp_path):
    """A process that was held up until its session was over is told to send again, and then it may."""

    def held_up(*, swept):
        with upload_session(filled.server._context) as session:
            session.receive(io.BytesIO(b"1"))
            end_sessions(filled)
            if swept:
                collect(filled)
            with session.transaction(()):
                pytest.fail("it may not begin to name")

    for swept in (False, True):
        with pytest.raises(ServerBusy):
            held_up(swept=swept)
        assert rows_of(filled, blobs) == []
        assert on_disk(tmp_path) == []
    assert filled.file()["id"]


def test_a_long_upload_keeps_its_session(filled, monkeypatch):
    """While bytes come in the lease is renewed, a few times a lease."""
    renewed = []
    check = upload_leases.UploadLease.check
    monkeypatch.setattr(
        upload_leases.UploadLease, "check", lambda lease, conn: (renewed.append(lease.key), check(lease, conn))
    )

    class Slow(io.BytesIO):
        def read(self, size):
            lease = filled.server._context.upload_leases._lease
            lease._renewed -= upload_leases.LEASE / 30  # as if that long had gone by
            return super().read(1)

    part = [Part("name", "a"), Part("path", "/"), Part("file", Slow(b"0123456789"), "a")]
    filled.server.upload("file-storage.bulk.upload", part, {"teamId": 1})
    assert len(renewed) >= 5
    assert len(set(renewed)) == 1


def test_a_session_is_begun_anew_now_and_then(filled, monkeypatch):
    """What a failed upload left is nobody's soon, also while its process lives."""
    lease = filled.server._context.upload_leases.current()
    assert filled.server._context.upload_leases.current() is lease
    lease.started -= upload_leases.LEASE + 1
    assert filled.server._context.upload_leases.current().key != lease.key


def test_asking_writes_no_more_than_leases(filled):
    """Nothing that a page shows is changed by who asks what is there."""
    content = filled.content(filled.picture())
    before = filled.call("autoflow.changes")
    filled.server.call("images.internal.hashes.list", [content])
    collect(filled)
    assert filled.call("autoflow.changes") == before


def test_leases_are_measured_by_the_databases_clock(filled, monkeypatch):
    """A machine whose clock is wrong neither keeps bytes for ever nor loses them early."""
    monkeypatch.setattr("autoflow.server.timestamps.now", lambda: "1999-01-01T00:00:00.000Z")
    monkeypatch.setattr("time.time", lambda: 0.0)
    filled.content(filled.picture())
    ((until,),) = rows_of(filled, blob_leases, blob_leases.c.lease_until)
    with filled.server._context.store.read() as conn:
        now, later = conn.execute(select(clock.now(conn), clock.after(conn, leases.LEASE + 1))).one()
    assert len(until) == len(now) == len("1999-01-01T00:00:00.000Z")
    assert now < until < later
    assert collect(filled)["blobs"] == 0


def test_a_state_that_is_none_is_refused(filled):
    """Work goes on only from what was answered before."""
    for state in ("x", "W10=", "Wzk5LG51bGwse31d"):
        with pytest.raises(ServerRefused) as refusal:
            filled.call("autoflow.upkeep.collect", state=state)
        assert refusal.value.status == 400


def test_collecting_is_cut_into_calls(filled, monkeypatch):
    """A call that has no time left says where to go on, and the calls together do all."""
    monkeypatch.setattr("autoflow.server.maintenance.resumable_job.TIME_LIMIT", 0.0)
    monkeypatch.setattr("autoflow.server.maintenance.garbage_collection.BATCH", 2)
    for number in range(5):
        filled.content(filled.picture((number, 0, 0)))
    end_leases(filled)
    assert filled.call("autoflow.upkeep.collect")["done"] is False
    assert collect(filled)["blobs"] == 5
