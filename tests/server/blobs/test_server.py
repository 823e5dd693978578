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
def place(server):
    return server._context


def listed(place):
    return [found.path for found in place.blobs.files()]


def end_leases(place):
    with place.store.write() as conn:
        for table in (blob_leases, upload_leases):
            conn.execute(update(table).values(lease_until=clock.after(conn, -1)))


def test_the_place_is_the_one_asked_for(server, url):
    """Blobs are where the url says."""
    assert server._context.blobs.address == url


def test_images_go_in_and_out(filled, dataset, place):
    """Images are looked at on their way in, kept once, and come out by number and by hash."""
    pictures = [filled.picture((n, 0, 0), (n + 1, 2)) for n in range(20)]
    parts = [Part("file", io.BytesIO(data), "p") for data in (*pictures, pictures[0], b"no image")]
    told = filled.server.upload("images.bulk.upload", parts, {})
    assert [(one["width"], one["height"]) for one in told[:-1]] == [*((n + 1, 2) for n in range(20)), (1, 2)]
    assert "errors" in told[-1]
    assert len(listed(place)) == 20
    images = [{"title": str(n), "hash": one["hash"]} for n, one in enumerate(told[:20])]
    made = filled.call("images.bulk.add", datasetId=dataset, images=images)
    read = lambda method, body: b"".join(filled.server.download(method, body))  # noqa: E731
    assert [read("images.download", {"id": one["id"]}) for one in made] == pictures
    assert all(data in read("images.bulk.download", {"imageIds": [one["id"] for one in made]}) for data in pictures)
    assert pictures[3] in read("images.bulk.download-by-hash", {"hashes": [told[3]["hash"]]})


def test_team_files_come_in_parts(filled):
    """Any part of a file is given out, and a folder as one archive."""
    data = bytes(range(256)) * 9000
    told = filled.file("/models/a.bin", data)
    content = filled.server.content("file-storage.download", {"id": told["id"]})
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


def test_a_refused_upload_leaves_nothing(filled, place):
    """When any part is refused no bytes are kept."""
    parts = [Part("file", io.BytesIO(filled.picture()), "p"), Part("text", "no file")]
    with pytest.raises(ServerRefused):
        filled.server.upload("images.bulk.upload", parts, {})
    assert listed(place) == []


def test_what_is_not_needed_is_collected(filled, dataset, place):
    """What an image or a version needs stays, what nothing needs goes, and so do files of the dead."""
    kept, _gone = (filled.content(filled.picture((n, 0, 0))) for n in range(2))
    filled.call("images.bulk.add", datasetId=dataset, images=[{"title": "a", "hash": kept}])
    place.blobs.sync([place.blobs.receive(io.BytesIO(b"stray"), place.upload_leases.current().generation())])
    counts = filled.call("autoflow.upkeep.collect")["counts"]
    assert (counts["blobs"], counts["strays"], len(listed(place))) == (0, 0, 3)
    end_leases(place)
    counts = filled.call("autoflow.upkeep.collect")["counts"]
    assert (counts["blobs"], counts["strays"], len(listed(place))) == (1, 1, 1)
    assert b"".join(filled.server.download("images.download", {"id": 1})) == filled.picture((0, 0, 0))


def test_lost_and_damaged_files_are_found_and_healed(filled, place):
    """Verifying finds what is lost or is not of its hash, and the same bytes heal it."""
    lost, rotten = (filled.file(f"/{data}", data.encode()) for data in ("lost", "rotten"))
    (gone,) = (found for found in place.blobs.files() if found.hash == lost["hash"])
    place.blobs.remove(gone.path)
    (bad,) = (found for found in place.blobs.files() if found.hash == rotten["hash"])
    place.blobs.remove(bad.path)
    forged = place.blobs.receive(io.BytesIO(b"rotteN"), "x-1")
    place.blobs.sync([forged])
    _misname(place.blobs, forged, bad)
    assert [one["problem"] for one in verify(filled, 2)[0]] == ["missing"]
    assert sorted(one["problem"] for one in verify(filled, 3)[0]) == ["content", "damaged"]
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
