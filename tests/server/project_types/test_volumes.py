"""Projects of volumes: pictures of their slices, figures by planes, and what is not a volume."""

from __future__ import annotations

import base64
import gzip
import io
import struct

import pytest

from autoflow.errors import ServerRefused
from autoflow.wire.parts import Part

SIZES = (6, 5, 4)


def nrrd(more="", data=None):
    """Return a volume whose values grow along the first axis."""
    values = struct.pack("<120h", *(index % 6 for index in range(120))) if data is None else data
    header = f"NRRD0004\ntype: int16\ndimension: 3\nsizes: 6 5 4\nendian: little\nencoding: gzip\n{more}\n"
    return header.encode() + gzip.compress(values)


class Scans:
    """A project of one volume, with a class."""

    def __init__(self, filled):
        self.call = filled.call
        self.filled = filled
        self.project = filled.project("scans", type="volumes")
        meta = {"classes": [{"title": "bone", "shape": "any"}], "tags": []}
        self.bone = self.call("projects.meta.update", id=self.project, meta=meta)["classes"][0]["id"]
        self.dataset = filled.dataset(self.project)
        volumes = [{"name": "a.nrrd", "hash": self.upload(nrrd())["hash"], "meta": {"k": 1}}]
        self.volume = self.call("volumes.bulk.add", datasetId=self.dataset, volumes=volumes)[0]["id"]

    def upload(self, data, method="volumes.bulk.upload"):
        return self.filled.server.upload(method, [Part("0-file", io.BytesIO(data), "0", "*/*")], {})[0]

    def cut(self, index, **normal):
        body = {"volumeId": self.volume, "sliceIndex": index, "normal": normal}
        return b"".join(self.filled.server.download("volumes.slices.images.download", body))


@pytest.fixture
def scans(filled):
    pytest.importorskip("nrrd", reason="pynrrd is not installed: pip install 'autoflow-lineage[media]'")
    return Scans(filled)


def test_slices_are_cut_from_the_volume(scans):
    """Each plane's slices have the sizes of the other two axes; one that is not there is refused; so is no normal."""
    from PIL import Image

    sizes = []
    for normal in ({"x": 1}, {"y": 1}, {"z": 1}):
        with Image.open(io.BytesIO(scans.cut(1, **normal))) as image:
            sizes.append(image.size)
    assert sizes == [(5, 4), (6, 4), (6, 5)]
    with pytest.raises(ServerRefused, match="no slice 9"):
        scans.cut(9, z=1)
    with pytest.raises(ServerRefused, match='"normal"'):
        scans.cut(1)
    with Image.open(
        io.BytesIO(b"".join(scans.filled.server.download("autoflow.previews", {"id": scans.volume})))
    ) as it:
        assert it.size == (6, 5)


def test_figures_are_grouped_by_planes(scans):
    """A figure with a slice is in its plane; a mask in space is apart, and its bytes come back as they were sent."""
    objects = [{"entityId": scans.volume, "classId": scans.bone}]
    (added,) = scans.call("annotation-objects.bulk.add", datasetId=scans.dataset, annotationObjects=objects)
    flat = {"geometryType": "rectangle", "geometry": {"points": {}}, "meta": {"sliceIndex": 2, "normal": {"y": 1}}}
    solid = {"geometryType": "mask_3d"}
    figures = [{"objectId": added["id"], **figure} for figure in (flat, solid)]
    _, mask = (entry["id"] for entry in scans.call("figures.bulk.add", entityId=scans.volume, figures=figures))
    sent = nrrd()
    parts = [Part("figureId", str(mask)), Part("geometry", io.BytesIO(sent), "0", "application/sla")]
    scans.filled.server.upload("figures.bulk.upload.geometry", parts, {})
    version = scans.filled.snapshot(scans.project)["id"]
    form = b"".join(scans.filled.server.download("figures.bulk.download.geometry", {"ids": [mask]}))
    assert sent in form
    (annotation,) = scans.call("volumes.annotations.bulk.info", volumeIds=[scans.volume])
    planes = {plane["name"]: [part["index"] for part in plane["slices"]] for plane in annotation["planes"]}
    assert planes == {"sagittal": [], "coronal": [2], "axial": []}
    assert [figure["geometryType"] for figure in annotation["spatialFigures"]] == ["mask_3d"]
    assert base64.b64encode(sent).decode() not in str(annotation)
    assert annotation["volumeMeta"] == {"k": 1}
    scans.call("figures.bulk.remove", figureIds=[mask])
    comparison = scans.call("autoflow.versions.diff", **{"from": version, "labels": True})
    assert comparison["counts"]["labels"]["removed"] == 1


def test_what_is_no_volume_is_refused(scans):
    """Values in another file are not read; images go by the method of images, which takes volumes, too."""
    assert "errors" in scans.upload(nrrd("data file: /etc/passwd\n"))
    assert "errors" in scans.upload(scans.filled.picture())
    assert scans.upload(nrrd(), "images.bulk.upload")["mime"] == "application/x-nrrd"
