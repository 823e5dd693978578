"""``autoflow.folders.*``: limits of a request, and batches that are applied completely or not at all."""

from __future__ import annotations

import io

import pytest

from autoflow.errors import ServerRefused
from autoflow.server.db.access import Caller
from autoflow.wire.parts import Part
from tests.server.digests import compute_digest


@pytest.fixture
def project(server):
    return server.call("projects.add", {"workspaceId": 1, "name": "p"})["id"]


@pytest.fixture
def content(server):
    """A function that uploads an image of one colour and returns its hash."""

    def make(colour):
        from PIL import Image

        stream = io.BytesIO()
        Image.new("RGB", (4, 3), (colour, 0, 0)).save(stream, "PNG")
        part = Part("0-file", io.BytesIO(stream.getvalue()), "0", "image/*")
        return server.upload("images.bulk.upload", [part], {})[0]["hash"]

    return make


def state(server, project):
    return server.call("autoflow.folders.state", {"projectId": project})["digest"]


def test_shape_creates_what_is_missing(server, project):
    """Classes by name, datasets by path with their parents; a second call changes nothing."""
    meta = {"classes": [{"title": "c", "shape": "any"}], "tags": [{"name": "t", "value_type": "none"}]}
    body = {"projectId": project, "meta": meta, "datasets": [["a", "b"], ["a"], ["c"]]}
    first = server.call("autoflow.folders.shape", body)
    assert (first["before"], first["after"]) == ("0", state(server, project))
    again = server.call("autoflow.folders.shape", body)
    assert (again["before"], again["after"], again["datasets"]) == (first["after"], first["after"], first["datasets"])
    for wrong in ([[]], [[" "]], ["a"], [[1]]):
        with pytest.raises(ServerRefused, match="datasets"):
            server.call("autoflow.folders.shape", {"projectId": project, "datasets": wrong})


def test_put_creates_and_updates(server, project, content):
    """An image is created, then updated; the same again changes nothing and returns the same etag."""
    dataset = server.call("autoflow.folders.shape", {"projectId": project, "datasets": [["a"]]})["datasets"][0]

    def put(*images):
        return server.call("autoflow.folders.put", {"datasetId": dataset, "images": list(images)})

    image = {"name": "1", "hash": content(1), "annotation": {"objects": []}, "meta": {"x": 1}}
    first = put(image, {"name": "2", "hash": content(2)})
    assert first["after"] == state(server, project)
    again = put({"name": "2", "hash": content(2)}, image)
    assert (again["before"], again["after"]) == (first["after"], first["after"])
    assert again["images"] == first["images"][::-1]
    changed = put({**image, "hash": content(3)})
    assert changed["images"][0][0] == first["images"][0][0]
    assert changed["images"][0][1] != first["images"][0][1]
    listed = server.call("autoflow.folders.items", {"projectId": project})
    assert listed == {
        "items": [
            (changed["images"][0][0], dataset, "1", changed["images"][0][1]),
            (first["images"][1][0], dataset, "2", first["images"][1][1]),
        ],
        "after": None,
    }
    number = changed["images"][0][0]
    assert server.call("images.info", {"id": number})["meta"] == {"x": 1}
    reserved = {"x": 2, "autoflow.item": {"source": [1]}}  # what the server keeps beside the client's meta
    for change in (
        lambda: put({**image, "meta": reserved}),
        lambda: server.call("images.editInfo", {"id": number, "meta": reserved}),
    ):
        change()
        info = server.call("images.info", {"id": number})
        assert (info["meta"], "relatedDataId" in info) == ({"x": 2}, False)


def test_a_batch_is_atomic(server, project, content):
    """One image that is refused prevents the others."""
    dataset = server.call("autoflow.folders.shape", {"projectId": project, "datasets": [["a"]]})["datasets"][0]
    good = {"name": "1", "hash": content(1)}
    before = state(server, project)
    for wrong, words in (
        ({"name": "2", "hash": "x"}, r"images\[1\].hash"),
        ({"name": "1", "hash": good["hash"]}, "twice"),
        (
            {"name": "2", "hash": good["hash"], "annotation": {"objects": [{"classTitle": "c"}]}},
            r"images\[1\].annotation",
        ),
        ({"name": "2", "hash": good["hash"], "annotation": {"tags": [{"name": "t"}]}}, r"images\[1\].annotation"),
        ({"hash": good["hash"]}, r"images\[1\].name"),
    ):
        with pytest.raises(ServerRefused, match=words):
            server.call("autoflow.folders.put", {"datasetId": dataset, "images": [good, wrong]})
    assert state(server, project) == before
    assert server.call("autoflow.folders.items", {"projectId": project})["items"] == []


def test_remove_skips_missing_ids(server, project, content):
    """Ids that do not exist, or that are another project's, are skipped; the running digest stays correct."""
    shape = {"projectId": project, "datasets": [["a"], ["a", "b"]]}
    outer, inner = server.call("autoflow.folders.shape", shape)["datasets"]
    images = [{"name": str(number), "hash": content(number)} for number in range(3)]
    etags = server.call("autoflow.folders.put", {"datasetId": inner, "images": images})["images"]
    other = server.call("projects.add", {"workspaceId": 1, "name": "other"})["id"]
    body = {"projectId": other, "images": [etags[0][0]], "datasets": [outer]}
    server.call("autoflow.folders.remove", body)
    assert len(server.call("autoflow.folders.items", {"projectId": project})["items"]) == 3
    body = {"projectId": project, "images": [etags[0][0], 999], "datasets": []}
    server.call("autoflow.folders.remove", body)
    assert len(server.call("autoflow.folders.items", {"projectId": project})["items"]) == 2
    server.call("autoflow.folders.remove", {"projectId": project, "images": [], "datasets": [outer, inner]})
    assert server.call("datasets.list", {"projectId": project, "recursive": True})["entities"] == []
    with server._store.read() as conn:
        assert compute_digest(conn, project) == state(server, project)


def test_contents_and_paths_of_a_version(server, project, content):
    """Bytes that the version has are returned by hash, others are not; paths are returned on this machine only."""
    dataset = server.call("autoflow.folders.shape", {"projectId": project, "datasets": [["a"]]})["datasets"][0]
    stored, other = content(1), content(2)
    server.call("autoflow.folders.put", {"datasetId": dataset, "images": [{"name": "1", "hash": stored}]})
    version = server.call("autoflow.versions.snapshot", {"projectId": project})["id"]
    server.call("autoflow.folders.put", {"datasetId": dataset, "images": [{"name": "1", "hash": other}]})
    response = b"".join(server.download("autoflow.folders.contents", {"id": version, "hashes": [stored, stored]}))
    head, _, rest = response.partition(b"\n")
    assert head.decode() == f"{stored} {len(rest)}"
    with pytest.raises(ServerRefused, match="content"):
        server.download("autoflow.folders.contents", {"id": version, "hashes": [other]})
    paths = server.call("autoflow.folders.paths", {"id": version, "hashes": [stored, other]})["paths"]
    with open(paths.pop(stored), "rb") as file:
        assert file.read() == rest
    assert paths == {}
    served = Caller(site="http://127.0.0.1:1")
    assert server.call("autoflow.folders.paths", {"id": version, "hashes": [stored]}, served) == {"paths": {}}
    with pytest.raises(ServerRefused, match="more than 10000"):
        server.call("autoflow.folders.paths", {"id": version, "hashes": [stored] * 10_001})
