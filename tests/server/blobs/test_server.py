"""The server over each place that keeps blobs: uploads, downloads in parts, versions, team files, upkeep."""

from __future__ import annotations

import io
import os

import obstore
import pytest
from sqlalchemy import update

from autoflow.errors import ServerRefused
from autoflow.server.blobs.content import blob_path
from autoflow.server.db import clock
from autoflow.server.db.schema import blob_leases, upload_leases
from autoflow.wire.parts import Part
from tests.server.maintenance.test_upkeep import verify


@pytest.fixture
def dataset(filled):
    return filled.dataset(filled.project())


@pytest.fixture
def context(server):
    return server._context


def listed(context):
    return [file.path for file in context.blobs.files()]


def end_leases(context):
    with context.store.write() as conn:
        for table in (blob_leases, upload_leases):
            conn.execute(update(table).values(lease_until=clock.after(conn, -1)))


def test_the_place_is_the_one_asked_for(server, url):
    """Blobs are where the url says."""
    assert server._context.blobs.address == url


def test_images_go_in_and_out(filled, dataset, context):
    """Images are looked at on their way in, kept once, and come out by number and by hash."""
    pictures = [filled.picture((n, 0, 0), (n + 1, 2)) for n in range(20)]
    parts = [Part("file", io.BytesIO(data), "p") for data in (*pictures, pictures[0], b"no image")]
    response = filled.server.upload("images.bulk.upload", parts, {})
    assert [(entry["width"], entry["height"]) for entry in response[:-1]] == [*((n + 1, 2) for n in range(20)), (1, 2)]
    assert "errors" in response[-1]
    assert len(listed(context)) == 20
    images = [{"title": str(n), "hash": entry["hash"]} for n, entry in enumerate(response[:20])]
    made = filled.call("images.bulk.add", datasetId=dataset, images=images)
    read = lambda method, body: b"".join(filled.server.download(method, body))  # noqa: E731
    assert [read("images.download", {"id": entry["id"]}) for entry in made] == pictures
    assert all(data in read("images.bulk.download", {"imageIds": [entry["id"] for entry in made]}) for data in pictures)
    assert pictures[3] in read("images.bulk.download-by-hash", {"hashes": [response[3]["hash"]]})


def test_team_files_come_in_parts(filled):
    """Any part of a file is given out, and a folder as one archive."""
    data = bytes(range(256)) * 9000
    response = filled.file("/models/a.bin", data)
    content = filled.server.content("file-storage.download", {"id": response["id"]})
    assert b"".join(content) == data
    for start, stop in ((0, 10), (1_500_000, 1_500_007), (len(data) - 3, len(data))):
        assert b"".join(content.iter_range(start, stop)) == data[start:stop]
    assert data in b"".join(filled.server.download("file-storage.download", {"teamId": 1, "path": "/models/"}))


def test_the_sdks_versions_have_their_archive(filled):
    """Reserved, its archive uploaded, committed: the map of versions names the archive, which reads back."""
    project = filled.project()
    reserved = filled.call("projects.versions.reserve", projectId=project)
    archive = filled.file(f"/system/versions/{project}/1.tar.zst", b"archive")
    commit = {"id": reserved["id"], "commitToken": reserved["commitToken"], "teamFileId": archive["id"]}
    filled.call("projects.versions.commit", **commit)
    body = {"teamId": 1, "path": f"/system/versions/{project}/versions.json"}
    assert archive["path"].encode() in b"".join(filled.server.download("file-storage.download", body))
    assert b"".join(filled.server.download("file-storage.download", {"id": archive["id"]})) == b"archive"


def test_a_refused_upload_leaves_nothing(filled, context):
    """When any part is refused no bytes are kept."""
    parts = [Part("file", io.BytesIO(filled.picture()), "p"), Part("text", "no file")]
    with pytest.raises(ServerRefused):
        filled.server.upload("images.bulk.upload", parts, {})
    assert listed(context) == []


def test_what_is_not_needed_is_collected(filled, dataset, context):
    """What an image or a version needs stays, what nothing needs goes, and so do files of the dead."""
    used, _gone = (filled.content(filled.picture((n, 0, 0))) for n in range(2))
    filled.call("images.bulk.add", datasetId=dataset, images=[{"title": "a", "hash": used}])
    context.blobs.sync([context.blobs.receive(io.BytesIO(b"stray"), context.upload_leases.current().generation())])
    counts = filled.call("autoflow.upkeep.collect")["counts"]
    assert (counts["blobs"], counts["strays"], len(listed(context))) == (0, 0, 3)
    end_leases(context)
    counts = filled.call("autoflow.upkeep.collect")["counts"]
    assert (counts["blobs"], counts["strays"], len(listed(context))) == (1, 1, 1)
    assert b"".join(filled.server.download("images.download", {"id": 1})) == filled.picture((0, 0, 0))


def test_lost_and_damaged_files_are_found_and_healed(filled, context):
    """Verifying finds what is lost or is not of its hash, and the same bytes heal it."""
    lost, rotten = (filled.file(f"/{data}", data.encode()) for data in ("lost", "rotten"))
    (gone,) = (file for file in context.blobs.files() if file.hash == lost["hash"])
    context.blobs.remove(gone.path)
    (bad,) = (file for file in context.blobs.files() if file.hash == rotten["hash"])
    context.blobs.remove(bad.path)
    forged = context.blobs.receive(io.BytesIO(b"rotteN"), "x-1")
    context.blobs.sync([forged])
    _misname(context.blobs, forged, bad)
    assert [entry["problem"] for entry in verify(filled, 2)[0]] == ["missing"]
    assert sorted(entry["problem"] for entry in verify(filled, 3)[0]) == ["content", "damaged"]
    for data in ("lost", "rotten"):
        filled.file(f"/{data}", data.encode())
    assert verify(filled, 3)[0] == []


def _misname(blobs, received, other):
    """Put a file in another one's place, as no call of ours can."""
    name = blob_path(received.hash, received.generation)
    if hasattr(blobs, "_store"):
        obstore.rename(blobs._store, blobs._prefix + name, blobs._prefix + other.path)
    else:
        os.makedirs(os.path.dirname(os.path.join(blobs.address, other.path)), exist_ok=True)
        os.rename(os.path.join(blobs.address, name), os.path.join(blobs.address, other.path))
