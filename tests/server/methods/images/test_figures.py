"""Figures one by one: what a list must tell, geometries that go apart, and the order of answers."""

from __future__ import annotations

import io
import json

import pytest

from autoflow.errors import ServerRefused
from autoflow.server.project_types.images import FIGURES
from autoflow.wire.parts import Part
from tests.server.uploads import parts_of

META = {
    "classes": [{"title": "lemon", "shape": "rectangle"}, {"title": "soft", "shape": "alpha_mask"}],
    "tags": [{"name": "blurry", "value_type": "none"}],
}
FIELDS = [
    *("id", "createdAt", "updatedAt", "imageId", "objectId", "classId", "projectId", "datasetId", "geometry"),
    *("geometryType", "geometryMeta", "tags", "meta", "area", "priority", "customData", "nnCreated", "nnUpdated"),
]


class World:
    """A project with classes, a dataset and three images."""

    def __init__(self, filled):
        self.filled = filled
        self.project = filled.project()
        self.meta = filled.call("projects.meta.update", id=self.project, meta=META)
        self.lemon, self.soft = (entry["id"] for entry in self.meta["classes"])
        self.dataset = filled.dataset(self.project)
        self.images = [filled.image(self.dataset, f"{name}.png")["id"] for name in "abc"]

    def box(self, image, side=2, **more):
        points = {"exterior": [[0.5, 1], [side, side + 1]], "interior": []}
        figure = {"entityId": image, "classId": self.lemon, "geometryType": "rectangle", "geometry": {"points": points}}
        return {**figure, "meta": {}, **more}

    def mask(self, image):
        return {"entityId": image, "classId": self.soft, "geometryType": "alpha_mask", "geometry": None, "meta": {}}

    def add(self, *figures, **more):
        return [response["id"] for response in self.filled.call("figures.bulk.add", figures=list(figures), **more)]

    def list(self, **more):
        return self.filled.call("figures.list", datasetId=self.dataset, **more)

    def upload(self, *pairs):
        parts = []
        for number, geometry in pairs:
            parts.append(Part("figureId", str(number)))
            parts.append(Part("geometry", io.BytesIO(geometry), str(number), "application/octet-stream"))
        return self.filled.server.upload("figures.bulk.upload.geometry", parts)

    def geometries(self, *numbers):
        content = self.filled.server.content("figures.bulk.download.geometry", {"ids": list(numbers)})
        return [(int(name), json.loads(body)) for name, body in parts_of(content)]


@pytest.fixture
def world(filled):
    return World(filled)


def refused(status, call, *args, **more):
    with pytest.raises(ServerRefused) as refusal:
        call(*args, **more)
    assert refusal.value.status == status


