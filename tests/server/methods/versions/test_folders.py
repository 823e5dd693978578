"""``autoflow.folders.*``: what a request may hold, and that a batch is taken whole or not at all."""

from __future__ import annotations

import io

import pytest

from autoflow.errors import ServerRefused
from autoflow.server.db.access import Caller
from autoflow.server.versions import change_tracking
from autoflow.wire.parts import Part


@pytest.fixture
def project(platform):
    return platform.call("projects.add", {"workspaceId": 1, "name": "p"})["id"]


@pytest.fixture
def content(platform):
    """Uploads an image of a colour."""

    def make(colour):
        from PIL import Image

        stream = io.BytesIO()
        Image.new("RGB", (4, 3), (colour, 0, 0)).save(stream, "PNG")
        part = Part("0-file", io.BytesIO(stream.getvalue()), "0", "image/*")
        return platform.upload("images.bulk.upload", [part], {})[0]["hash"]

    return make


def state(platform, project):
    return platform.call("autoflow.folders.state", {"projectId": project})["digest"]


def test_shape_makes_what_is_missing(platform, project):
    """Classes by name, datasets by path with those they stand in; the second time nothing changes."""
    meta = {"classes": [{"title": "c", "shape": "any"}], "tags": [{"name": "t", "value_type": "none"}]}
    body = {"projectId": project, "meta": meta, "datasets": [["a", "b"], ["a"], ["c"]]}
    told = platform.call("autoflow.folders.shape", body)
    assert (told["before"], told["after"]) == ("0", state(platform, project))
    again = platform.call("autoflow.folders.shape", body)
    assert (again["before"], again["after"], again["datasets"]) == (told["after"], told["after"], told["datasets"])
    for wrong in ([[]], [[" "]], ["a"], [[1]]):
        with pytest.raises(ServerRefused, match="datasets"):
            platform.call("autoflow.folders.shape", {"projectId": project, "datasets": wrong})


def test_put_makes_changes_and_leaves(platform, project, content):
    """An image is made, then changed in place; the same again changes nothing and has the same mark."""
    dataset = platform.call("autoflow.folders.shape", {"projectId": project, "datasets": [["a"]]})["datasets"][0]

    def put(*images):
        return platform.call("autoflow.folders.put", {"datasetId": dataset, "images": list(images)})

    one = {"name": "1", "hash": content(1), "annotation": {"objects": []}, "meta": {"x": 1}}
    first = put(one, {"name": "2", "hash": content(2)})
    assert first["after"] == state(platform, project)
    again = put({"name": "2", "hash": content(2)}, one)
    assert (again["before"], again["after"]) == (first["after"], first["after"])
    assert again["images"] == first["images"][::-1]
    changed = put({**one, "hash": content(3)})
    assert changed["images"][0][0] == first["images"][0][0]
    assert changed["images"][0][1] != first["images"][0][1]
    listed = platform.call("autoflow.folders.items", {"projectId": project})
    assert listed == {
        "items": [
            [changed["images"][0][0], dataset, "1", changed["images"][0][1]],
            [*first["images"][1][:1], dataset, "2", first["images"][1][1]],
        ],
        "after": None,
    }
    assert platform.call("images.info", {"id": changed["images"][0][0]})["meta"] == {"x": 1}


def test_a_batch_is_taken_whole_or_not_at_all(platform, project, content):
    """One image that cannot be taken keeps the others out."""
    dataset = platform.call("autoflow.folders.shape", {"projectId": project, "datasets": [["a"]]})["datasets"][0]
    good = {"name": "1", "hash": content(1)}
    before = state(platform, project)
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
            platform.call("autoflow.folders.put", {"datasetId": dataset, "images": [good, wrong]})
    assert state(platform, project) == before
    assert platform.call("autoflow.folders.items", {"projectId": project})["items"] == []


def test_remove_takes_away_what_is_there(platform, project, content):
    """Numbers that are gone, or another project's, are passed over; the running digest stays right."""
    shape = {"projectId": project, "datasets": [["a"], ["a", "b"]]}
    outer, inner = platform.call("autoflow.folders.shape", shape)["datasets"]
    images = [{"name": str(number), "hash": content(number)} for number in range(3)]
    told = platform.call("autoflow.folders.put", {"datasetId": inner, "images": images})["images"]
    other = platform.call("projects.add", {"workspaceId": 1, "name": "other"})["id"]
    body = {"projectId": other, "images": [told[0][0]], "datasets": [outer]}
    platform.call("autoflow.folders.remove", body)
    assert len(platform.call("autoflow.folders.items", {"projectId": project})["items"]) == 3
    body = {"projectId": project, "images": [told[0][0], 999], "datasets": []}
    platform.call("autoflow.folders.remove", body)
    assert len(platform.call("autoflow.folders.items", {"projectId": project})["items"]) == 2
    platform.call("autoflow.folders.remove", {"projectId": project, "images": [], "datasets": [outer, inner]})
    assert platform.call("datasets.list", {"projectId": project, "recursive": True})["entities"] == []
    with platform._store.read() as rows:
        assert change_tracking.digest_of(rows, project) == state(platform, project)


def test_contents_and_paths_are_those_of_a_version(platform, project, content):
    """What the version has is given by its hash, what it has not is not, and where it is only on this machine."""
    dataset = platform.call("autoflow.folders.shape", {"projectId": project, "datasets": [["a"]]})["datasets"][0]
    one, other = content(1), content(2)
    platform.call("autoflow.folders.put", {"datasetId": dataset, "images": [{"name": "1", "hash": one}]})
    version = platform.call("autoflow.versions.snapshot", {"projectId": project})["id"]
    platform.call("autoflow.folders.put", {"datasetId": dataset, "images": [{"name": "1", "hash": other}]})
    whole = b"".join(platform.download("autoflow.folders.contents", {"id": version, "hashes": [one, one]}))
    head, _, rest = whole.partition(b"\n")
    assert head.decode() == f"{one} {len(rest)}"
    with pytest.raises(ServerRefused, match="content"):
        platform.download("autoflow.folders.contents", {"id": version, "hashes": [other]})
    paths = platform.call("autoflow.folders.paths", {"id": version, "hashes": [one, other]})["paths"]
    with open(paths.pop(one), "rb") as file:
        assert file.read() == rest
    assert paths == {}
    served = Caller(site="http://127.0.0.1:1")
    assert platform.call("autoflow.folders.paths", {"id": version, "hashes": [one]}, served) == {"paths": {}}
    with pytest.raises(ServerRefused, match="the most"):
        platform.call("autoflow.folders.paths", {"id": version, "hashes": [one] * 10_001})
