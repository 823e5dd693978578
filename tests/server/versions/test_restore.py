"""A version as a new project: all of it or nothing that anybody sees, whatever happens on the way."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, update

from autoflow.errors import ServerRefused
from autoflow.server.db.schema import blobs, datasets, items, projects, versions
from autoflow.server.maintenance import purge
from autoflow.server.methods.versions import restore
from autoflow.server.versions import restore as restoring
from tests.server.digests import compute_digest

COUNT = 7


class Source:
    """A project with a version, and the steps of restoring it."""

    def __init__(self, filled):
        self.filled = filled
        self.store = filled.server._context.store
        self.project = filled.project("lemons", readme="r", settings={"a": 1}, customData={"b": 2})
        dataset = filled.dataset(self.project)
        self.contents = [filled.content(filled.picture((shade, 0, 0))) for shade in range(COUNT)]
        images = [{"title": f"{number}.png", "hash": self.contents[number]} for number in range(COUNT)]
        filled.call("images.bulk.add", datasetId=dataset, images=images)
        self.version = filled.snapshot(self.project)["id"]

    def begin(self, **more):
        with self.store.write() as conn:
            version = conn.execute(select(versions).where(versions.c.id == self.version)).mappings().one()
            return restoring.begin(conn, version, **more)

    def restore(self, **more):
        return self.filled.call("autoflow.versions.restore", **{"id": self.version, **more})

    def names(self, project):
        return [entry["name"] for entry in self.filled.call("images.list", projectId=project)["entities"]]

    def projects(self):
        return [entry["id"] for entry in self.filled.call("projects.list", workspaceId=1)["entities"]]

    def break_content(self, number):
        with self.store.write() as conn:
            conn.execute(update(blobs).where(blobs.c.hash == self.contents[number]).values(state="damaged"))

    def collect(self):
        cursor, first = None, True
        while first or cursor is not None:
            with self.store.write() as conn:
                _, cursor = purge.purge(conn, 3, cursor)
            first = False

    def count(self, table, project):
        with self.store.read() as conn:
            query = select(func.count()).select_from(table).where(table.c.project_id == project)
            return conn.execute(query).scalar()


@pytest.fixture
def source(filled):
    return Source(filled)


@pytest.fixture
def slow(monkeypatch):
    """One batch of few items a call."""
    monkeypatch.setattr(restore, "TIME_LIMIT", 0)
    for name in ("SMALLEST_BATCH", "FIRST_BATCH", "LARGEST_BATCH"):
        monkeypatch.setattr(restoring, name, 2)


def refused(call, *args, **more):
    with pytest.raises(ServerRefused) as refusal:
        call(*args, **more)
    return refusal.value


def test_a_version_becomes_a_project(source):
    """It is named as the SDK names it, tells where it is from, and has what the project has beside its version."""
    made = source.restore()
    assert (made["done"], made["copied"], made["total"], made["missed"]["count"]) == (True, COUNT, COUNT, 0)
    response = source.filled.call("projects.info", id=made["id"])
    assert (response["name"], response["imagesCount"], response["readme"], response["settings"]) == (
        "lemons, from ver. 1",
        COUNT,
        "r",
        {"a": 1},
    )
    origin = {"project_id": source.project, "version_num": 1, "version_id": source.version}
    assert response["customData"] == {"b": 2, "restored_from": origin}
    assert source.names(made["id"]) == source.names(source.project)
    assert source.restore()["name"] == "lemons, from ver. 1_001"
    assert source.restore(name="limes", description="d")["name"] == "limes"
    assert source.filled.call("projects.info", id=source.restore(id=None, projectId=source.project, number=1)["id"])


def test_a_restored_project_has_the_versions_digest(source):
    """Restored again from its own version it is the same still, and one edit is told from it."""
    made = source.restore()["id"]
    again = source.filled.snapshot(made)["id"]
    third = source.restore(id=again)["id"]
    with source.store.read() as conn:
        digests = set(conn.execute(select(projects.c.digest)).scalars())
        assert len(digests) == 1
    source.filled.dataset(third, "more")
    with source.store.read() as conn:
        assert conn.execute(select(projects.c.digest).where(projects.c.id == third)).scalar() not in digests


def test_items_come_where_they_were(filled):
    """Each into what its own dataset has become, one that was removed since too."""
    project = filled.project("lemons")
    numbers = {name: filled.dataset(project, name) for name in ("first", "second", "third")}
    content = filled.content(filled.picture((1, 2, 3)))
    for name, number in numbers.items():
        images = [{"title": f"{name} {each}", "hash": content} for each in range(3)]
        filled.call("images.bulk.add", datasetId=number, images=images)
    version = filled.snapshot(project)["id"]
    filled.call("datasets.remove", id=numbers["second"])
    made = filled.call("autoflow.versions.restore", id=version)["id"]
    dataset_names = {entry["id"]: entry["name"] for entry in filled.call("datasets.list", projectId=made)["entities"]}
    images = filled.call("images.list", projectId=made)["entities"]
    assert sorted(dataset_names.values()) == ["first", "second", "third"]
    assert [entry["name"] for entry in images] == [f"{name} {each}" for name in numbers for each in range(3)]
    assert all(entry["name"].startswith(dataset_names[entry["datasetId"]]) for entry in images)


def test_tags_on_items_come_along_under_numbers_of_their_own(filled):
    """Two tags of an image are restored in order, with their values, quotes included, as tags of the copy's own."""
    project = filled.project("tagged")
    meta = {"classes": [], "tags": [{"name": "t", "value_type": "any_string"}]}
    tag = filled.call("projects.meta.update", id=project, meta=meta)["tags"][0]["id"]
    image = filled.image(filled.dataset(project))["id"]
    values = ['say "id":7', "{}"]
    for value in values:
        filled.call("image-tags.bulk.add-to-image", ids=[image], tagId=tag, value=value)
    made = filled.call("autoflow.versions.restore", id=filled.snapshot(project)["id"])["id"]
    response = [filled.call("images.list", projectId=number)["entities"][0]["tags"] for number in (project, made)]
    assert [[entry["value"] for entry in tags] for tags in response] == [values, values]
    assert not {entry["id"] for entry in response[0]} & {entry["id"] for entry in response[1]}


