"""Projects and datasets are moved, cloned and removed with everything in them."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from autoflow.errors import ServerRefused
from autoflow.server.db import hidden_projects
from autoflow.server.db.schema import projects
from autoflow.server.methods.projects import clones
from tests.server.digests import compute_digest

META = {"classes": [{"title": "c", "shape": "any"}], "tags": [{"name": "t", "value_type": "none"}]}


class World:
    """A project with a dataset in a dataset, an image in each, labeled and tagged."""

    def __init__(self, filled):
        self.call = filled.call
        self.filled = filled
        self.project = filled.project(description="d", readme="r", settings={"s": 1}, customData={"k": 1})
        meta = filled.call("projects.meta.update", id=self.project, meta=META)
        self.outer = filled.dataset(self.project, "outer", customData={"q": 1})
        self.inner = filled.dataset(self.project, "inner", parentId=self.outer)
        self.images = [filled.image(dataset)["id"] for dataset in (self.outer, self.inner)]
        for dataset, image in zip((self.outer, self.inner), self.images, strict=True):
            annotation = {"objects": [{"classTitle": "c", "geometryType": "any"}]}
            annotations = [{"imageId": image, "annotation": annotation}]
            self.call("annotations.bulk.add", datasetId=dataset, annotations=annotations)
        self.call("image-tags.bulk.add-to-image", ids=self.images, tagId=meta["tags"][0]["id"])

    def tree(self, project):
        datasets = self.call("datasets.list", projectId=project, recursive=True)["entities"]
        names = {entity["id"]: entity["name"] for entity in datasets}
        return sorted((entity["name"], names.get(entity["parentId"]), entity["itemsCount"]) for entity in datasets)

    def check(self, project):
        """Assert that the stored digest and count are those of the rows."""
        with self.filled.server._store.read() as conn:
            row = conn.execute(projects.select().where(projects.c.id == project)).mappings().one()
            assert row["digest"] == compute_digest(conn, project)
        assert row["items_count"] == sum(count for _, _, count in self.tree(project))


@pytest.fixture
def world(filled):
    return World(filled)


def refused(status, call, *args, **body):
    with pytest.raises(ServerRefused) as refusal:
        call(*args, **body)
    assert refusal.value.status == status


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("datasets.archive", lambda number: {"id": number}),
        ("datasets.remove", lambda number: {"id": number}),
        ("datasets.remove.permanently", lambda number: {"datasets": [{"id": number}]}),
    ],
)
def test_a_dataset_is_removed_with_its_content(world, method, body):
    """Its datasets and images are removed too, their names are free again, and a version keeps its content."""
    world.filled.snapshot(world.project)
    assert world.call(method, **body(world.outer)) == {"success": True}
    assert world.tree(world.project) == []
    for method, number in (("datasets.info", world.inner), ("images.info", world.images[1])):
        refused(404, world.call, method, id=number)
    world.check(world.project)
    world.filled.dataset(world.project, "outer")


def test_a_dataset_is_moved_with_its_content(world):
    """Into another dataset of its project; not into itself, nor where its name is in use."""
    other = world.filled.dataset(world.project, "other")
    assert world.call("datasets.move", srcId=world.inner, destId=other) == {"success": True}
    assert world.tree(world.project) == [("inner", "other", 1), ("other", None, 0), ("outer", None, 1)]
    world.check(world.project)
    refused(400, world.call, "datasets.move", srcId=other, destId=world.inner)
    refused(400, world.call, "datasets.move", srcId=other, destId=other)
    world.filled.dataset(world.project, "inner", parentId=world.outer)
    refused(409, world.call, "datasets.move", srcId=world.inner, destId=world.outer)
    elsewhere = world.filled.dataset(world.filled.project("elsewhere"))
    refused(400, world.call, "datasets.move", srcId=other, destId=elsewhere)


def test_a_project_is_moved_within_its_team(world):
    """It is listed in the other workspace, unchanged; a workspace that has its name refuses it."""
    workspace = world.call("workspaces.add", teamId=1, name="W2")["id"]
    before = world.call("projects.info", id=world.project)
    assert world.call("projects.workspace.set", id=world.project, workspaceId=workspace) == {"success": True}
    assert world.call("projects.info", id=world.project) == {**before, "workspaceId": workspace}
    world.filled.project()
    refused(409, world.call, "projects.workspace.set", id=world.project, workspaceId=1)
    refused(404, world.call, "projects.workspace.set", id=world.project, workspaceId=99)


def test_a_project_is_cloned(world):
    """The clone has a copy of everything in the project; the task that the SDK waits for is finished."""
    response = world.call("projects.clone", id=world.project, workspaceId=1, name="clone")
    assert world.call("tasks.info", id=response["taskId"])["status"] == "finished"
    clone = world.call("projects.list", filter=[{"field": "name", "value": "clone"}])["entities"][0]
    source = world.call("projects.info", id=world.project)
    alike = ("description", "readme", "settings", "customData", "itemsCount", "datasetsCount", "size", "type")
    assert [clone[key] for key in alike] == [source[key] for key in alike]
    assert world.tree(clone["id"]) == world.tree(world.project)
    assert world.call("projects.meta", id=clone["id"]) == world.call("projects.meta", id=world.project)
    images = world.call("images.list", projectId=clone["id"])["entities"]
    numbers = [tag["id"] for image in images for tag in image["tags"]]
    assert len(set(numbers)) == 2
    assert not set(numbers) & {
        tag["id"] for number in world.images for tag in world.call("images.info", id=number)["tags"]
    }
    read = world.call("annotations.bulk.info", imageIds=[image["id"] for image in images])
    assert [figure["classTitle"] for annotation in read for figure in annotation["annotation"]["objects"]] == ["c", "c"]
    world.check(clone["id"])
    refused(409, world.call, "projects.clone", id=world.project, workspaceId=1, name="clone")


@pytest.mark.parametrize(
    ("left_out", "has"),
    [
        (["annotationObjects", "imagesTags"], (2, 0, 0)),
        (["imagesTags"], (2, 2, 0)),
        (["images"], (0, 0, 0)),
        (["datasets", "images", "classes"], (0, 0, 0)),
    ],
)
def test_a_project_is_cloned_in_part(world, left_out, has):
    """The clone lacks the parts that were excluded and has the others."""
    include = dict.fromkeys(left_out, False)
    number = world.call("projects.clone", id=world.project, workspaceId=1, name="part", include=include)["projectId"]
    images = world.call("images.list", projectId=number)["entities"]
    labels, tags = sum(image["labelsCount"] for image in images), sum(len(image["tags"]) for image in images)
    assert (len(images), labels, tags) == has
    assert bool(world.tree(number)) is ("datasets" not in left_out)
    assert bool(world.call("projects.meta", id=number)["classes"]) is ("classes" not in left_out)
    world.check(number)


def test_several_projects_are_removed_or_none(world):
    """One request removes all of its projects or none."""
    other = world.filled.project("other")
    refused(404, world.call, "projects.remove.permanently", projects=[{"id": other}, {"id": 99}])
    assert world.call("projects.info", id=other)
    world.call("projects.remove.permanently", projects=[{"id": other}, {"id": world.project}])
    assert world.call("projects.list.all")["total"] == 0
    assert world.call("datasets.list.all")["total"] == 0


def test_an_image_is_copied_by_its_id(world):
    """The copy has the same bytes or link, with its own name and dataset."""
    (made,) = world.call(
        "images.bulk.add",
        datasetId=world.inner,
        images=[{"title": "copy.png", "imageId": world.images[0], "meta": {"k": 1}}],
    )
    source = world.call("images.info", id=world.images[0])
    assert [made[key] for key in ("hash", "size", "width", "mime")] == [
        source[key] for key in ("hash", "size", "width", "mime")
    ]
    assert (made["meta"], made["tags"], made["labelsCount"]) == ({"k": 1}, [], 0)
    world.call("images.update.links", images=[{"id": made["id"], "link": "https://x.example/a.png"}])
    info = world.call("images.info", id=made["id"])
    assert (info["link"], info["hash"], info["fullStorageUrl"]) == ("https://x.example/a.png", None, info["link"])
    refused(404, world.call, "images.bulk.add", datasetId=world.inner, images=[{"title": "x", "imageId": 99}])


def test_the_stats_of_a_project(world):
    """Images and objects of each class and with each tag, by dataset."""
    stats = world.call("projects.stats", id=world.project)
    assert stats["images"]["total"] == {"imagesInDataset": 2, "imagesMarked": 2, "imagesNotMarked": 0}
    assert stats["objects"]["total"] == {"objectsInDataset": 2}
    assert stats["datasets"]["total"] == {"datasetsCount": 2, "imagesCount": 2}
    assert [(item["name"], item["imagesCount"]) for item in stats["datasets"]["items"]] == [("outer", 1), ("inner", 1)]
    (counted,) = stats["images"]["objectClasses"]
    assert (counted["objectClass"]["name"], counted["total"]) == ("c", 2)
    assert [(dataset["name"], dataset["count"]) for dataset in counted["datasets"]] == [("outer", 1), ("inner", 1)]
    assert [(item["tagMeta"]["name"], item["total"]) for item in stats["imageTags"]["items"]] == [("t", 2)]
    assert [item["total"] for item in stats["objectTags"]["items"]] == [0]


def test_a_clone_is_hidden_until_it_is_complete(world, monkeypatch):
    """It is written in many transactions, between others' writes; a failed clone leaves nothing and frees its name."""
    totals = []

    def between(_seconds):
        totals.append(world.call("projects.list.all")["total"])
        world.filled.project(f"other {len(totals)}")
        if len(totals) > 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(clones, "CHUNK", 1)
    monkeypatch.setattr(clones, "time", SimpleNamespace(sleep=between))
    with pytest.raises(KeyboardInterrupt):
        world.call("projects.clone", id=world.project, workspaceId=1, name="clone")
    assert totals == [1, 2, 3, 4]
    monkeypatch.undo()
    assert world.call("projects.list.all", filter=[{"field": "name", "value": "clone"}])["total"] == 0
    number = world.call("projects.clone", id=world.project, workspaceId=1, name="clone")["projectId"]
    assert world.tree(number) == world.tree(world.project)
    world.check(number)


