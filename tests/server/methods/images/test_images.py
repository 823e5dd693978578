"""Projects, datasets and images with their tags and annotations, as the SDK asks for them."""

from __future__ import annotations

import io

import pytest

from autoflow.errors import ServerRefused
from autoflow.server.project_types.images import FIGURES
from autoflow.wire.parts import Part
from tests.blobs import blob_files
from tests.postgres import on_sqlite

META = {
    "classes": [{"title": "lemon", "shape": "rectangle", "color": "#FF0000"}, {"title": "peel", "shape": "polygon"}],
    "tags": [
        {"name": "split", "value_type": "oneof_string", "values": ["train", "val"], "color": "#111111"},
        {"name": "blurry", "value_type": "none"},
    ],
}
BOX = {"classTitle": "lemon", "geometryType": "rectangle", "points": {"exterior": [[0, 0], [2, 2]], "interior": []}}


@pytest.fixture
def project(filled):
    number = filled.project()
    filled.call("projects.meta.update", id=number, meta=META)
    return number


@pytest.fixture
def dataset(filled, project):
    return filled.dataset(project)


def refused(status, call, *args, **body):
    with pytest.raises(ServerRefused) as refusal:
        call(*args, **body)
    assert refusal.value.status == status
    return refusal.value


def test_a_project_is_told_as_the_sdk_reads_it(filled, dataset):
    """A project's answer has every key the SDK takes, with counts kept by the writes."""
    filled.image(dataset)
    response = filled.call("projects.info", id="1")
    keys = "id name description size readme workspaceId imagesCount itemsCount datasetsCount createdAt updatedAt type "
    keys += "referenceImageUrl customData backupArchive teamId settings importSettings version createdBy"
    assert set(keys.split()) <= set(response)
    assert (response["imagesCount"], response["datasetsCount"], response["customData"], response["version"]) == (
        1,
        1,
        {},
        None,
    )
    assert int(response["size"]) > 0


def test_a_projects_name_is_its_own(filled, project):
    """A name is used once in a workspace; a removed project gives it back."""
    assert "lemons" in str(refused(409, filled.project))
    filled.call("projects.archive", id=project)
    refused(404, filled.call, "projects.info", id=project)
    assert filled.project() != project


def test_projects_are_listed_by_pages_filter_and_order(filled):
    """Lists are filtered, sorted and cut into pages as asked, and token pages end with null."""
    for name in "bac":
        filled.project(name)
    names = lambda **body: [entry["name"] for entry in filled.call("projects.list", **body)["entities"]]  # noqa: E731
    assert names(workspaceId=1) == ["b", "a", "c"]
    assert names(sort="name", sort_order="desc") == ["c", "b", "a"]
    assert names(filter=[{"field": "name", "operator": "=", "value": "a"}]) == ["a"]
    assert names(filter=[{"field": "id", "operator": "in", "value": ["1", 3]}]) == ["b", "c"]
    assert names(filter=[{"field": "id", "operator": ">", "value": 1}], per_page=1, page=2) == ["c"]
    first = filled.call("projects.list", per_page=2)
    assert (first["total"], first["perPage"], first["pagesCount"]) == (3, 2, 2)
    token = filled.call("projects.list", pagination_mode="token", per_page=2)
    rest = filled.call("projects.list", pagination_mode="token", per_page=2, after=token["after"])
    assert [len(token["entities"]), len(rest["entities"]), rest["after"]] == [2, 1, None]


@pytest.mark.parametrize(
    "wrong",
    [
        {"filter": [{"field": "secret", "value": 1}]},
        {"filter": [{"field": "id", "operator": "like", "value": 1}]},
        {"filter": [{"field": "id", "value": "one"}]},
        {"filter": "x"},
        {"sort": "digest"},
        {"page": "x"},
    ],
)
def test_a_wrong_list_request_says_what_is_wrong(filled, wrong):
    """Unknown fields and operators are refused with 400 and named."""
    refused(400, filled.call, "projects.list", **wrong)


