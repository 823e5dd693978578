"""Images and figures picked by what is on them, in pages that cost a page."""

from __future__ import annotations

import pytest

from autoflow.errors import ServerRefused
from autoflow.process.lru_cache import LruCache
from autoflow.server.db import items
from autoflow.server.methods.images import filters

META = {
    "classes": [{"title": "lemon", "shape": "rectangle"}, {"title": "peel", "shape": "polygon"}],
    "tags": [
        {"name": "split", "value_type": "any_string"},
        {"name": "weight", "value_type": "any_number"},
        {"name": "blurry", "value_type": "none"},
    ],
}


class World:
    """Six images: of lemons, peels, both and neither, some tagged."""

    def __init__(self, filled):
        self.call = filled.call
        self.project = filled.project()
        meta = filled.call("projects.meta.update", id=self.project, meta=META)
        self.numbers = {entry.get("title", entry.get("name")): entry["id"] for entry in meta["classes"] + meta["tags"]}
        self.dataset = filled.dataset(self.project)
        self.images = {
            name: filled.image(self.dataset, f"{name}.png")["id"] for name in ("a", "b", "c", "d", "50%_", "x")
        }
        blurry = {"tags": [{"name": "blurry"}]}
        self._draw("a", [("lemon", {})], split="train", weight=1.5)
        self._draw("b", [("lemon", blurry), ("lemon", {}), ("peel", {})], split="val", weight=30)
        self._draw("c", [("peel", blurry)], split='"tagId":1,')
        self._draw("d", [], weight=7)

    def _draw(self, name, objects, **tags):
        annotation = {
            "objects": [{"classTitle": title, "geometryType": "any", **more} for title, more in objects],
            "tags": [{"name": tag, "value": value} for tag, value in tags.items()],
        }
        annotations = [{"imageId": self.images[name], "annotation": annotation}]
        self.call("annotations.bulk.add", datasetId=self.dataset, annotations=annotations)

    def list(self, *conditions, **more):
        filters = [{"type": kind, "data": data} for kind, data in conditions]
        return self.call("images.list", **{"datasetId": self.dataset, "filters": filters, **more})

    def picked(self, *conditions, **more):
        return "".join(image["name"].removesuffix(".png") + " " for image in self.list(*conditions, **more)["entities"])


@pytest.fixture(scope="module")
def world(module_server, fill):
    """A world that tests only read."""
    return World(fill(module_server))


@pytest.fixture
def own_world(filled):
    """A world that a test may change."""
    return World(filled)


@pytest.mark.parametrize(
    ("kind", "data", "images"),
    [
        ("images_filename", {"value": "B.P"}, "b "),
        ("images_filename", {"value": "0%_"}, "50%_ "),
        ("images_filename", {}, "a b c d 50%_ x "),
        ("images_tag", {"tagId": "split"}, "a b c "),
        ("images_tag", {"tagId": "split", "include": False}, "d 50%_ x "),
        ("images_tag", {"tagId": "split", "value": "val"}, "b "),
        ("images_tag", {"tagId": "split", "value": "va"}, ""),
        ("images_tag", {"tagId": "split", "value": "val", "include": False}, "a c d 50%_ x "),
        ("images_tag", {"tagId": "weight", "value": {"from": "1", "to": 7}}, "a d "),
        ("images_tag", {"tagId": "weight", "value": {"from": 7.5}}, "b "),
        ("images_tag", {"tagId": None}, "a b c d "),
        ("images_tag", {"tagId": 1}, ""),
        ("objects_class", {"classId": None}, "a b c "),
        ("objects_class", {"classId": None, "from": 2, "to": 9999}, "b "),
        ("objects_class", {"classId": None, "include": False}, "d 50%_ x "),
        ("objects_class", {"classId": "peel"}, "b c "),
        ("objects_class", {"classId": "lemon", "from": 2}, "b "),
        ("objects_class", {"classId": "peel", "include": False}, "a d 50%_ x "),
        ("objects_tag", {"tagId": "blurry"}, "b c "),
        ("objects_tag", {"tagId": "blurry", "tagClassId": "lemon"}, "b "),
        ("objects_tag", {"tagId": "blurry", "include": False}, "a b "),
        ("objects_annotator", {}, "a b c "),
        ("tagged_by_annotator", {"from": 2, "to": 2}, "a b "),
        ("issues_count", {"from": 1, "to": 9}, ""),
        ("issues_count", {"from": 0, "to": 9}, "a b c d 50%_ x "),
    ],
)
def test_images_are_picked(world, kind, data, images):
    """Each kind of filter picks the images that meet it, those without any annotation included."""
    known = {name: world.numbers.get(value, value) if isinstance(value, str) else value for name, value in data.items()}
    if "value" in data:
        known["value"] = data["value"]
    assert world.picked((kind, known)) == images