def test_progress_is_told_and_nothing_is_seen_before_the_end(source, slow):
    """Each call does some; until the last the project is in no list, by no number, and cannot be changed."""
    response = source.restore()
    progress = [response["copied"]]
    while not response["done"]:
        assert source.projects() == [source.project]
        assert refused(source.filled.call, "projects.info", id=response["id"]).status == 404
        assert refused(source.filled.call, "images.list", projectId=response["id"]).status == 404
        assert refused(source.filled.dataset, response["id"], "x").status == 404
        assert refused(source.filled.snapshot, response["id"]).status == 404
        response = source.filled.call("autoflow.versions.restore", restoring=response["id"])
        progress.append(response["copied"])
    assert progress == sorted(progress)
    assert len(set(progress)) > 3
    assert source.filled.call("autoflow.versions.restore", restoring=response["id"])["done"]
    assert refused(source.filled.call, "autoflow.versions.restore", restoring=source.project).status == 404


def test_a_client_that_goes_away_leaves_nothing(source, slow):
    """Whatever was copied until the lease is over is removed, the project's own row with it; the version stays."""
    number = source.begin()
    for _ in range(5):
        restoring.step(source.store, number)
    assert source.count(items, number) > 0
    source.collect()
    assert source.count(items, number) > 0
    with source.store.write() as conn:
        conn.execute(update(projects).where(projects.c.id == number).values(lease_until="2000"))
    source.collect()
    assert (source.count(items, number), source.count(datasets, number)) == (0, 0)
    with source.store.read() as conn:
        assert conn.execute(select(projects.c.id)).scalars().all() == [source.project]
    assert refused(restoring.step, source.store, number).status == 404
    response = source.restore()
    while not response["done"]:
        response = source.filled.call("autoflow.versions.restore", restoring=response["id"])
    assert source.names(response["id"]) == source.names(source.project)