def test_meta_keeps_order_and_numbers(filled, project):
    """Classes and tags come back in the order sent; known ones keep their numbers, by number or name."""
    before = filled.call("projects.meta", id=project)
    assert [entry["title"] for entry in before["classes"]] == ["lemon", "peel"]
    lemon, peel = before["classes"]
    sent = {
        "classes": [{**peel, "title": "skin"}, {"title": "lemon"}, {"title": "new", "id": 999}],
        "tags": before["tags"],
    }
    after = filled.call("projects.meta.update", id=project, meta=sent)
    assert [entry["title"] for entry in after["classes"]] == ["skin", "lemon", "new"]
    assert [entry["id"] for entry in after["classes"][:2]] == [peel["id"], lemon["id"]]
    assert after["classes"][2]["id"] not in {lemon["id"], peel["id"], 999}
    assert after["tags"] == before["tags"]
    refused(400, filled.call, "projects.meta.update", id=project, meta={"classes": [{"title": "a"}, {"title": "a"}]})


def test_datasets_stand_in_one_another(filled, project, dataset):
    """Datasets are listed at the top, all, or by parent; names are unique in their place; custom data on request."""
    inner = filled.dataset(project, "ds", parentId=dataset, customData={"a": 1})

    def names(**body):
        return [entry["id"] for entry in filled.call("datasets.list", projectId=project, **body)["entities"]]

    assert names() == [dataset]
    assert names(recursive=True) == [dataset, inner]
    by_parent = [{"field": "parentId", "operator": "=", "value": dataset}]
    assert names(recursive=True, filter=by_parent) == [inner]
    refused(409, filled.dataset, project, "ds")
    refused(409, filled.dataset, project, "ds", parentId=dataset)
    refused(400, filled.dataset, filled.project("other"), "ds", parentId=dataset)
    plain = filled.call("datasets.list", projectId=project, recursive=True)["entities"][1]
    custom = filled.call("datasets.list", projectId=project, recursive=True, extraFields=["customData"])["entities"][1]
    assert "customData" not in plain
    assert custom["customData"] == filled.call("datasets.info", id=inner)["customData"] == {"a": 1}


def test_an_image_is_uploaded_made_and_read(filled, dataset):
    """Bytes uploaded once make images by hash, with size, type and meta, and come back as they were."""
    data = filled.picture(size=(5, 7))
    content = filled.content(data)
    assert filled.server.call("images.internal.hashes.list", [content, "none"]) == [content]
    images = [{"title": "a.png", "hash": content, "meta": {"k": 1}}, {"title": "b.png", "hash": content}]
    made = filled.call("images.bulk.add", datasetId=dataset, images=images)
    assert [image["name"] for image in made] == ["a.png", "b.png"]
    assert (made[0]["width"], made[0]["height"], made[0]["mime"], made[0]["ext"]) == (5, 7, "image/png", "png")
    assert (made[0]["meta"], made[0]["size"]) == ({"k": 1}, len(data))
    assert filled.call("images.info", id=made[0]["id"]) == made[0]
    assert b"".join(filled.server.download("images.download", {"id": made[0]["id"]})) == data


def test_what_is_no_image_is_answered_with_errors(filled, tmp_path):
    """A part that is no image is answered in its place; the others are taken, and its bytes are not kept."""
    streams = [b"not an image", filled.picture()]
    parts = [Part(f"{n}-file", io.BytesIO(data), str(n), "image/*") for n, data in enumerate(streams)]
    first, second = filled.server.upload("images.bulk.upload", parts, {})
    assert "errors" in first
    assert second["hash"]
    assert len(blob_files(tmp_path / "home" / "blobs")) == 1


def test_taken_names_are_told_apart(filled, dataset):
    """A name that is taken refuses the whole request with NONUNIQUE and the image that has it."""
    image = filled.image(dataset, "a.png")
    images = [{"title": "new.png", "hash": image["hash"]}, {"title": "a.png", "hash": image["hash"]}]
    refusal = refused(400, filled.call, "images.bulk.add", datasetId=dataset, images=images)
    assert refusal.details == {"type": "NONUNIQUE", "errors": [{"name": "a.png", "id": image["id"]}]}
    assert filled.call("images.list", datasetId=dataset)["total"] == 1
    twice = [{"title": "x.png", "hash": image["hash"]}] * 2
    refused(400, filled.call, "images.bulk.add", datasetId=dataset, images=twice)


@on_sqlite
def test_ranges_of_a_file_are_copied_once(filled, dataset):
    """Equal ranges are one content; ranges that overlap, which would multiply a file on the disk, are refused."""
    size = len(picture := filled.picture((1, 2, 3)))
    file = filled.file("/range.bin", picture + bytes(9))["id"]

    def add(*stops):
        ranges = [{"offsetStart": 0, "offsetEnd": stop} for stop in stops]
        images = [
            {"title": f"{number}.png", "teamFileId": file, "sourceBlob": part} for number, part in enumerate(ranges)
        ]
        return filled.call("images.bulk.add", datasetId=dataset, images=images)

    with pytest.raises(ServerRefused, match="overlaps another one"):
        add(size, size + 1)
    with pytest.raises(ServerRefused, match="is not a range of file"):
        add(size + 10)
    assert len({image["hash"] for image in add(size, size)}) == 1


