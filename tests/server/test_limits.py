"""No body stops the server: hostile values, and more of valid ones than a client would send."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import event

from autoflow.errors import ServerRefused
from autoflow.server import limits
from autoflow.server.db import deadline, schema
from autoflow.server.db.access import LOCAL
from autoflow.server.server import DOWNLOADS, METHODS, UPLOADS
from tests.postgres import on_sqlite
from tests.server import hostile
from tests.server.world import World

JSON_METHODS = sorted(METHODS - UPLOADS.keys())


@pytest.fixture(scope="module")
def world(module_server, fill):
    return World(fill(module_server))


def ask(server, method, body):
    """Call a method; return the error, None when it succeeds."""
    try:
        if method in DOWNLOADS:
            for _chunk in server.download(method, body):
                break
        else:
            server.call(method, body)
    except ServerRefused as refusal:
        return refusal
    return None


def test_every_method_has_a_valid_body(world):
    """A method that is added without one fails here."""
    assert sorted(world.bodies()) == JSON_METHODS


@pytest.mark.parametrize("method", JSON_METHODS)
def test_odd_values_are_answered_or_refused(module_server, world, method):
    """Any value at any position of a body is answered, or refused with an error that names it; nothing is half done."""
    body = world.bodies()[method]
    # Each position gets some values, and all values are used.
    stride = 3 if module_server.database.startswith("sqlite") else 9
    for index, path in enumerate(hostile.members(body)):
        for name, value in list(hostile.VALUES.items())[index % stride :: stride]:
            before = module_server.call("autoflow.changes", {})
            refusal = ask(module_server, method, hostile.put(body, path, value))
            if refusal is None:
                continue
            assert 400 <= refusal.status < 500, (path, name)
            assert len(str(refusal)) < 3000, (path, name)
            if method != "autoflow.records.add":
                assert module_server.call("autoflow.changes", {}) == before, (path, name)


LISTS = [
    *(("images.bulk.add", "images"), ("images.bulk.remove", "imageIds"), ("images.update.links", "images")),
    *(("images.bulk.set-custom-sort", "images"), ("annotations.bulk.add", "annotations")),
    *(("annotations.bulk.copy", "srcImageIds"), ("figures.bulk.add", "figures"), ("figures.bulk.remove", "figureIds")),
    *(("figures.tags.bulk.add", "tags"), ("tags.entities.bulk.add", "tags"), ("tags.bulk.add", "tags")),
    *(("image-tags.bulk.add-to-image", "ids"), ("image-tags.bulk.remove-from-images", "ids"), ("jobs.add", "userIds")),
    *(
        ("autoflow.folders.shape", "datasets"),
        ("autoflow.folders.put", "images"),
        ("autoflow.folders.remove", "images"),
    ),
    *(("projects.remove.permanently", "projects"), ("datasets.remove.permanently", "datasets")),
    *(
        ("file-storage.bulk.remove", "paths"),
        ("images.internal.hashes.list", "items"),
        ("autoflow.records.add", "records"),
    ),
]


@pytest.fixture
def writing(server):
    """Another thread holds the write lock."""
    entered, leave = threading.Event(), threading.Event()

    def write():
        with server._store.write():
            entered.set()
            leave.wait(60)

    writer = threading.Thread(target=write)
    writer.start()
    assert entered.wait(60)
    yield
    leave.set()
    writer.join()


@on_sqlite
def test_a_list_that_is_too_long_never_waits_for_the_write_lock(server, writing):
    """It is refused with its limit while another writer holds the lock: the check comes before the lock."""
    for method, name in LISTS:
        with pytest.raises(ServerRefused, match="are the most") as refusal:
            server.call(method, {name: [{"id": 1}] * (limits.LIST_ENTRIES + 1)})
        assert refusal.value.status == 400, method
        assert refusal.value.details["limit"] <= limits.LIST_ENTRIES, method


@on_sqlite
@pytest.mark.parametrize("name", ["filter", "filters"])
def test_the_conditions_of_a_filter_are_limited(filled, name):
    """A database plans each condition; all values of a filter together are limited like one list."""
    dataset = filled.dataset(filled.project())
    condition = {"field": "id", "operator": "in", "value": list(range(limits.LIST_ENTRIES // 2 + 1))}
    for conditions in ([condition] * (limits.CONDITIONS + 1), [condition] * 2):
        with pytest.raises(ServerRefused, match="are the most"):
            filled.call("images.list", datasetId=dataset, **{name: conditions})


class Statements:
    """Counts the statements that a server's database is sent."""

    def __init__(self, server):
        self.count = 0
        event.listen(server._store._engine, "before_cursor_execute", self._add)

    def _add(self, *_arguments):
        self.count += 1

    def of(self, call, *args, **body):
        before = self.count
        call(*args, **body)
        return self.count - before