def test_numbers_come_in_the_order_sent(world):
    """Figures of several images in one request are answered in its order, and each number names its image."""
    first, second, _ = world.images
    numbers = world.add(world.box(second), world.box(first), world.box(second, side=3))
    assert [number // FIGURES for number in numbers] == [second, first, second]
    assert world.add(world.box(None), entityId=first)[0] // FIGURES == first
    assert world.filled.call("images.info", id=second)["labelsCount"] == 2


def test_a_list_tells_all_that_was_asked_for_and_the_image(world):
    """The members asked for come, and always the image: without it the SDK would place no figure, and say nothing."""
    (number,) = world.add(world.box(world.images[0], customData={"k": 1}, priority=3))
    (response,) = world.list(fields=FIELDS)["entities"]
    assert set(response) == {*FIELDS, "entityId"}
    assert (response["id"], response["entityId"], response["classId"]) == (number, world.images[0], world.lemon)
    assert response["geometry"] == {"points": {"exterior": [[0.5, 1], [2, 3]], "interior": []}}
    assert (response["geometryMeta"], response["area"]) == ({"bbox": [1, 0.5, 3, 2]}, "3.0")
    assert (response["customData"], response["priority"], response["objectId"]) == ({"k": 1}, 3, None)
    assert "geometry" not in world.list(fields=["id"])["entities"][0]


def test_a_list_is_cut_into_pages(world):
    """Pages run over the figures of all images, whole and in one order."""
    numbers = world.add(*(world.box(image, side) for image in world.images for side in (2, 3, 4)))
    pages = [world.list(per_page=4, page=page) for page in (1, 2, 3)]
    assert [len(page["entities"]) for page in pages] == [4, 4, 1]
    assert {(page["total"], page["pagesCount"]) for page in pages} == {(9, 3)}
    assert [response["id"] for page in pages for response in page["entities"]] == sorted(numbers)
    assert world.list(per_page=4, page=4)["entities"] == []


def test_a_list_is_filtered_by_image_and_number(world):
    """Filters by the image or by the figures' own numbers hold together."""
    numbers = world.add(*(world.box(image) for image in world.images))
    where = lambda field, *values: {"field": field, "operator": "in", "value": list(values)}  # noqa: E731
    ids = lambda *filters: [response["id"] for response in world.list(filter=list(filters))["entities"]]  # noqa: E731
    assert ids(where("entityId", *world.images[:2])) == numbers[:2]
    assert ids(where("id", numbers[2], numbers[0])) == [numbers[0], numbers[2]]
    assert ids(where("id", *numbers), where("entityId", world.images[1])) == [numbers[1]]
    assert ids(where("id", numbers[0] + 1)) == []
    refused(400, ids, where("secret", 1))
    refused(404, ids, where("id", 7))
    refused(400, world.list, filters=[{"type": "secret"}])


def test_a_masks_geometry_goes_apart(world):
    """A mask is made without geometry, which follows, and is read apart from lists and in the annotation."""
    number, box = world.add(world.mask(world.images[0]), world.box(world.images[0]))
    assert world.geometries(number)[0][1] is None
    bitmap = {"data": "eJz", "origin": [3, 1]}
    other = {"points": {"exterior": [[0, 0], [9, 9]], "interior": []}}
    assert world.upload((number, json.dumps(bitmap).encode()), (box, json.dumps(other).encode())) == {"success": True}
    assert world.geometries(box, number) == [
        (box, other),
        (number, bitmap),
    ]
    assert [response["geometry"] for response in world.list()["entities"]] == [None, other]
    read = world.filled.call("annotations.info", imageId=world.images[0])["annotation"]["objects"]
    assert read[0]["bitmap"] == bitmap
    world.filled.call("annotations.bulk.add", datasetId=world.dataset, annotations=[
        {"imageId": world.images[1], "annotation": {"objects": read[:1]}}])  # fmt: skip
    assert world.geometries(world.images[1] * FIGURES + 1)[0][1] == bitmap


@pytest.mark.parametrize("geometry", [b"", b"[]", b"\xff", b"{", b"[" * 100_000])
def test_a_geometry_that_is_none_is_refused(world, geometry):
    """Nothing of an upload with a wrong geometry is kept."""
    number, other = world.add(world.mask(world.images[0]), world.mask(world.images[1]))
    refused(400, world.upload, (other, b'{"data": "x"}'), (number, geometry))
    refused(404, world.upload, (number + 1, b"{}"))
    assert [geometry for _, geometry in world.geometries(number, other)] == [None, None]
    refused(404, world.geometries, number + 1)


def test_figures_are_tagged_changed_and_removed(world):
    """A tag is put on once; a figure's geometry and facts change, and its number stays; a removed one is gone."""
    number, other = world.add(world.box(world.images[0]), world.box(world.images[0]))
    blurry = world.meta["tags"][0]["id"]
    tags = [{"tagId": blurry, "figureId": figure, "value": None} for figure in (other, number, number)]
    response = world.filled.call("figures.tags.bulk.add", projectId=world.project, tags=tags)
    assert [answer["figureId"] for answer in response] == [other, number, number]
    assert [[tag["name"] for tag in figure["tags"]] for figure in world.list()["entities"]] == [["blurry"], ["blurry"]]
    geometry = {"points": {"exterior": [[5, 5], [6, 6]], "interior": []}, "geometryType": "rectangle"}
    world.filled.call("figures.editInfo", id=number, geometry=geometry, tags=[], nnCreated=True)
    changed = world.list()["entities"][0]
    assert (changed["id"], changed["tags"], changed["nnCreated"]) == (number, [], True)
    assert changed["geometry"] == {"points": geometry["points"]}
    world.filled.call("figures.bulk.remove", figureIds=[number])
    assert [figure["id"] for figure in world.list()["entities"]] == [other]
    refused(404, world.filled.call, "figures.bulk.remove", figureIds=[number])


def test_wrong_figures_leave_nothing(world):
    """A figure of an unknown class or image, or of another dataset, refuses the request whole."""
    good = world.box(world.images[0])
    refused(400, world.add, good, {**good, "classId": 999})
    refused(404, world.add, good, {**good, "entityId": 999})
    refused(400, world.add, good, datasetId=world.filled.dataset(world.project, "other"))
    refused(400, world.add, {**good, "geometry": 7})
    refused(400, world.add, {**good, "entityId": None})
    assert world.list()["total"] == 0
    assert world.add() == []


def test_a_figure_is_read_and_changed_by_its_number(world):
    """One figure with its geometry, whatever it is; its priority and tags change, in whole pixels or as it is."""
    box, mask = world.add(world.box(world.images[0]), world.mask(world.images[0]))
    world.upload((mask, b'{"data": "x", "origin": [1, 2]}'))
    response = world.filled.call("figures.info", id=mask)
    assert response["geometry"] == {"bitmap": {"data": "x", "origin": [1, 2]}}
    world.filled.call("figures.priority.update", id=box, priority=4)
    blurry = world.meta["tags"][0]["id"]
    for _ in range(2):
        world.filled.call("object-tags.add-to-object", figureId=box, tagId=blurry)
    (tag,) = world.filled.call("figures.tags.list", id=box)
    assert (tag["tagId"], tag["name"]) == (blurry, "blurry")
    assert world.filled.call("figures.info", id=box)["priority"] == 4
    world.filled.call("object-tags.remove-from-figure", figureId=box, tagId=blurry, id=tag["id"])
    refused(404, world.filled.call, "object-tags.remove-from-figure", figureId=box, tagId=blurry, id=tag["id"])
    rounded = world.list(integerCoords=True)["entities"][0]["geometry"]["points"]["exterior"]
    assert (rounded, world.list()["entities"][0]["geometry"]["points"]["exterior"]) == (
        [[0, 1], [2, 3]],
        [[0.5, 1], [2, 3]],
    )
    objects = world.filled.call("annotations.info", imageId=world.images[0], integerCoords=True)["annotation"][
        "objects"
    ]
    assert objects[0]["points"]["exterior"] == [[0, 1], [2, 3]]
    for method in ("figures.info", "figures.tags.list"):
        refused(404, world.filled.call, method, id=box + 7)
        refused(404, world.filled.call, method, id=7)