def test_a_link_is_an_image_without_bytes(filled, dataset):
    """A linked image is listed; its bytes are not here to download."""
    images = [{"title": "far.png", "link": "https://x.example/far.png"}]
    made = filled.call("images.bulk.add", datasetId=dataset, images=images)[0]
    assert made["hash"] is None
    assert refused(400, filled.server.download, "images.download", {"id": made["id"]})


def test_images_are_listed_and_removed(filled, project, dataset):
    """Images are listed by dataset, with those in it, or by project; removed ones are gone."""
    inner = filled.dataset(project, "inner", parentId=dataset)
    first, second = filled.image(dataset, "a.png"), filled.image(inner, "b.png")
    total = lambda **body: filled.call("images.list", **body)["total"]  # noqa: E731
    assert [total(datasetId=dataset), total(datasetId=dataset, recursive=True), total(projectId=project)] == [1, 2, 2]
    filled.call("images.bulk.remove", imageIds=[first["id"], second["id"]])
    assert total(projectId=project) == 0
    refused(404, filled.call, "images.bulk.remove", imageIds=[first["id"]])
    refused(400, filled.call, "images.list", datasetId=dataset, filters=[{"type": "x"}])


def test_tags_are_put_on_and_taken_off(filled, project, dataset):
    """A tag is put on once for a value, checked against the meta, and taken off by its number or its kind."""
    image = filled.image(dataset)["id"]
    split, blurry = (tag["id"] for tag in filled.call("projects.meta", id=project)["tags"])
    filled.call("image-tags.bulk.add-to-image", tagId=split, ids=[image], value="train")
    filled.call("image-tags.bulk.add-to-image", tagId=split, ids=[image], value="train")
    tags = [{"tagId": blurry, "entityId": image, "value": None}, {"tagId": split, "entityId": image, "value": "val"}]
    put_on = filled.call("tags.entities.bulk.add", projectId=project, tags=tags)
    now = filled.call("images.info", id=image)["tags"]
    assert [(tag["tagId"], tag["value"]) for tag in now] == [(split, "train"), (blurry, None), (split, "val")]
    assert [tag["id"] for tag in put_on] == [now[1]["id"], now[2]["id"]]
    filled.call("image-tags.remove-from-image", imageId=image, tagId=split, id=now[0]["id"])
    filled.call("image-tags.bulk.remove-from-images", ids=[image], tagIds=[blurry])
    assert [tag["value"] for tag in filled.call("images.info", id=image)["tags"]] == ["val"]
    refused(400, filled.call, "image-tags.bulk.add-to-image", tagId=split, ids=[image], value="test")
    refused(400, filled.call, "image-tags.bulk.add-to-image", tagId=999, ids=[image])
    refused(404, filled.call, "image-tags.bulk.add-to-image", tagId=split, ids=[999], value="val")


def annotate(filled, dataset, image, **annotation):
    annotations = [{"imageId": image, "annotation": annotation}]
    return filled.call("annotations.bulk.add", datasetId=dataset, annotations=annotations)


def annotation_of(filled, image):
    return filled.call("annotations.bulk.info", imageIds=[image])[0]["annotation"]


def test_an_annotation_comes_back(filled, project, dataset):
    """A document comes back with names and numbers of classes, tags and objects, which name their image."""
    image = filled.image(dataset)["id"]
    assert annotation_of(filled, image)["objects"] == []
    tag = {"name": "split", "value": "train"}
    annotate(filled, dataset, image, description="d", tags=[tag], objects=[{**BOX, "tags": [{"name": "blurry"}]}])
    response = annotation_of(filled, image)
    (figure,) = response["objects"]
    assert figure["points"] == BOX["points"]
    assert (figure["classTitle"], figure["tags"][0]["name"]) == ("lemon", "blurry")
    assert figure["id"] // FIGURES == image
    assert (response["description"], response["tags"][0]["value"]) == ("d", "train")
    assert response["size"] == {"height": 3, "width": 4}
    assert filled.call("images.info", id=image)["labelsCount"] == 1


