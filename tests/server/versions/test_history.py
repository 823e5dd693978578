"""History: a row that a version sees is kept as it was when it changes, and no other row leaves anything."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import ProgrammingError

from autoflow.errors import ServerError
from autoflow.server.db.schema import datasets, datasets_history, items, items_history, projects
from autoflow.server.maintenance import purge
from autoflow.server.versions.snapshot import HISTORY

META = {"classes": [{"title": "c0", "shape": "rectangle"}], "tags": [{"name": "t", "value_type": "none"}]}


@pytest.fixture
def store(filled):
    return filled.server._context.store


def history_rows(store, table):
    """What is in a table's history: each row's key with the epochs that see it."""
    history = HISTORY[table]
    key = "project_id" if "id" not in history.c else "id"
    with store.read() as conn:
        return sorted(
            tuple(row) for row in conn.execute(select(history.c[key], history.c.valid_from, history.c.valid_to))
        )


def test_a_row_no_version_sees_leaves_nothing(filled, store):
    """However often items, datasets, classes and tags change before there is a version, history is empty."""
    project = filled.project()
    dataset = filled.dataset(project)
    image = filled.image(dataset)["id"]
    filled.call("projects.meta.update", id=project, meta=META)
    for name in ("b.png", "c.png"):
        filled.call("images.editInfo", id=image, name=name)
        filled.call("datasets.editInfo", id=dataset, name=name)
    filled.call("projects.meta.update", id=project, meta={"classes": [], "tags": []})
    filled.call("images.bulk.remove", imageIds=[image])
    assert [history_rows(store, table) for table in HISTORY] == [[], [], []]


def test_a_row_that_a_version_sees_is_kept_once(filled, store):
    """It goes to history with the epochs that see it at its first change, and not again at the next."""
    project = filled.project()
    dataset = filled.dataset(project)
    image = filled.image(dataset)["id"]
    filled.call("projects.meta.update", id=project, meta=META)
    filled.snapshot(project)
    for name in ("b.png", "c.png"):
        filled.call("images.editInfo", id=image, name=name)
        filled.call("datasets.editInfo", id=dataset, name=name)
        filled.call("projects.meta.update", id=project, meta={"classes": [{"title": name}], "tags": []})
    assert [history_rows(store, table) for table in HISTORY] == [[(dataset, 1, 2)], [(image, 1, 2)], [(project, 1, 2)]]
    filled.snapshot(project)
    filled.call("images.bulk.remove", imageIds=[image])
    assert history_rows(store, items) == [(image, 1, 2), (image, 2, 3)]
    with store.read() as conn:
        assert conn.execute(select(items_history.c.name).order_by(items_history.c.valid_from)).scalars().all() == [
            "a.png",
            "c.png",
        ]
        assert conn.execute(select(datasets_history.c.name)).scalars().all() == ["ds"]


def test_whoever_writes_is_met(filled, store):
    """SQL that knows nothing of versions leaves history too, and is refused when it would change what they see."""
    project = filled.project()
    image = filled.image(filled.dataset(project))["id"]
    filled.snapshot(project)
    refusals = (ServerError, ProgrammingError)  # each database has its own way
    with pytest.raises(refusals, match="without setting valid_from to the current epoch"), store.write() as conn:
        conn.execute(update(items).where(items.c.id == image).values(name="x"))
    with store.write() as conn:
        conn.execute(update(items).where(items.c.id == image).values(name="x", valid_from=2))
        conn.execute(delete(items).where(items.c.id == image))
    assert history_rows(store, items) == [(image, 1, 2)]


def test_a_deleted_version_is_seen_by_no_row(filled, store):
    """After the last version is deleted, what only it saw leaves nothing; what an older one sees is kept for it."""
    project = filled.project()
    dataset = filled.dataset(project)
    old = filled.image(dataset, "a.png")["id"]
    filled.snapshot(project)
    new = filled.image(dataset, "b.png")["id"]
    second = filled.snapshot(project)["id"]
    filled.call("autoflow.versions.delete", id=second)
    with store.read() as conn:
        assert conn.execute(select(projects.c.last_version_epoch, projects.c.epoch)).one() == (1, 3)
    filled.call("images.bulk.remove", imageIds=[old, new])
    assert history_rows(store, items) == [(old, 1, 3)]


def test_triggers_are_of_their_own_project(filled, store):
    """A version of one project keeps nothing of another."""
    first, second = filled.project("a"), filled.project("b")
    filled.dataset(first)
    other = filled.dataset(second)
    filled.snapshot(first)
    filled.call("datasets.editInfo", id=other, name="x")
    assert history_rows(store, datasets) == []


def test_a_new_row_is_never_refused(filled, store):
    """Adding has no trigger, whatever epoch is said."""
    project = filled.project()
    filled.snapshot(project)
    with store.write() as conn:
        values = {
            "project_id": project,
            "name": "d",
            "created_by": 1,
            "created_at": "",
            "updated_at": "",
            "valid_from": 2,
        }
        conn.execute(insert(datasets).values(**values))
    assert history_rows(store, datasets) == []


@pytest.fixture
def renamed(filled):
    """An image of three versions, by its name in each: their ids, and a way to rename it on."""
    project = filled.project()
    image = filled.image(filled.dataset(project), "1.png")["id"]
    made = [filled.snapshot(project)["id"]]
    for number in (2, 3):
        filled.call("images.editInfo", id=image, name=f"{number}.png")
        made.append(filled.snapshot(project)["id"])
    return made, lambda name: filled.call("images.editInfo", id=image, name=name)


def first_names(filled, versions):
    return [filled.call("autoflow.versions.items", id=number)["items"][0]["name"] for number in versions]


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_version_taken_out_of_three_leaves_the_others(filled, store, renamed, gone):
    """Whichever is deleted, what the other two see stays through changes and purges, and nothing else does."""
    versions, rename = renamed
    filled.call("autoflow.versions.delete", id=versions[gone])
    rename("4.png")
    left = [number for number in (0, 1, 2) if number != gone]
    for _ in range(2):
        with store.write() as conn:
            cursor = None
            while (cursor := purge.purge(conn, 100, cursor).cursor) is not None:
                pass
        assert first_names(filled, [versions[number] for number in left]) == [f"{number + 1}.png" for number in left]
        assert [valid_from for _, valid_from, _ in history_rows(store, items)] == [number + 1 for number in left]
        rename("5.png")