def test_filters_hold_together_with_the_others(world):
    """Several filters, filters by columns, orders, pages by number and by token: all at once."""
    peel = ("objects_class", {"classId": world.numbers["peel"]})
    assert world.picked(peel, ("images_tag", {"tagId": world.numbers["weight"]})) == "b "
    where = [{"field": "name", "operator": ">", "value": "b.png"}]
    assert world.picked(peel, filter=where) == "c "
    assert world.picked(peel, sort="name", sort_order="desc") == "c b "
    first = world.list(peel, per_page=1)
    assert (first["total"], first["pagesCount"], [entry["name"] for entry in first["entities"]]) == (2, 2, ["b.png"])
    assert world.picked(peel, per_page=1, page=2) == "c "
    assert world.picked(peel, per_page=1, page=9) == ""
    by_token = world.list(peel, per_page=1, pagination_mode="token", sort="name", sort_order="desc")
    assert by_token["after"] == world.images["b"]
    last = world.list(peel, per_page=1, after=by_token["after"])
    assert ([entry["id"] for entry in last["entities"]], last["after"]) == ([world.images["c"]], None)
    assert world.picked(peel, datasetId=None, projectId=world.project) == "b c "


def test_images_of_a_job_are_picked(world):
    """Those a job is about, or the others; a job that is unknown is refused."""
    meta = {"entityIds": [world.images["b"], world.images["x"]]}
    job = world.call("jobs.add", name="j", datasetId=world.dataset, userIds=[1], meta=meta)[0]["id"]
    assert world.picked(("job", {"jobId": job})) == "b x "
    assert world.picked(("job", {"jobId": job, "include": False})) == "a c d 50%_ "
    with pytest.raises(ServerRefused) as refusal:
        world.picked(("job", {"jobId": 99}))
    assert refusal.value.status == 404


def test_images_are_sorted_as_one_likes(own_world):
    """A member of their meta orders images, those without it first; a list by token stays by number."""
    images = [{"id": own_world.images[name], "customSort": order} for name, order in (("a", "2"), ("b", "1"))]
    own_world.call("images.bulk.set-custom-sort", images=images)
    assert own_world.picked(sort="customSort") == "c d 50%_ x b a "
    assert own_world.picked(sort="customSort", sort_order="desc").startswith("a b ")
    assert own_world.picked(sort="customSort", pagination_mode="token") == "a b c d 50%_ x "


def test_figures_are_picked(world):
    """A list of figures has those that its filters count, of the images that they pick."""

    def figures(*conditions):
        filters = [{"type": kind, "data": data} for kind, data in conditions]
        response = world.call("figures.list", datasetId=world.dataset, filters=filters)
        assert response["total"] == len(response["entities"])
        names = {number: name for name, number in world.numbers.items()}
        images = {number: name for name, number in world.images.items()}
        return [images[entry["entityId"]] + " " + names[entry["classId"]] for entry in response["entities"]]

    lemon, peel = ("objects_class", {"classId": world.numbers["lemon"]}), world.numbers["peel"]
    assert figures(lemon) == ["a lemon", "b lemon", "b lemon"]
    assert figures(("objects_class", {"classId": world.numbers["lemon"], "from": 2})) == ["b lemon", "b lemon"]
    assert figures(("objects_tag", {"tagId": world.numbers["blurry"]})) == ["b lemon", "c peel"]
    assert figures(lemon, ("objects_tag", {"tagId": world.numbers["blurry"]})) == ["b lemon"]
    assert figures(("images_filename", {"value": "c"}), ("objects_class", {"classId": peel})) == ["c peel"]


@pytest.mark.parametrize(
    ("status", "wrong"),
    [
        (400, [{"type": "secret", "data": {}}]),
        (400, [{"data": {}}]),
        (400, [1]),
        (400, [{"type": "images_tag", "data": []}]),
        (400, [{"type": "images_tag", "data": {"tagId": "x"}}]),
        (400, [{"type": "images_tag", "data": {"value": {"from": "x"}}}]),
        (400, [{"type": "images_tag", "data": {"value": {"to": []}}}]),
        (400, [{"type": "objects_class", "data": {"from": "x"}}]),
        (400, [{"type": "objects_annotator", "data": {"userId": 1}}]),
        (404, [{"type": "entities_collection", "data": {"collectionId": 1}}]),
    ],
)
def test_a_wrong_filter_is_refused(world, status, wrong):
    """What a filter cannot be is refused by name, for images and figures alike."""
    for method in ("images.list", "figures.list"):
        with pytest.raises(ServerRefused) as refusal:
            world.call(method, datasetId=world.dataset, filters=wrong)
        assert refusal.value.status == status


def test_annotations_are_looked_up_once_for_all_pages(own_world, monkeypatch):
    """Until the project changes, a further page reads no annotation; after a change it is right again."""
    read, requested = items.read_encoded_documents, []

    def reading(rows, hashes):
        requested.extend(hashes)
        return read(rows, hashes)

    monkeypatch.setattr(items, "read_encoded_documents", reading)
    peel = ("objects_class", {"classId": own_world.numbers["peel"]})
    assert own_world.picked(peel, per_page=1) == "b "
    assert requested
    requested.clear()
    assert own_world.picked(peel, per_page=1, page=2) == "c "
    assert requested == []
    own_world.call("images.bulk.remove", imageIds=[own_world.images["b"]])
    assert own_world.picked(peel, per_page=1) == "c "


def test_the_cache_of_scans_is_bounded(world, monkeypatch):
    """Only the last scans are cached."""
    monkeypatch.setattr(filters, "_scans", LruCache(2))
    for most in range(3, 9):
        world.picked(("objects_class", {"classId": world.numbers["peel"], "to": most}))
    assert len(filters._scans) == 2