def test_an_abandoned_clone_is_removed(world, monkeypatch):
    """When its lease has expired, its name is free, and the next garbage collection removes its rows."""
    monkeypatch.setattr(hidden_projects, "LEASE", -1)
    monkeypatch.setattr(hidden_projects, "abandon", lambda rows, number: None)
    monkeypatch.setattr(clones._Copy, "_items", lambda *args, **more: world.call("images.info", id=0))
    refused(404, world.call, "projects.clone", id=world.project, workspaceId=1, name="clone")
    monkeypatch.undo()
    number = world.call("projects.clone", id=world.project, workspaceId=1, name="clone")["projectId"]
    assert world.tree(number) == world.tree(world.project)
    with world.filled.server._store.read() as conn:
        assert conn.execute(projects.select().where(projects.c.state != "active")).all() == []


def test_a_clone_is_a_snapshot_of_its_source(world, monkeypatch):
    """Images added to the source during the copying are not in the clone."""
    monkeypatch.setattr(
        clones, "time", SimpleNamespace(sleep=lambda _seconds: world.filled.image(world.outer, next(names)))
    )
    before, names = world.tree(world.project), (f"{number}.png" for number in itertools.count())
    number = world.call("projects.clone", id=world.project, workspaceId=1, name="clone")["projectId"]
    monkeypatch.undo()
    assert world.tree(number) == before
    assert world.tree(world.project) != before
    refused(404, world.call, "autoflow.versions.restore", restoring=number)


