"""Versions as the SDK makes them: one at a time, bound to their archive, with a map that is written here."""

from __future__ import annotations

import itertools
import json

import pytest

from autoflow.errors import ServerRefused
from autoflow.server.db.schema import projects
from autoflow.server.db.schema import versions as table
from autoflow.server.maintenance import purge
from autoflow.server.versions import reservations

ARCHIVE = "20261123111512.tar.zst"


class Versions:
    """A project, and what the SDK does to version it."""

    def __init__(self, filled):
        self.filled = filled
        self.project = filled.project()
        self.folder = f"/system/versions/{self.project}"
        self._names = itertools.count(1)

    def change(self):
        self.filled.dataset(self.project, f"ds{next(self._names)}")

    def reserve(self):
        return self.filled.call("projects.versions.reserve", projectId=self.project)

    def archive(self, data=b"archive", name=ARCHIVE):
        return self.filled.file(f"{self.folder}/{name}", data)

    def commit(self, reserved, file, **more):
        body = {"id": reserved["id"], "commitToken": reserved["commitToken"], "teamFileId": file["id"], **more}
        return self.filled.call("projects.versions.commit", projectUpdatedAt="2026-01-01T00:00:00.000Z", **body)

    def cancel(self, reserved, token=None):
        body = {"id": reserved["id"], "commitToken": token or reserved["commitToken"]}
        return self.filled.call("projects.versions.cancel-reservation", **body)

    def save(self, data=b"archive"):
        reserved, file = self.reserve(), self.archive(data)
        assert self.commit(reserved, file) == {"success": True}
        return reserved["id"], file

    def list(self):
        return self.filled.call("projects.versions.list", projectId=self.project)["entities"]

    def map(self):
        body = {"teamId": 1, "path": f"{self.folder}/versions.json"}
        return json.loads(b"".join(self.filled.server.download("file-storage.download", body)))


@pytest.fixture
def saved(filled):
    return Versions(filled)


def refused(status, call, *args, **more):
    with pytest.raises(ServerRefused) as refusal:
        call(*args, **more)
    assert refusal.value.status == status
    return refusal.value


def test_a_version_is_seen_when_it_is_committed(saved):
    """A reservation is no version; committed, it is one with all that the SDK reads, once however often it is told."""
    reserved = saved.reserve()
    assert saved.list() == []
    assert saved.filled.call("projects.info", id=saved.project)["version"] is None
    file = saved.archive()
    for _ in range(2):
        assert saved.commit(reserved, file, title="one", description="why") == {"success": True}
    (response,) = saved.list()
    assert (response["id"], response["version"], response["teamFileId"], response["name"]) == (
        reserved["id"],
        1,
        file["id"],
        "one",
    )
    assert set(response) == {
        *("id", "projectId", "createdBy", "teamFileId", "version", "description", "status", "createdAt"),
        *("updatedAt", "projectUpdatedAt", "teamId", "name", "previewProjectId", "itemsCount", "size"),
    }
    refused(409, saved.commit, reserved, saved.archive(b"another"))


def test_an_unchanged_project_has_its_version(saved):
    """Reserving without a change is refused with the version there is, as the SDK wants it."""
    number, _ = saved.save()
    refusal = refused(400, saved.reserve)
    assert refusal.details == {"useExistingVersion": True, "version": {"id": number, "version": 1}}


def test_one_reservation_at_a_time(saved, monkeypatch):
    """A second client is told to wait until the first commits, cancels, or its lease is over."""
    first = saved.reserve()
    assert "is already committing" in str(refused(400, saved.reserve))
    assert saved.cancel(first) == saved.cancel(first) == {"success": True}
    second = saved.reserve()
    monkeypatch.setattr(reservations, "LEASE", -1)
    saved.archive()  # begins the lease anew: it is over at once
    third = saved.reserve()
    refused(404, saved.commit, second, saved.archive())
    assert saved.commit(third, saved.archive()) == {"success": True}
    assert [entry["id"] for entry in saved.list()] == [third["id"]]


def test_a_lease_that_is_over_is_still_held_while_nobody_else_asks(saved, monkeypatch):
    """A slow client commits after its lease."""
    monkeypatch.setattr(reservations, "LEASE", -1)
    assert saved.save()[0] == saved.list()[0]["id"]


def test_what_is_versioned_is_the_state_when_it_was_reserved(saved):
    """A change while the archive goes up makes another version, not none."""
    reserved = saved.reserve()
    saved.change()
    saved.commit(reserved, saved.archive())
    assert saved.reserve()["id"] != reserved["id"]


def test_snapshots_beside_a_reservation_keep_numbers_apart(saved):
    """A version of autoflow's own while the SDK makes one has a number of its own; the later state has the later."""
    reserved = saved.reserve()
    saved.change()
    made = saved.filled.snapshot(saved.project)
    saved.commit(reserved, saved.archive())
    assert [(entry["version"], entry["id"]) for entry in saved.list()] == [(1, reserved["id"]), (2, made["id"])]
    assert refused(400, saved.reserve).details["version"]["id"] == made["id"]


def test_tokens_and_files_are_checked(saved):
    """A wrong token, file or version commits and cancels nothing."""
    reserved, file = saved.reserve(), saved.archive()
    refused(400, saved.commit, {**reserved, "commitToken": "x"}, file)
    refused(400, saved.cancel, reserved, token="x")
    refused(404, saved.commit, reserved, {"id": 999})
    refused(404, saved.commit, {**reserved, "id": 999}, file)
    assert saved.list() == []
    saved.commit(reserved, file)
    refused(409, saved.cancel, reserved)
    assert len(saved.list()) == 1


