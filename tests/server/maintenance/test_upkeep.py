"""Looking whether what is kept is whole: every damage is found, told with what it affects, and healed by its bytes."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from sqlalchemy import select, update

from autoflow.errors import ServerRefused
from autoflow.server.blobs.content import blob_path
from autoflow.server.db.schema import blobs, items
from autoflow.server.maintenance import integrity_check, resumable_job


def verify(filled, level, **scope):
    """Verify to the end; gives the problems and the last counts."""
    problems, state = [], None
    while True:
        response = filled.call("autoflow.upkeep.verify", level=level, state=state, **scope)
        problems += response["problems"]
        if response["done"]:
            return problems, response["counts"]
        state = response["state"]


def kinds(filled, level, **scope):
    return sorted(problem["problem"] for problem in verify(filled, level, **scope)[0])


def file_of(filled, content):
    """Where the file of a hash is."""
    with filled.server._context.store.read() as conn:
        generation = conn.execute(select(blobs.c.generation).where(blobs.c.hash == content)).scalar_one()
    return Path(filled.server._context.blobs.address, blob_path(content, generation))


def spoil(path, change):
    """Change a file that is read-only."""
    data = bytearray(path.read_bytes())
    change(data)
    path.chmod(0o600)
    path.write_bytes(data)


@pytest.fixture
def project(filled):
    """Two versions of a project: of the first image, and of both."""
    number = filled.project()
    dataset = filled.dataset(number)
    for index, name in enumerate("ab"):
        content = filled.content(filled.picture((index, 0, 0)))
        filled.call("images.bulk.add", datasetId=dataset, images=[{"title": name, "hash": content}])
        filled.snapshot(number)
    return number


@pytest.fixture
def contents(filled, project):
    """The hashes of those images."""
    listed = filled.call("images.list", projectId=project)["entities"]
    return [image["hash"] for image in listed]


def test_what_is_whole_has_no_problems(filled, project):
    """All levels count what they looked at, and find nothing."""
    filled.file()
    assert verify(filled, 1) == ([], {"versions": 2, "blobs": 0, "bytes": 0, "sources": 0, "problems": 0})
    for level in (2, 3):
        problems, counts = verify(filled, level)
        assert (problems, counts["blobs"], counts["problems"]) == ([], 3, 0)


def test_a_changed_row_of_a_version_is_found(filled, project):
    """Rows that are not those a version was made of are found by its digest."""
    with filled.server._context.store.write() as conn:
        conn.execute(update(items).where(items.c.name == "b").values(description="forged", valid_from=10))
        conn.execute(update(items).where(items.c.name == "b").values(valid_from=2))
    problems, _counts = verify(filled, 1)
    assert [problem["versions"] for problem in problems] == [[{"id": 2, "version": 2, "projectId": project}]] * 3
    assert any("digest" in problem["problem"] for problem in problems)
    assert kinds(filled, 1, id=1) == []
    assert len(kinds(filled, 1, id=2)) == 3


def test_a_missing_file_is_found_with_what_it_affects(filled, project, contents):
    """The answer names the projects, versions and files that need lost bytes."""
    response = filled.file("/a.png", filled.picture((1, 0, 0)))
    file_of(filled, contents[1]).unlink()
    (problem,) = verify(filled, 2)[0]
    assert problem == {
        "hash": contents[1],
        "problem": "missing",
        "projects": [{"id": project, "name": "lemons"}],
        "versions": [{"id": 2, "version": 2, "projectId": project}],
        "files": [{"id": response["id"], "path": "/a.png", "teamId": 1}],
    }


def test_a_scope_is_kept_to(filled, project, contents):
    """A project's or a version's own bytes are looked at, and no others."""
    filled.file("/other", b"other")
    file_of(filled, contents[1]).unlink()
    assert kinds(filled, 2, id=1) == []
    assert verify(filled, 2, id=1)[1]["blobs"] == 1
    assert kinds(filled, 2, projectId=project) == ["missing"]
    assert kinds(filled, 2, id=2) == ["damaged"]
    for scope in ({"id": 9}, {"projectId": 9}):
        with pytest.raises(ServerRefused) as refusal:
            verify(filled, 2, **scope)
        assert refusal.value.status == 404


def test_a_level_is_one_of_three(filled):
    """Another level is refused."""
    with pytest.raises(ServerRefused, match="level"):
        verify(filled, 4)


def test_every_flipped_bit_is_found(filled):
    """Of files with one bit flipped anywhere, all are found by reading, none by size."""
    flips = random.Random(5)
    hashes = [filled.file(f"/{n}", flips.randbytes(flips.randint(1, 3000)))["hash"] for n in range(60)]
    spoilt = flips.sample(hashes, 30)
    for content in spoilt:

        def flip(data):
            data[flips.randrange(len(data))] ^= 1 << flips.randrange(8)

        spoil(file_of(filled, content), flip)
    assert kinds(filled, 2) == []
    problems, counts = verify(filled, 3)
    assert {problem["hash"] for problem in problems} == set(spoilt)
    assert counts["problems"] == 30


def test_damaged_bytes_are_put_aside_and_healed_by_the_same_bytes(filled, project, contents):
    """A damaged file is kept in quarantine; its bytes are asked for, and once they came all is whole again."""
    path = file_of(filled, contents[0])
    spoil(path, lambda data: data.append(0))
    assert kinds(filled, 3) == ["size"]
    aside = Path(filled.server._context.blobs.address, "quarantine", path.name)
    assert aside.read_bytes().endswith(b"\0")
    assert not path.exists()
    assert kinds(filled, 2) == ["damaged"]
    assert filled.server.call("images.internal.hashes.list", contents) == contents[1:]
    with pytest.raises(ServerRefused, match="content of image 1"):
        filled.server.download("images.download", {"id": 1})
    assert filled.content(filled.picture((0, 0, 0))) == contents[0]
    assert kinds(filled, 3) == []
    assert b"".join(filled.server.download("images.download", {"id": 1})) == filled.picture((0, 0, 0))
    assert aside.exists()
    assert filled.call("autoflow.upkeep.collect")["counts"]["strays"] == 0
    assert aside.exists()


def test_a_quarantine_cut_short_is_made_up_for(filled, monkeypatch):
    """When a process ends between the mark and the move, the next look moves the file."""
    content = filled.file(data=b"weights")["hash"]
    path = file_of(filled, content)
    spoil(path, lambda data: data.clear())
    blob_store = filled.server._context.blobs
    monkeypatch.setattr(blob_store, "quarantine", lambda *_name: None)
    assert kinds(filled, 2) == ["size"]
    assert path.exists()
    monkeypatch.undo()
    assert kinds(filled, 2) == ["damaged"]
    assert not path.exists()


def test_what_cannot_be_read_now_is_left_alone(filled, monkeypatch):
    """An error of the disk is told of; the file may be whole, so that it is neither marked nor moved."""
    content = filled.file(data=b"weights")["hash"]
    path = file_of(filled, content)
    path.unlink()
    path.mkdir()  # reading a folder fails for the superuser, too
    with filled.server._context.store.write() as conn:
        conn.execute(update(blobs).values(size=os.stat(path).st_size))
    assert kinds(filled, 3) == ["unreadable"]
    path.rmdir()
    path.write_bytes(b"weights")
    with filled.server._context.store.write() as conn:
        conn.execute(update(blobs).values(size=7))
    assert kinds(filled, 3) == []


def test_bytes_that_nobody_knows_are_missing(filled, project, contents):
    """A hash that an image names and that has no blob is told of, too."""
    unknown = "A" * 43 + "="
    with filled.server._context.store.write() as conn:
        conn.execute(update(items).where(items.c.name == "a").values(hash=unknown, blob_id=None, valid_from=10))
    (problem,) = verify(filled, 2)[0]
    assert (problem["hash"], problem["problem"]) == (unknown, "missing")


def test_a_source_that_changed_is_found(filled, project, tmp_path):
    """An image by reference is looked at where it is: by its size, and byte by byte."""
    source = tmp_path / "a.png"
    source.write_bytes(filled.picture((9, 9, 9)))
    dataset = filled.dataset(project, "by reference")
    content = filled.content(filled.picture((9, 9, 9)))
    filled.call("images.bulk.add", datasetId=dataset, images=[{"title": "r", "hash": content}])
    with filled.server._context.store.write() as conn:
        conn.execute(update(items).where(items.c.name == "r").values(link=source.as_uri(), valid_from=10))
    assert kinds(filled, 3) == []
    spoil(source, lambda data: data.__setitem__(-1, data[-1] ^ 1))
    assert kinds(filled, 2) == []
    (problem,) = verify(filled, 3)[0]
    assert "has changed" in problem["problem"]
    source.unlink()
    assert "cannot be read" in verify(filled, 2)[0][0]["problem"]


def test_verifying_is_cut_into_calls(filled, project, monkeypatch):
    """Each call does some of it, and together they do all, once."""
    monkeypatch.setattr(resumable_job, "TIME_LIMIT", 0.0)
    monkeypatch.setattr(integrity_check, "ITEM_BATCH", 1)
    monkeypatch.setattr(integrity_check, "BLOB_BATCH", {2: 1, 3: 1})
    assert filled.call("autoflow.upkeep.verify", level=1)["done"] is False
    assert verify(filled, 1)[1]["versions"] == 2
    assert verify(filled, 3)[1]["blobs"] == 2


def test_collecting_forgets_damage_that_nobody_needs(filled, project, contents):
    """A damaged blob that nothing names goes with all others; its file stays in quarantine."""
    file_of(filled, contents[0]).unlink()
    verify(filled, 2)
    filled.call("projects.remove", id=project)
    for version in (1, 2):
        filled.call("autoflow.versions.delete", id=version)
    with filled.server._context.store.write() as conn:
        from autoflow.server.db.schema import blob_leases

        conn.execute(update(blob_leases).values(lease_until=""))
    assert filled.call("autoflow.upkeep.collect")["counts"]["blobs"] == 2
    assert kinds(filled, 2) == []