def test_objects_keep_their_numbers_when_edited(filled, dataset):
    """What is downloaded, changed and uploaded again keeps its objects' numbers; new ones get new numbers."""
    image = filled.image(dataset)["id"]
    annotate(filled, dataset, image, objects=[BOX, BOX])
    before = annotation_of(filled, image)["objects"]
    annotate(filled, dataset, image, objects=[before[1], BOX])
    after = annotation_of(filled, image)["objects"]
    assert after[0]["id"] == before[1]["id"]
    assert after[1]["id"] not in {entry["id"] for entry in before}


def test_a_renamed_class_is_renamed_in_annotations(filled, project, dataset):
    """Annotations name classes as the meta does now."""
    image = filled.image(dataset)["id"]
    annotate(filled, dataset, image, objects=[BOX])
    meta = filled.call("projects.meta", id=project)
    meta["classes"][0]["title"] = "citron"
    filled.call("projects.meta.update", id=project, meta=meta)
    assert annotation_of(filled, image)["objects"][0]["classTitle"] == "citron"


def test_annotations_are_checked_and_all_or_none(filled, dataset):
    """An unknown class or tag refuses the request, naming the object, and changes no image."""
    first, second = filled.image(dataset, "a.png")["id"], filled.image(dataset, "b.png")["id"]
    good = {"imageId": first, "annotation": {"objects": [BOX]}}
    for wrong in (
        {"objects": [{"classTitle": "car"}]},
        {"tags": [{"name": "none"}]},
        {"objects": [7]},
        {"objects": {}},
    ):
        bad = {"imageId": second, "annotation": wrong}
        refused(400, filled.call, "annotations.bulk.add", datasetId=dataset, annotations=[good, bad])
    assert annotation_of(filled, first)["objects"] == []
    refused(404, annotate, filled, dataset, 999, objects=[])


def test_annotations_are_listed_and_copied(filled, project, dataset):
    """Annotations are listed in pages, and copied by names: into a project whose numbers are others."""
    images = [filled.image(dataset, f"{name}.png")["id"] for name in "abc"]
    tag = {"name": "split", "value": "train"}
    annotate(filled, dataset, images[1], tags=[tag], objects=[{**BOX, "tags": [{"name": "blurry"}]}])
    response = filled.call("annotations.list", datasetId=dataset, per_page=2)
    assert [len(entry["annotation"]["objects"]) for entry in response["entities"]] == [0, 1]
    other = filled.project("other")
    filled.call("projects.meta.update", id=other, meta=META)
    target = filled.image(filled.dataset(other), "far.png")["id"]
    filled.call("annotations.bulk.copy", srcImageIds=[images[1], images[1]], destImageIds=[target, images[2]])
    for number in (target, images[2]):
        copied = annotation_of(filled, number)
        assert [entry["classTitle"] for entry in copied["objects"]] == ["lemon"]
        assert [entry["name"] for entry in copied["objects"][0]["tags"] + copied["tags"]] == ["blurry", "split"]
    refused(400, filled.call, "annotations.bulk.copy", srcImageIds=images, destImageIds=[target])
    bare = filled.image(filled.dataset(filled.project("bare")))["id"]
    refused(400, filled.call, "annotations.bulk.copy", srcImageIds=[images[1]], destImageIds=[bare])


def test_datasets_and_images_are_edited(filled, project, dataset):
    """Names, descriptions and custom data change; a name that is taken in its place is refused."""
    inner = filled.dataset(project, "inner", parentId=dataset)
    response = filled.call("datasets.editInfo", id=inner, name="renamed", description="d", customData={"a": 1})
    assert (response["name"], response["description"], response["customData"]) == ("renamed", "d", {"a": 1})
    filled.dataset(project, "second")
    refused(409, filled.call, "datasets.editInfo", id=dataset, name="second")
    first, second = filled.image(dataset, "a.png")["id"], filled.image(dataset, "b.png")["id"]
    response = filled.call("images.editInfo", id=first, name="c.png", description="d", meta={"k": 1})
    assert (response["name"], response["description"], response["meta"]) == ("c.png", "d", {"k": 1})
    refused(409, filled.call, "images.editInfo", id=second, name="c.png")
    assert filled.call("images.editInfo", id=second, name="b.png")["name"] == "b.png"


def test_members_of_a_team_are_listed(filled):
    """A team's members are told, and found by login."""
    where = [{"field": "login", "operator": "=", "value": "admin"}]
    assert [entry["id"] for entry in filled.call("members.list", teamId=1, filter=where)["entities"]] == [1]
    refused(404, filled.call, "members.list", teamId=9)