def test_archives_of_one_path_do_not_meet(saved):
    """An archive that finds its path taken gets another; each version's path leads to its own bytes."""
    saved.save(b"first")
    saved.change()
    saved.save(b"second")
    known = saved.map()
    paths = [known[str(entry["id"])]["path"] for entry in saved.list()]
    assert paths == [f"{saved.folder}/{ARCHIVE}", f"{saved.folder}/20261123111512.2.tar.zst"]
    read = [
        b"".join(saved.filled.server.download("file-storage.download", {"teamId": 1, "path": path})) for path in paths
    ]
    assert read == [b"first", b"second"]


def test_the_map_is_written_from_the_versions(saved):
    """The map has every version in order, is a JSON file to the SDK, and cannot be replaced."""
    path = f"{saved.folder}/versions.json"
    assert saved.filled.call("file-storage.list", teamId=1, path=path) == []
    first, _ = saved.save()
    saved.change()
    made = saved.filled.snapshot(saved.project)
    response = saved.filled.file(path, b'{"latest": 999}')
    known = saved.map()
    assert known["latest"] == made["id"]
    assert [known[str(number)]["number"] for number in (first, made["id"])] == [1, 2]
    assert [known[str(number)]["previous"] for number in (first, made["id"])] == [None, first]
    assert known[str(made["id"])]["path"] is None
    (listed,) = saved.filled.call("file-storage.list", teamId=1, path=path)
    assert listed == response
    assert listed["meta"] == {
        "mime": "application/json",
        "ext": "json",
        "size": len(json.dumps(known, separators=(",", ":"))),
    }
    by_id = saved.filled.server.download("autoflow.versions.map", {"id": saved.project})
    assert json.loads(b"".join(by_id)) == known


def test_a_map_of_no_project_is_a_file(saved):
    """Where no project's versions are, a file of that name is one like any other."""
    saved.filled.file("/system/versions/999/versions.json", b"{}")
    response = saved.filled.call("file-storage.list", teamId=1, path="/system/versions/999/versions.json")
    assert response[0]["meta"]["size"] == 2


def test_an_archive_that_a_version_needs_stays(saved):
    """Neither it nor a folder around it can be removed, nor anything else with it."""
    _, file = saved.save()
    other = saved.filled.file("/system/other.txt")
    for path in (file["path"], "/system/", "/system", saved.folder + "/"):
        refused(409, saved.filled.call, "file-storage.remove", teamId=1, path=path)
    refused(409, saved.filled.call, "file-storage.bulk.remove", teamId=1, paths=[other["path"], file["path"]])
    assert saved.filled.call("file-storage.list", teamId=1, path=other["path"])
    saved.filled.call("file-storage.remove", teamId=1, path=other["path"])


def test_a_version_is_named_anew_and_shown_by_a_project(saved):
    """Name, description and preview of a committed version change; of what is none they do not."""
    number, _ = saved.save()
    preview = saved.filled.project("preview")
    update = "projects.versions.update"
    saved.filled.call(update, id=number, name="two", description="d", previewProjectId=preview)
    (response,) = saved.list()
    assert (response["name"], response["description"], response["previewProjectId"]) == ("two", "d", preview)
    assert saved.map()[str(number)]["preview"] == preview
    refused(404, saved.filled.call, update, id=number, previewProjectId=999)
    saved.change()
    refused(404, saved.filled.call, update, id=saved.reserve()["id"], name="x")


def committed(saved):
    return [entry["version"] for entry in saved.list()]


def test_a_client_that_dies_leaves_a_version_or_nothing(saved):
    """Stopped after any step of the protocol: until the commit there is nothing, after it the version."""
    steps = [saved.reserve, saved.archive]
    for upto in range(len(steps) + 1):
        for step in steps[:upto]:
            step()
        assert committed(saved) == []
        if upto:
            refused(400, saved.reserve)
        expire(saved)
    saved.save()
    assert len(committed(saved)) == 1


def expire(saved):
    """The lease of whoever reserved is over, and what it began is collected."""
    store = saved.filled.server._context.store
    with store.write() as conn:
        conn.execute(table.update().where(table.c.status == "reserved").values(lease_until="2000"))
    with store.write() as conn:
        purge.release_expired(conn, 100)


def test_a_reservation_given_up_keeps_nothing(saved):
    """What only a cancelled or expired reservation saw leaves no history; the version after it is the next one."""
    store = saved.filled.server._context.store
    saved.change()
    saved.cancel(saved.reserve())
    saved.reserve()
    expire(saved)
    with store.read() as conn:
        assert conn.execute(projects.select()).mappings().one()["last_version_epoch"] == 0
    saved.save()
    assert committed(saved) == [1]


def test_a_reserved_version_is_not_deleted_nor_restored(saved):
    """It is its client's until it is committed."""
    reserved = saved.reserve()
    assert "reserv" in str(refused(400, saved.filled.call, "autoflow.versions.delete", id=reserved["id"]))
    refused(404, saved.filled.call, "autoflow.versions.restore", id=reserved["id"])
    saved.commit(reserved, saved.archive())
    saved.filled.call("autoflow.versions.delete", id=reserved["id"])


def test_a_deleted_version_lets_its_archive_go(saved):
    """Its number is not given again, its file can be removed, and the map has it no more."""
    number, file = saved.save()
    saved.filled.call("autoflow.versions.delete", id=number)
    assert saved.list() == []
    assert saved.map() == {}
    saved.filled.call("file-storage.remove", teamId=1, path=file["path"])
    refused(404, saved.filled.call, "autoflow.versions.delete", id=number)
    assert saved.save()[0] != number
    assert committed(saved) == [2]
