"""Classes and tags one by one, and what becomes of objects and tags whose class or kind is gone."""

from __future__ import annotations

import pytest

from autoflow.errors import ServerRefused

META = {
    "classes": [{"title": "lemon", "shape": "rectangle"}, {"title": "peel", "shape": "polygon"}],
    "tags": [{"name": "split", "value_type": "any_string"}, {"name": "blurry", "value_type": "none"}],
}


class World:
    """A project with an image that has an object of each class, and tags on both levels."""

    def __init__(self, filled):
        self.call = filled.call
        self.project = filled.project()
        meta = filled.call("projects.meta.update", id=self.project, meta=META)
        self.lemon, self.peel = (entry["id"] for entry in meta["classes"])
        self.split, self.blurry = (entry["id"] for entry in meta["tags"])
        self.dataset = filled.dataset(self.project)
        self.image = filled.image(self.dataset)["id"]
        objects = [
            {"classTitle": title, "geometryType": "any", "tags": [{"name": "blurry"}, {"name": "split", "value": "x"}]}
            for title in ("lemon", "peel")
        ]
        annotation = {"objects": objects, "tags": [{"name": "split", "value": "x"}, {"name": "blurry"}]}
        annotations = [{"imageId": self.image, "annotation": annotation}]
        self.call("annotations.bulk.add", datasetId=self.dataset, annotations=annotations)

    def classes(self, **more):
        return self.call("advanced.object_classes.list", projectId=self.project, **more)["entities"]

    def tags(self):
        return {tag["name"]: tag for tag in self.call("tags.list", projectId=self.project)["entities"]}

    def annotation(self):
        return self.call("annotations.info", imageId=self.image)["annotation"]


@pytest.fixture
def world(filled):
    return World(filled)


def refused(status, call, *args, **body):
    with pytest.raises(ServerRefused) as refusal:
        call(*args, **body)
    assert refusal.value.status == status


def test_they_are_listed_as_the_sdk_reads_them(world):
    """Lists have the keys the SDK takes, and are filtered, sorted and paged like any other."""
    keys = {"id", "name", "description", "shape", "color", "settings", "createdAt", "updatedAt"}
    assert all(keys <= set(entry) for entry in world.classes())
    assert {"id", "projectId", "name", "settings", "color", "createdAt", "updatedAt"} <= set(world.tags()["split"])
    assert world.tags()["split"]["settings"]["type"] == "any_string"
    where = [{"field": "shape", "operator": "!=", "value": "polygon"}]
    assert [entry["name"] for entry in world.classes(filter=where)] == ["lemon"]
    assert [entry["name"] for entry in world.classes(sort="name", sort_order="desc")] == ["peel", "lemon"]
    assert [entry["name"] for entry in world.classes(per_page=1, page=2)] == ["peel"]
    assert [entry["name"] for entry in world.classes(pagination_mode="token", after=world.lemon)] == ["peel"]
    within = [{"field": "id", "operator": "in", "value": [world.peel]}]
    assert [entry["name"] for entry in world.classes(filter=within)] == ["peel"]
    for wrong in (
        {"filter": [{"field": "secret", "value": 1}]},
        {"filter": [{"field": "name", "operator": "~", "value": 1}]},
        {"filter": [{"field": "name", "operator": ">", "value": 1}]},
        {"sort": "settings"},
    ):
        refused(400, world.classes, **wrong)


def test_a_class_is_changed_and_keeps_its_number(world):
    """Name, colour and the like change; objects of the class show the new name; a name that is taken is refused."""
    response = world.call(
        "advanced.object_classes.editInfo", id=world.lemon, name="citrus", color="#010203", hotkey="c"
    )
    assert (response["id"], response["name"], response["color"], response["hotkey"]) == (
        world.lemon,
        "citrus",
        "#010203",
        "c",
    )
    assert world.call("advanced.object_classes.info", id=world.lemon)["name"] == "citrus"
    assert [entry["classTitle"] for entry in world.annotation()["objects"]] == ["citrus", "peel"]
    refused(400, world.call, "advanced.object_classes.editInfo", id=world.lemon, name="peel")
    refused(404, world.call, "advanced.object_classes.editInfo", id=999, name="x")
    refused(404, world.call, "advanced.object_classes.info", id=999)


