"""Versions: one small transaction, none if nothing changed, and a running digest that equals the computed one."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from autoflow.api.class_counts import class_counts as class_counts_of
from autoflow.errors import ServerRefused
from autoflow.server.db.schema import items, projects
from autoflow.server.methods.versions import class_counts
from tests.api.conftest import RecordingTransport
from tests.server.digests import compute_digest


def state(filled, project):
    with filled.server._context.store.read() as conn:
        row = conn.execute(select(projects).where(projects.c.id == project)).mappings().one()
        return dict(row), compute_digest(conn, project)


def test_an_unchanged_project_returns_its_last_version(filled):
    """After a change a new version is created."""
    project = filled.project()
    first = filled.snapshot(project, title="one")
    assert first == {"id": first["id"], "version": 1, "created": True}
    assert filled.snapshot(project) == {**first, "created": False}
    filled.dataset(project)
    assert filled.snapshot(project)["version"] == 2
    assert filled.call("projects.info", id=project)["version"]["version"] == 2


def test_a_reverted_change_is_no_change(filled):
    """Content decides: a tag that is added and removed makes no version."""
    project = filled.project()
    image = filled.image(filled.dataset(project))["id"]
    meta = {"classes": [], "tags": [{"name": "good", "value_type": "none"}]}
    tag = filled.call("projects.meta.update", id=project, meta=meta)["tags"][0]["id"]
    first = filled.snapshot(project)
    filled.call("image-tags.bulk.add-to-image", ids=[image], tagId=tag)
    changed = state(filled, project)[0]["change_seq"]
    filled.call("image-tags.bulk.remove-from-images", ids=[image], tagIds=[tag])
    assert state(filled, project)[0]["change_seq"] == changed + 1
    assert filled.snapshot(project) == {**first, "created": False}


def test_other_fields_are_not_content(filled):
    """Name and custom data of the project are not part of a version; silent edits keep its update time."""
    project = filled.project()
    first = filled.snapshot(project)
    before = filled.call("projects.info", id=project)["updatedAt"]
    edited = filled.call("projects.editInfo", id=project, customData={"a": 1}, silent=True)
    assert (edited["customData"], edited["updatedAt"]) == ({"a": 1}, before)
    filled.call("projects.editInfo", id=project, name="limes", description="d", readme="r")
    assert filled.snapshot(project) == {**first, "created": False}


def test_projects_of_every_type_have_versions(filled):
    """A version covers what is stored of a project, whatever its type; an unknown project has none."""
    project = filled.project(type="videos")
    filled.dataset(project)
    assert filled.snapshot(project)["version"] == 1
    with pytest.raises(ServerRefused, match="project 999") as refusal:
        filled.snapshot(999)
    assert refusal.value.status == 404


def test_versions_are_listed_with_all_keys(filled):
    """`projects.versions.list` has the 13 keys that the SDK reads, and can be filtered by number."""
    project = filled.project()
    first = filled.snapshot(project, title="one", description="d")["id"]
    filled.dataset(project)
    filled.snapshot(project, title="two")
    answer = filled.call("projects.versions.list", projectId=project)
    keys = (
        "id projectId createdBy teamFileId version description status createdAt updatedAt projectUpdatedAt teamId name "
    )
    assert set(answer["entities"][0]) == {*(keys + "previewProjectId").split(), "itemsCount", "size"}
    assert [version["name"] for version in answer["entities"]] == ["one", "two"]
    condition = [{"field": "version", "operator": "=", "value": "1"}]
    listed = filled.call("projects.versions.list", projectId=project, filter=condition)["entities"]
    assert [version["id"] for version in listed] == [first]
    assert filled.call("projects.versions.info", id=first)["description"] == "d"


def test_the_cost_of_a_version_is_constant(filled):
    """Creating a version takes as many statements for many items as for none, and reads no item."""
    store = filled.server._context.store
    counts = []

    def statements():
        statements = []
        listener = lambda *args: statements.append(args[2])  # noqa: E731
        event.listen(store._engine, "before_cursor_execute", listener)
        filled.snapshot(project)
        event.remove(store._engine, "before_cursor_execute", listener)
        counts.append(len(statements))
        assert not [statement for statement in statements if "items" in statement.replace("items_count", "")]

    project = filled.project()
    filled.snapshot(project)
    dataset = filled.dataset(project)
    statements()
    content = filled.content(filled.picture())
    images = [{"title": f"{number}.png", "hash": content} for number in range(60)]
    filled.call("images.bulk.add", datasetId=dataset, images=images)
    statements()
    assert counts[0] == counts[1]


def test_rows_have_the_epoch_they_are_valid_from(filled):
    """A row written after a version was created has a later epoch; an unchanged row keeps its own."""
    project = filled.project()
    dataset = filled.dataset(project)
    filled.image(dataset, "a.png")
    filled.snapshot(project)
    filled.image(dataset, "b.png")
    with filled.server._context.store.read() as conn:
        assert dict(conn.execute(select(items.c.name, items.c.valid_from)).all()) == {"a.png": 1, "b.png": 2}
    row, _digest = state(filled, project)
    assert (row["epoch"], row["last_version_epoch"]) == (2, 1)


def test_a_failed_change_keeps_sequence_and_digest(filled):
    """An operation that is refused half-way changes nothing."""
    project = filled.project()
    dataset = filled.dataset(project)
    before = state(filled, project)
    content = filled.content(filled.picture())
    images = [{"title": "a.png", "hash": content}, {"title": "b.png", "hash": "nonsense"}]
    with pytest.raises(ServerRefused):
        filled.call("images.bulk.add", datasetId=dataset, images=images)
    assert state(filled, project) == before
    assert filled.call("images.list", datasetId=dataset)["total"] == 0


ACTIONS = ["dataset", "image", "remove", "tag", "untag", "annotate", "meta", "version"]
NAMES = itertools.count()
steps = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 3)), max_size=12)


def perform(filled, project, dataset, action, choice):
    images = [row["id"] for row in filled.call("images.list", projectId=project)["entities"]]
    meta = filled.call("projects.meta", id=project)
    if action == "dataset":
        filled.dataset(project, f"d{choice}")
    elif action == "image":
        filled.image(dataset, f"{choice}.png", meta={"n": choice})
    elif action == "meta":
        classes = [{"title": f"c{number}", "shape": "rectangle", "color": "#ffffff"} for number in range(choice + 1)]
        filled.call("projects.meta.update", id=project, meta={"classes": classes, "tags": meta["tags"]})
    elif action == "version":
        filled.snapshot(project)
    elif images and action == "remove":
        filled.call("images.bulk.remove", imageIds=images[: choice + 1])
    elif images and action == "tag":
        filled.call("image-tags.bulk.add-to-image", ids=images, tagId=meta["tags"][0]["id"], value=str(choice))
    elif images and action == "untag":
        filled.call("image-tags.bulk.remove-from-images", ids=images, tagIds=[meta["tags"][0]["id"]])
    elif images and action == "annotate":
        objects = [{"classId": meta["classes"][0]["id"], "geometryType": "any"}] * choice
        annotations = [{"imageId": images[0], "annotation": {"objects": objects}}]
        filled.call("annotations.bulk.add", datasetId=dataset, annotations=annotations)


@settings(max_examples=40)
@given(steps=steps)
def test_the_running_digest_is_the_digest_of_the_rows(module_server, fill, steps):
    """After any sequence of operations, the running digest and counts equal those computed from all rows."""
    filled = fill(module_server)
    project = filled.project(f"p{next(NAMES)}")
    tags = [{"name": "t", "value_type": "any_string"}]
    filled.call("projects.meta.update", id=project, meta={"classes": [{"title": "c0"}], "tags": tags})
    dataset = filled.dataset(project)
    for action, choice in steps:
        with contextlib.suppress(ServerRefused):
            perform(filled, project, dataset, action, choice)
    row, digest = state(filled, project)
    assert row["digest"] == digest
    assert row["items_count"] == filled.call("images.list", projectId=project)["total"]


def test_classes_of_two_versions_are_counted(filled, monkeypatch):
    """Batches add up to the labels and images of each class, also of one that only one of the two states has."""
    monkeypatch.setattr(class_counts, "BATCH_ITEMS", 1)
    project = filled.project()
    dataset = filled.dataset(project)
    classes = [{"title": "lemon", "shape": "any"}, {"title": "leaf", "shape": "any"}]
    filled.call("projects.meta.update", id=project, meta={"classes": classes, "tags": []})
    images = [filled.image(dataset, f"{n}.png")["id"] for n in range(3)]

    def label(image, *titles):
        points = {"points": {"exterior": [[1, 1]], "interior": []}}
        objects = [{"classTitle": title, "geometryType": "point", **points} for title in titles]
        annotations = [{"imageId": image, "annotation": {"objects": objects}}]
        filled.call("annotations.bulk.add", datasetId=dataset, annotations=annotations)

    label(images[0], "lemon", "lemon", "leaf")
    label(images[1], "lemon")
    first = filled.snapshot(project)["id"]
    label(images[0], "lemon")
    label(images[2], "lemon", "lemon")
    meta = filled.call("projects.meta", id=project)
    remaining = [entry for entry in meta["classes"] if entry["title"] == "lemon"]
    added = {"title": "twig", "shape": "any", "color": "#010203"}
    filled.call("projects.meta.update", id=project, meta={"classes": [*remaining, added], "tags": []})
    transport = RecordingTransport(filled.server)
    counted = class_counts_of(transport, first)
    assert len(transport.requested) == 4
    assert [(entry["title"], entry["before"], entry["after"]) for entry in counted] == [
        ("lemon", {"objects": 3, "images": 2}, {"objects": 4, "images": 3}),
        ("twig", None, {"objects": 0, "images": 0}),
        ("leaf", {"objects": 1, "images": 1}, None),
    ]
    back = class_counts_of(transport, first, filled.snapshot(project)["id"])
    assert back == counted
