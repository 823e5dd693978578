"""Every reader survives any stored document: odd values are refused when they are written, or harmless."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autoflow.errors import ServerRefused
from autoflow.server.db import json_codec, schema
from autoflow.server.server import DOWNLOADS, READS
from tests.server import hostile
from tests.server.world import World

NAMES = (
    *(
        "id",
        "name",
        "title",
        "classes",
        "tags",
        "objects",
        "points",
        "exterior",
        "interior",
        "bitmap",
        "data",
        "origin",
    ),
    *("geometryType", "value", "values", "classId", "tagId", "restored_from", "version_id", "phase", "customSort"),
    *("command", "parameters", "environment", "packages", "commit", "sources", "reproduces", "entityIds", "range"),
    *(
        "autoflowReviews",
        "projectTags",
        "imageTags",
        "url",
        "icon",
        "color",
        "relationSettings",
        "customRelationSettings",
    ),
    *(
        "customNodeSettings",
        "mainLink",
        "description",
        "node",
        "output",
        "error",
        "size",
        "settings",
        "geometry_config",
    ),
)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 2**53, 2**70, 10**400, 1.5, 1e308, "", "x", "7", "#fff", "/x", "a\0b", "\ud800"]),
    st.floats(),
    st.text(max_size=5),
)
JSON = st.recursive(
    ODD,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=12,
)


ODDEST = ("deep", "deep object", "odd object", "odd objects", "numbers", "lists", "nan", "beyond 64 bits", "surrogate")


def writers(world, value):
    """Yield requests that store a value, one for each kind of document."""
    image, project, dataset = world.images[0], world.project, world.dataset
    drawn = {"classId": world.klass, "geometryType": "polygon"}
    entry = {**value, "title": "c", "name": "c"} if isinstance(value, dict) else {"title": "c", "classes": value}
    label = (
        {**drawn, **value, "classId": world.klass, "tags": []}
        if isinstance(value, dict)
        else {**drawn, "points": value}
    )
    edge = {"node": {"type": "task", "id": world.task}, "type": "file", "id": world.file}
    record = {"key": f"k{id(value)}", "run": "world"}
    facts = value if isinstance(value, dict) else {"command": value, "parameters": value}
    yield "projects.editInfo", {"id": project, "customData": value}
    yield "projects.settings.update", {"id": project, "settings": value}
    yield "datasets.editInfo", {"id": dataset, "customData": value}
    yield "images.editInfo", {"id": image, "meta": value}
    yield "jobs.editInfo", {"id": world.job, "customData": value}
    meta = {**value, "entityIds": [image]} if isinstance(value, dict) else {"autoflowReviews": value, "classes": value}
    yield "jobs.add", {"name": "odd", "datasetId": dataset, "userIds": [1], "meta": meta}
    yield (
        "annotations.bulk.add",
        {"datasetId": dataset, "annotations": [{"imageId": image, "annotation": {"x": value}}]},
    )
    yield (
        "annotations.bulk.add",
        {"datasetId": dataset, "annotations": [{"imageId": image, "annotation": {"objects": [label]}}]},
    )
    yield "annotations.bulk.add", {"datasetId": dataset, "annotations": [{"imageId": image, "annotation": value}]}
    yield "figures.bulk.add", {"entityId": image, "figures": [{**drawn, "geometry": value, "customData": value}]}
    for tags in ({"name": "t", "classes": value}, {"name": "t", "values": value}, {**entry, "name": "t"}):
        classes = [{"id": world.klass, **entry, "title": "c"}]
        yield "projects.meta.update", {"id": project, "meta": {"classes": classes, "tags": [tags]}}
    yield "advanced.tags.editInfo", {"id": world.tag, "settings": {"values": value, "classes": value}}
    yield "workflow.node.add-output", {**edge, "meta": value}
    yield "workflow.node.add-output", {**edge, "meta": {"customRelationSettings": value, "customNodeSettings": value}}
    yield "autoflow.records.add", {"records": [{**record, "type": "facts", "facts": facts}]}
    yield "autoflow.records.add", {"records": [{**record, "key": f"{record['key']}n", "type": "node", "node": value}]}
    yield "autoflow.records.add", {"records": [{**record, "key": f"{record['key']}r", "type": "run", **facts}]}
    yield "tasks.output.set", {"taskId": world.task, "output": value}


def read_all(server, world):
    """Call every method that reads with valid bodies."""
    jobs = [entity["id"] for entity in server.call("jobs.list", {"teamId": 1})["entities"]]
    bodies = [(method, body) for method, body in world.bodies().items() if method in READS or method in DOWNLOADS]
    bodies += [
        (method, {"id": number}) for number in jobs for method in ("jobs.info", "jobs.stats", "autoflow.overview.job")
    ]
    bodies += [(method, world.bodies()[method]) for method in ("autoflow.versions.snapshot", "autoflow.upkeep.verify")]
    bodies.append(
        (
            "images.list",
            {
                "datasetId": world.dataset,
                "sort": "customSort",
                "filters": [
                    {"type": "objects_class", "data": {"classId": world.klass}},
                    {"type": "objects_tag", "data": {}},
                ],
            },
        )
    )
    for form in ("text", "json", "mermaid", "dot", "svg", "html"):
        bodies.append(("autoflow.scene.export", {"project": world.project, "form": form}))
    for method, body in bodies:
        with contextlib.suppress(ServerRefused):
            if method in DOWNLOADS:
                b"".join(server.download(method, body))
            else:
                server.call(method, body)


def store(server, world, value):
    for method, body in writers(world, value):
        with contextlib.suppress(ServerRefused):
            server.call(method, body)


@pytest.fixture(scope="module")
def world(module_server, fill):
    return World(fill(module_server))


@pytest.mark.parametrize("name", ODDEST)
def test_a_known_odd_value_is_refused_or_read(module_server, world, name):
    """The values that once broke a reader, and similar ones."""
    store(module_server, world, hostile.VALUES[name])
    read_all(module_server, world)


@given(value=JSON)
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_value_is_refused_or_read(module_server, world, value):
    """Random documents with the names that readers look up."""
    store(module_server, world, value)
    read_all(module_server, world)


def test_documents_of_an_older_server_are_read(server, fill):
    """Malformed classes of a tag and malformed reviews were stored before they were refused."""
    world = World(fill(server))
    odd = {"classes": [{"id": 1, "title": "c"}], "tags": [{"id": 2, "name": "t", "classes": 5}]}
    with server._store.write() as conn:
        conn.execute(schema.project_meta.update().values(document=json_codec.dump(odd), valid_from=2))
    read_all(server, world)
    for reviews in ({"1": []}, 5, None):
        with server._store.write() as conn:
            meta = json_codec.dump({"entityIds": world.images, "autoflowReviews": reviews})
            conn.execute(schema.jobs.update().values(meta=meta))
        assert world.call("jobs.info", id=world.job)["finishedImagesCount"] == 0
        assert world.call("jobs.stats", id=world.job)["job"]["finishedImagesCount"] == 0


def test_a_new_job_has_no_reviews(server, fill):
    """Reviews in the meta of a new job are ignored."""
    world = World(fill(server))
    meta = {"entityIds": world.images, "autoflowReviews": {str(world.images[0]): "accepted"}}
    made = world.call("jobs.add", name="j", datasetId=world.dataset, userIds=[1], meta=meta)[0]
    assert made["acceptedImagesCount"] == 0