def test_missing_content_is_named_and_leaves_nothing(source):
    """Without leave to skip it the restore fails before anything is copied, with the count and the first name."""
    for number in (2, 4):
        source.break_content(number)
    refusal = refused(source.restore)
    assert refusal.status == 400
    assert "2 items" in str(refusal)
    assert "'2.png'" in str(refusal)
    source.collect()
    assert source.projects() == [source.project]
    response = source.restore(skipMissed=True)
    assert (response["copied"], response["total"], response["missed"]) == (
        COUNT - 2,
        COUNT - 2,
        {"count": 2, "names": ["2.png", "4.png"]},
    )
    with source.store.read() as conn:
        row = conn.execute(select(projects).where(projects.c.id == response["id"])).mappings().one()
        assert row["digest"] == compute_digest(conn, response["id"])
        assert (
            row["size"] == conn.execute(select(func.sum(items.c.size)).where(items.c.project_id == row["id"])).scalar()
        )


def test_a_version_deleted_while_it_is_restored_ends_the_restore(source, slow):
    """The restore says so and leaves nothing; the name is free at once."""
    number = source.begin()
    for _ in range(4):
        restoring.step(source.store, number)
    source.filled.call("autoflow.versions.delete", id=source.version)
    assert "deleted" in str(refused(restoring.step, source.store, number))
    source.collect()
    assert (source.count(items, number), source.projects()) == (0, [source.project])
    assert refused(source.restore).status == 404


def test_two_callers_of_one_restore_copy_nothing_twice(source, slow):
    """A call that finds that another has gone on does nothing."""
    number = source.begin()
    progress = restoring.step(source.store, number)
    reading, stale = source.store.read, []

    class Late:
        """A caller that is overtaken between what it reads and what it writes."""

        read = staticmethod(reading)

        @staticmethod
        def write(**scope):
            if not stale:
                stale.append(restoring.step(source.store, number))
            return source.store.write(**scope)

    while not progress.done:
        stale.clear()
        restoring.step(Late, number)
        progress = restoring.step(source.store, number)
    assert source.names(number) == source.names(source.project)


def test_a_removed_projects_version_is_restored(source):
    """The project may be gone and collected: what its version sees is there."""
    source.filled.call("projects.remove", id=source.project)
    source.collect()
    assert source.restore()["copied"] == COUNT


def test_a_removed_project_without_versions_leaves_no_rows(source):
    """Its items and datasets go; its own row stays, for what names it."""
    source.filled.call("autoflow.versions.delete", id=source.version)
    source.filled.call("projects.remove", id=source.project)
    source.collect()
    assert (source.count(items, source.project), source.count(datasets, source.project)) == (0, 0)
    with source.store.read() as conn:
        assert conn.execute(select(projects.c.state)).scalar() == "removed"


def test_a_version_whose_rows_were_not_kept_is_refused(source):
    """One made before there was history, of a project that changed since, says so; nothing is begun."""
    with source.store.write() as conn:
        conn.execute(update(versions).values(items_count=-1))
    assert "older autoflow" in str(refused(source.restore))
    assert source.filled.call("projects.versions.info", id=source.version)["itemsCount"] is None
    assert source.filled.snapshot(source.project)["created"]


def test_a_damaged_version_is_not_restored(source):
    """Rows that are missing are noticed at the end, and nothing is left."""
    with source.store.write() as conn:
        conn.execute(update(versions).values(items_count=COUNT + 1))
    assert "damaged" in str(refused(source.restore))
    source.collect()
    assert source.projects() == [source.project]