def test_tags_are_added_and_changed(world):
    """New tags stand behind those there are; a tag's settings change one by one, its classes told by numbers."""
    settings = {"type": "oneof_string", "values": ["a"], "applicableType": "objectsOnly", "classes": [world.peel]}
    (made,) = world.call("tags.bulk.add", projectId=world.project, tags=[{"title": "ripe", "settings": settings}])
    entry = world.call("projects.meta", id=world.project)["tags"][-1]
    assert (entry["name"], entry["value_type"], entry["values"]) == ("ripe", "oneof_string", ["a"])
    assert (entry["applicable_type"], entry["classes"]) == ("objectsOnly", ["peel"])
    assert world.tags()["ripe"]["settings"] == settings
    world.call(
        "advanced.tags.editInfo", id=made["id"], title="mature", color="#010203", settings={"values": ["a", "b"]}
    )
    response = world.tags()["mature"]
    assert (response["id"], response["color"], response["settings"]["values"]) == (made["id"], "#010203", ["a", "b"])
    refused(409, world.call, "tags.bulk.add", projectId=world.project, tags=[{"title": "split"}])
    refused(400, world.call, "advanced.tags.editInfo", id=made["id"], settings={"classes": [99]})
    refused(404, world.call, "advanced.tags.editInfo", id=999, title="x")


def test_what_is_of_a_removed_class_or_tag_goes_with_it(world, filled):
    """An object without a class could be read by no client; versions keep what they saw."""
    version = filled.snapshot(world.project)
    world.call("projects.classes.remove", projectId=world.project, id=world.peel)
    assert [entry["classTitle"] for entry in world.annotation()["objects"]] == ["lemon"]
    assert world.call("images.info", id=world.image)["labelsCount"] == 1
    world.call("projects.tags.remove", projectId=world.project, id=world.split)
    assert [tag["name"] for tag in world.annotation()["tags"]] == ["blurry"]
    assert [tag["name"] for tag in world.annotation()["objects"][0]["tags"]] == ["blurry"]
    refused(404, world.call, "projects.classes.remove", projectId=world.project, id=world.peel)
    refused(404, world.call, "projects.tags.remove", projectId=world.project, id=world.split)
    world.call("projects.meta.update", id=world.project, meta={"classes": [], "tags": []})
    assert (world.annotation()["objects"], world.annotation()["tags"]) == ([], [])
    assert filled.snapshot(world.project)["id"] != version["id"]


def test_a_tags_value_on_an_image_is_changed(world):
    """A tag on an image is known by its own number; a value it cannot have, or has already, is refused."""
    put = next(tag for tag in world.call("images.info", id=world.image)["tags"] if tag["tagId"] == world.split)
    response = world.call("image-tags.update-tag-value", id=put["id"], value="y")
    assert (response["value"], response["entityId"]) == ("y", world.image)
    assert [tag["value"] for tag in world.annotation()["tags"] if tag["name"] == "split"] == ["y"]
    world.call(
        "tags.entities.bulk.add",
        projectId=world.project,
        tags=[{"entityId": world.image, "tagId": world.split, "value": "z"}],
    )
    refused(400, world.call, "image-tags.update-tag-value", id=put["id"], value="z")
    refused(400, world.call, "image-tags.update-tag-value", id=put["id"], value=1)
    refused(404, world.call, "image-tags.update-tag-value", id=999, value="z")


def test_an_annotation_of_another_project_is_taken_by_names(world, filled):
    """Numbers of tags that are another project's do not count when there is a name."""
    other = filled.project("other")
    filled.call("projects.meta.update", id=other, meta={**META, "tags": META["tags"][::-1]})
    dataset = filled.dataset(other)
    image = filled.image(dataset)["id"]
    annotations = [{"imageId": image, "annotation": world.annotation()}]
    world.call("annotations.bulk.add", datasetId=dataset, annotations=annotations)
    response = world.call("annotations.info", imageId=image)["annotation"]
    names = lambda annotation: [tag["name"] for tag in annotation["tags"]]  # noqa: E731
    assert sorted(names(response)) == sorted(names(world.annotation()))
    assert [entry["classTitle"] for entry in response["objects"]] == ["lemon", "peel"]