def batches(world, count):
    """Large batches by method that leave the data as it was."""
    image, images = world.images[0], [{"name": f"{number}", "hash": world.hash} for number in range(count)]
    made = [image["id"] for image in world.call("images.bulk.add", datasetId=world.dataset, images=images)]
    values = [f"v{number}" for number in range(count)]
    drawn = {"objects": [{"classTitle": "c", "points": {"exterior": [[1, 2]]}}]}
    figure = {"classId": world.klass, "geometryType": "point", "geometry": {"points": {}}}
    tag = next(tag["id"] for tag in world.call("projects.meta", id=world.project)["tags"] if tag["name"] == "s")
    yield "image-tags.bulk.add-to-image", {"ids": made, "tagId": world.tag}
    yield "image-tags.bulk.remove-from-images", {"ids": made * 2, "tagIds": [world.tag]}
    tags = [{"entityId": image, "tagId": tag, "value": value} for value in values]
    yield "tags.entities.bulk.add", {"projectId": world.project, "tags": tags}
    yield (
        "annotations.bulk.add",
        {
            "datasetId": world.dataset,
            "annotations": [{"imageId": number, "annotation": drawn} for number in made],
        },
    )
    yield "annotations.bulk.copy", {"srcImageIds": made[:1] * count, "destImageIds": made}
    yield (
        "figures.bulk.add",
        {"datasetId": world.dataset, "figures": [{**figure, "entityId": image_id} for image_id in made]},
    )
    figures = [{**figure, "entityId": image}] * count
    yield "figures.bulk.add", {"datasetId": world.dataset, "figures": figures}
    sorts = [{"id": number, "customSort": "s"} for number in made]
    yield "images.bulk.set-custom-sort", {"images": sorts}
    yield "images.update.links", {"images": [{"id": number, "link": "https://host/x"} for number in made]}
    yield "images.bulk.remove", {"imageIds": made * 2}
    shape = {"classes": [{"title": "c"}, *({"title": value} for value in values)]}
    yield "projects.meta.update", {"id": world.project, "meta": shape}
    yield "projects.meta.update", {"id": world.project, "meta": {"classes": [{"title": "c"}]}}


def test_a_batch_takes_few_statements(server, fill):
    """The write lock is held for statements of hundreds of rows each, not for one statement a row."""
    world, statements = World(fill(server)), Statements(server)
    count = 400
    for method, body in batches(world, count):
        assert statements.of(world.call, method, **body) < 60, method


def test_a_dataset_is_removed_in_few_statements(server, filled):
    """With all datasets in it, however often the request names them."""
    statements, project = Statements(server), filled.project()
    names = [["a"], *(["a", f"{number}"] for number in range(100))]
    numbers = filled.call("autoflow.folders.shape", projectId=project, meta={}, datasets=names)["datasets"]
    body = {"datasets": [{"id": number} for number in numbers * 2]}
    assert statements.of(filled.call, "datasets.remove.permanently", **body) < 60
    assert filled.call("datasets.list", projectId=project, recursive=True)["total"] == 0


def test_the_depth_of_datasets_is_limited(filled):
    """A deeper dataset is refused, whether created directly, by a folder, or by moving a dataset with others in it."""
    project = filled.project()
    deep = [str(depth) for depth in range(limits.DATASET_DEPTH)]
    last = filled.call("autoflow.folders.shape", projectId=project, meta={}, datasets=[deep])["datasets"][0]
    pair = filled.call("autoflow.folders.shape", projectId=project, meta={}, datasets=[["x"], ["x", "y"]])["datasets"]
    above = filled.call("datasets.info", id=last)["parentId"]
    for method, body in (
        ("datasets.add", {"projectId": project, "name": "more", "parentId": last}),
        ("autoflow.folders.shape", {"projectId": project, "meta": {}, "datasets": [[*deep, "more"]]}),
        ("datasets.move", {"srcId": pair[0], "destId": above}),
    ):
        with pytest.raises(ServerRefused) as refusal:
            filled.call(method, **body)
        assert refusal.value.status == 400
    filled.call("datasets.move", srcId=pair[1], destId=above)


def test_labelers_times_images_of_a_job_are_limited(filled, monkeypatch):
    """Each labeler's job stores all images: their product is limited."""
    monkeypatch.setattr(limits, "ENTITIES", 5)
    dataset = filled.dataset(filled.project())
    filled.image(dataset, "a.png")
    filled.image(dataset, "b.png")
    with pytest.raises(ServerRefused, match="fewer images"):
        filled.call("jobs.add", name="j", datasetId=dataset, userIds=[1] * 3)
    assert filled.call("jobs.list", teamId=1)["total"] == 0


@pytest.mark.parametrize("page", [2**53 - 1, 10**15])
def test_a_page_beyond_the_end_is_empty(world, page):
    """No offset is too large for the database's integers."""
    for method in ("images.list", "figures.list", "annotations.list"):
        body = {"datasetId": world.dataset, "page": page, "per_page": 20_000}
        assert world.call(method, **body)["entities"] == []


# -- time


def test_a_slow_write_is_rolled_back(server, monkeypatch):
    """The deadline is checked before each statement: the transaction is rolled back, and others can write."""
    filled = server.call("projects.add", {"workspaceId": 1, "name": "before"})
    monkeypatch.setattr(deadline, "WRITE_SECONDS", 0.1)

    def write():
        with server._store.for_caller(LOCAL).write() as conn:
            while True:
                conn.execute(schema.projects.update().values(name="after"))

    with pytest.raises(ServerRefused, match="ask for less") as refusal:
        write()
    assert refusal.value.status == 400
    assert server.call("projects.info", {"id": filled["id"]})["name"] == "before"


@on_sqlite
def test_a_slow_read_is_interrupted(server):
    """Even within one statement, which SQLite is told to interrupt."""
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(ServerRefused, match="ask for less"), server._store.for_caller(LOCAL).read(seconds=0.2) as conn:
        conn.exec_driver_sql(endless)
    with server._store.for_caller(LOCAL).read() as conn:  # the connection is as it was
        assert conn.exec_driver_sql("SELECT 1").scalar() == 1
