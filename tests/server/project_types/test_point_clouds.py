"""Projects of point clouds: objects that the clouds of a dataset share, images that belong to a cloud, previews."""

from __future__ import annotations

import io
import struct

import pytest

from autoflow.errors import ServerRefused
from autoflow.wire.parts import Part

HEADER = (
    "# .PCD v0.7\nVERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH {0}\nHEIGHT 1\n"
    "VIEWPOINT 0 0 0 1 0 0 0\nPOINTS {0}\nDATA {1}\n"
)
POINTS = [(0.0, 0.0, 0.0), (1.0, 0.5, 2.0), (float("nan"), 0.0, 0.0), (2.0, 2.0, 1.0)]


def cloud(form):
    """Return the bytes of a PCD."""
    header = HEADER.format(len(POINTS), form).encode()
    if form == "ascii":
        return header + "\n".join(" ".join(map(str, point)) for point in POINTS).encode()
    if form == "binary":
        return header + b"".join(struct.pack("<3f", *point) for point in POINTS)
    columns = b"".join(struct.pack(f"<{len(POINTS)}f", *column) for column in zip(*POINTS, strict=True))
    packed = b"".join(  # as literal bytes alone
        bytes([len(part) - 1]) + part for start in range(0, len(columns), 32) for part in [columns[start : start + 32]]
    )
    return header + struct.pack("<2I", len(packed), len(columns)) + packed


class Survey:
    """A project of two point clouds, which are links, with a class."""

    def __init__(self, filled):
        self.call = filled.call
        self.filled = filled
        self.project = filled.project("survey", type="point_clouds")
        meta = {"classes": [{"title": "tree", "shape": "any"}], "tags": []}
        self.tree = self.call("projects.meta.update", id=self.project, meta=meta)["classes"][0]["id"]
        self.dataset = filled.dataset(self.project)
        clouds = [{"name": name, "link": f"https://x/{name}"} for name in ("a.pcd", "b.pcd")]
        added = self.call("point-clouds.bulk.add", datasetId=self.dataset, pointClouds=clouds)
        self.first, self.second = (entry["id"] for entry in added)

    def share(self):
        """Add an object that both clouds have a figure of; return its number."""
        objects = [{"classId": self.tree}]
        (added,) = self.call("annotation-objects.bulk.add", datasetId=self.dataset, annotationObjects=objects)
        figures = [
            {"entityId": entity, "objectId": added["id"], "geometryType": "cuboid_3d", "geometry": {"position": {}}}
            for entity in (self.first, self.second)
        ]
        self.call("figures.bulk.add", datasetId=self.dataset, figures=figures)
        return added["id"]

    def attach(self, name="cam.png"):
        photo = {"entityId": self.first, "name": name, "hash": self.filled.content(self.filled.picture())}
        return self.call("point-clouds.images.add", images=[photo])[0]

    def images(self, dataset=None):
        listed = self.call("point-clouds.images.list", datasetId=dataset or self.dataset)
        return [(image["entityId"], image["name"]) for image in listed["entities"]]


@pytest.fixture
def survey(filled):
    return Survey(filled)


def test_shared_objects_are_restored_with_their_figures(survey):
    """The copy's figures are of the copy's object; shared objects and attached images are not counted as clouds."""
    shared = survey.share()
    survey.attach()
    version = survey.filled.snapshot(survey.project)["id"]
    restored = survey.call("autoflow.versions.restore", id=version)["id"]
    (dataset,) = survey.call("datasets.list", projectId=restored)["entities"]
    clouds = survey.call("point-clouds.list", datasetId=dataset["id"])["entities"]
    assert [entry["name"] for entry in clouds] == ["a.pcd", "b.pcd"]
    assert survey.call("projects.info", id=restored)["itemsCount"] == dataset["itemsCount"] == 2
    ids = [entry["id"] for entry in clouds]
    annotations = survey.call("point-clouds.annotations.bulk.info", pointCloudIds=ids)
    owners = {(entry["objects"][0]["id"], entry["figures"][0]["objectId"]) for entry in annotations}
    assert len(owners) == 1
    assert len(set(owners.pop()) - {shared}) == 1
    assert survey.images(dataset["id"]) == [(ids[0], "cam.png")]
    listed = survey.call("figures.list", datasetId=dataset["id"])["entities"]
    assert {figure["objectId"] for figure in listed} == {annotations[0]["objects"][0]["id"]}
    assert survey.call("autoflow.upkeep.verify", level=3)["problems"] == []


def test_a_shared_object_leaves_all_clouds(survey):
    """Removing it, or its class, removes its figures everywhere."""
    shared = survey.share()
    survey.call("annotation-objects.bulk.remove", items=[shared])
    assert survey.call("figures.list", datasetId=survey.dataset)["total"] == 0
    survey.share()
    survey.call("projects.classes.remove", projectId=survey.project, id=survey.tree)
    assert survey.call("figures.list", datasetId=survey.dataset)["total"] == 0


def test_an_attached_image_follows_its_cloud(survey):
    """It is there under the cloud's new name, cannot be attached twice, and is removed with the cloud."""
    image = survey.attach()
    with pytest.raises(ServerRefused, match="has an image of this name"):
        survey.attach()
    survey.call("images.editInfo", id=survey.first, name="c%/d.pcd")
    assert survey.images() == [(survey.first, "cam.png")]
    assert b"".join(survey.filled.server.download("point-clouds.images.download", {"id": image["id"]}))
    survey.call("images.bulk.remove", imageIds=[survey.first])
    assert survey.images() == []
    with pytest.raises(ServerRefused, match="reserved"):
        survey.call("images.editInfo", id=survey.second, name="//autoflow/objects")


def test_the_preview_shows_the_cloud_from_above(survey):
    """PCD as text, binary and compressed give the same picture; other formats have none."""
    pytest.importorskip("numpy")
    pictures = set()
    for form in ("ascii", "binary", "binary_compressed"):
        part = Part("0-file", io.BytesIO(cloud(form)), "0", "image/pcd")
        (uploaded,) = survey.filled.server.upload("point-clouds.bulk.upload", [part], {})
        assert uploaded["mime"] == "image/pcd"
        clouds = [{"name": f"{form}.pcd", "hash": uploaded["hash"]}]
        (added,) = survey.call("point-clouds.bulk.add", datasetId=survey.dataset, pointClouds=clouds)
        pictures.add(b"".join(survey.filled.server.download("autoflow.previews", {"id": added["id"], "ext": "png"})))
    assert len(pictures) == 1
    part = Part("0-file", io.BytesIO(b"ply\nformat ascii 1.0\n"), "0", "application/x-ply")
    (uploaded,) = survey.filled.server.upload("point-clouds.bulk.upload", [part], {})
    clouds = [{"name": "x.ply", "hash": uploaded["hash"]}]
    (added,) = survey.call("point-clouds.bulk.add", datasetId=survey.dataset, pointClouds=clouds)
    with pytest.raises(ServerRefused, match="x-ply are not drawn"):
        survey.filled.server.download("autoflow.previews", {"id": added["id"]})