CLONING = """
import sys
from autoflow.server.server import Server
from autoflow.server.methods.projects import clones
clones.CHUNK, clones.GAP = 1, 0.2
folder, database, number = sys.argv[1:]
server = Server.open(folder, database or None)
server.call("projects.clone", {"id": int(number), "workspaceId": 1, "name": "clone"})
"""


def test_a_clone_of_a_killed_process_stays_hidden(world, tmp_path, database):
    """A real process is killed while it copies: after its lease the name is free, and nothing remains."""
    for number in range(50):
        world.filled.image(world.outer, f"{number}.png")
    arguments = [sys.executable, "-c", CLONING, str(tmp_path / "home"), database or "", str(world.project)]
    child = subprocess.Popen(arguments)
    begun = projects.select().where(projects.c.state == hidden_projects.STATE, projects.c.items_count > 1)
    try:
        wait_for(lambda: rows_of(world, begun))
    finally:
        child.kill()
        child.wait()
    assert world.call("projects.list.all")["total"] == 1
    assert world.call("images.list", projectId=world.project)["total"] == 52
    refused(409, world.call, "projects.clone", id=world.project, workspaceId=1, name="clone")
    with world.filled.server._store.write() as conn:
        conn.execute(projects.update().where(projects.c.state == hidden_projects.STATE).values(lease_until="2020"))
    clone = world.call("projects.clone", id=world.project, workspaceId=1, name="clone")["projectId"]
    assert world.tree(clone) == world.tree(world.project)
    world.check(clone)
    assert rows_of(world, projects.select().where(projects.c.state != "active")) == []


def rows_of(world, query):
    with world.filled.server._store.read() as conn:
        return conn.execute(query).all()


def wait_for(condition):
    until = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)
