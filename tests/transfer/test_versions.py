"""Versions copied from one server to another."""

from __future__ import annotations

import io

import pytest

from autoflow.datasets.export import to_folder
from autoflow.datasets.sync import from_folder
from autoflow.errors import ServerRefused, ServerUnreachable, TransferError
from autoflow.server.methods.versions import transfers as methods
from autoflow.transfer.versions import copy_version
from autoflow.wire.contract import transfers as contract
from autoflow.wire.parts import Part
from tests.transfer.conftest import picture

on_sqlite_target = pytest.mark.parametrize("target_server", ["sqlite"], indirect=True)


class Lemons:
    """A project with nested datasets, classes, tags, annotations and a version, which was changed since."""

    def __init__(self, transport):
        call = transport.call
        self.project = call("projects.add", {"workspaceId": 1, "name": "lemons", "description": "sour"})["id"]
        classes, tags = [{"title": "lemon", "shape": "any"}], [{"name": "t", "value_type": "any_string"}]
        meta = {"classes": classes, "tags": tags}
        self.meta = call("projects.meta.update", {"id": self.project, "meta": meta})
        outer = call("datasets.add", {"projectId": self.project, "name": "outer"})["id"]
        inner = call("datasets.add", {"projectId": self.project, "name": "inner", "parentId": outer})["id"]
        self.images = [self.add(call, transport, inner, f"{number}.png", (number, 2, 3)) for number in range(5)]
        self.images.append(self.add(call, transport, outer, "again.png", (1, 2, 3)))
        points = {"exterior": [[0, 0], [1.5, 0], [1, 1]], "interior": []}
        figure = {"classTitle": "lemon", "geometryType": "polygon", "points": points, "tags": []}
        annotation = {"objects": [figure], "tags": [{"name": "t", "value": "é"}], "size": {"height": 3, "width": 4}}
        drawn = [{"imageId": image, "annotation": annotation} for image in self.images[:2]]
        call("annotations.bulk.add", {"datasetId": inner, "annotations": drawn})
        titles = {"title": "baseline", "description": "before"}
        self.version = call("autoflow.versions.snapshot", {"projectId": self.project, **titles})["id"]
        call("images.bulk.remove", {"imageIds": self.images[1:2]})
        call("images.editInfo", {"id": self.images[2], "name": "renamed.png"})
        self.outer = outer

    @staticmethod
    def add(call, transport, dataset, name, colour):
        part = Part("0-file", io.BytesIO(picture(colour)), "0", "image/png")
        content = transport.upload("images.bulk.upload", [part], {})[0]["hash"]
        images = [{"name": name, "hash": content}]
        return call("images.bulk.add", {"datasetId": dataset, "images": images})[0]["id"]


def content(transport, version):
    """The content of a version, without the ids of its server."""
    meta = transport.call("autoflow.versions.meta", {"id": version})
    body = {"id": version, "annotations": True}
    entries = transport.call("autoflow.versions.items", body)["items"]
    own = {"id", "datasetId", "figureId"}

    def plain(value):
        if isinstance(value, dict):
            return {name: plain(part) for name, part in value.items() if name not in own}
        return [plain(part) for part in value] if isinstance(value, list) else value

    shown = ("version", "name", "description", "digest", "itemsCount", "size", "createdAt")
    items = sorted(plain(entries), key=lambda entry: (entry["dataset"], entry["name"]))
    return [{name: meta["version"][name] for name in shown}, meta["meta"], items]


def contents_of(transport, version):
    hashes = [entry["hash"] for entry in transport.call("autoflow.versions.items", {"id": version})["items"]]
    return b"".join(transport.download("autoflow.folders.contents", {"id": version, "hashes": hashes}))


def test_push_and_pull(source, connect, target_server):
    """A version keeps its digest, content, number, title and times, is copied once, and returns as itself."""
    lemons, target = Lemons(source), connect()
    steps = []
    made = copy_version(source, target, lemons.version, progress=lambda *step: steps.append(step))
    assert (made.created, made.items, made.uploaded, made.name, made.number) == (True, 6, 5, "lemons", 1)
    assert steps[-1] == (6, 6)
    assert content(target, made.version) == content(source, lemons.version)
    assert contents_of(target, made.version) == contents_of(source, lemons.version)
    assert target.call("projects.info", {"id": made.project})["description"] == "sour"
    assert copy_version(source, target, lemons.version) == (*made[:4], False, 6, 0)
    assert copy_version(target, source, made.version)[:2] == (lemons.project, lemons.version)
    assert target_server.call("autoflow.upkeep.verify", {"level": 3})["problems"] == []
    # the copy is a project like any other
    restored = target.call("autoflow.versions.restore", {"id": made.version})
    assert restored["done"]
    again = target.call("autoflow.versions.snapshot", {"projectId": restored["id"]})["id"]
    details = target.call("autoflow.versions.meta", {"id": again})["version"]
    assert details["digest"] == content(source, lemons.version)[0]["digest"]
    assert target.call("autoflow.versions.snapshot", {"projectId": made.project})["id"] == made.version


def test_numbers_of_both_stores(source, connect):
    """New datasets and classes of a copy never get a number by which it knows those of the source."""
    lemons, target = Lemons(source), connect()
    made = copy_version(source, target, lemons.version, name="mine")
    body = {"projectId": made.project}
    for number in range(6):
        target.call("datasets.add", {**body, "name": f"new {number}"})
        meta = target.call("projects.meta", {"id": made.project})
        meta["classes"].append({"title": f"new {number}", "shape": "any"})
        target.call("projects.meta.update", {"id": made.project, "meta": meta})
    version = target.call("autoflow.versions.snapshot", body)["id"]
    described = target.call("autoflow.transfers.source", {"id": version})
    assert len({entry["original"] for entry in described["datasets"]}) == 8
    assert len({entry["id"] for entry in target.call("projects.meta", {"id": made.project})["classes"]}) == 7
    diff = target.call("autoflow.versions.diff", {"from": made.version, "to": version})
    assert diff["counts"]["datasets"] == {"added": 6, "removed": 0, "changed": 0}
    assert diff["counts"]["classes"]["added"] == 6
    assert target.call("autoflow.versions.restore", {"id": version})["done"]


class Failing:
    """A transport that is cut off after a number of calls of a method."""

    def __init__(self, transport, method, calls):
        self._transport, self._method, self._left = transport, method, calls

    def __getattr__(self, name):
        return getattr(self._transport, name)

    def call(self, method, body, **options):
        response = self._transport.call(method, body, **options)
        if method == self._method:
            self._left -= 1
            if self._left < 0:
                raise ServerUnreachable("cut off")
        return response


@on_sqlite_target
def test_interrupted(source, connect, monkeypatch):
    """An interrupted copy is not seen, and the next one goes on where it ended, after a lost response, too."""
    monkeypatch.setattr(methods, "PAGE", 2)
    lemons, target = Lemons(source), connect()
    with pytest.raises(ServerUnreachable):
        copy_version(source, Failing(target, contract.TRANSFER_PUT.name, 1), lemons.version)
    assert target.call("projects.list", {"workspaceId": 2})["entities"] == []
    made = copy_version(source, target, lemons.version)
    assert (made.created, made.uploaded, made.name) == (True, 1, "lemons")
    assert content(target, made.version) == content(source, lemons.version)


@on_sqlite_target
def test_digest_differs(source, connect):
    """A version whose content does not arrive as it was is refused, and nothing of it is left."""
    lemons, target = Lemons(source), connect()

    class Altered(Failing):
        def call(self, method, body, **options):
            if method == contract.TRANSFER_PUT.name:
                body["items"][0]["description"] = "altered"
            return super().call(method, body, **options)

    with pytest.raises(ServerRefused, match="is not that of version 1: 6 items instead of 6, digest") as refused:
        copy_version(source, Altered(target, "", 0), lemons.version)
    assert refused.value.status == 409
    assert target.call("projects.list", {"workspaceId": 2})["entities"] == []
    assert copy_version(source, target, lemons.version).created


@on_sqlite_target
def test_teams(source, connect):
    """A team has copies of its own, and reaches neither those of another team nor its transfers and contents."""
    lemons, ann, eve = Lemons(source), connect(), connect("eve", "Other")
    first = copy_version(source, ann, lemons.version)
    second = copy_version(source, eve, lemons.version)
    assert second.created
    assert (first.project, second.uploaded) != (second.project, 0)
    described = source.call("autoflow.transfers.source", {"id": lemons.version})
    described["version"]["digest"] = "other"
    begun = ann.call("autoflow.transfers.begin", {name: described[name] for name in ("origins", "version", "project")})
    for method, body in (("datasets", {"datasets": []}), ("put", {"after": 0, "upto": 9, "items": []}), ("finish", {})):
        with pytest.raises(ServerRefused) as refused:
            eve.call(f"autoflow.transfers.{method}", {"id": begun["id"], **body})
        assert refused.value.status == 404
    for method in ("source", "items", "documents"):
        with pytest.raises(ServerRefused) as refused:
            eve.call(f"autoflow.transfers.{method}", {"id": first.version, "hashes": []})
        assert refused.value.status == 404


@on_sqlite_target
def test_contents_that_were_not_sent(source, connect):
    """A request that names content out of its sender's reach is refused: what is stored is no secret to be guessed."""
    lemons, ann, eve = Lemons(source), connect(), connect("eve", "Other")
    copy_version(source, ann, lemons.version)
    described = source.call("autoflow.transfers.source", {"id": lemons.version})
    begun = eve.call("autoflow.transfers.begin", {name: described[name] for name in ("origins", "version", "project")})
    eve.call("autoflow.transfers.datasets", {"id": begun["id"], "datasets": described["datasets"]})
    items = source.call("autoflow.transfers.items", {"id": lemons.version})["items"]
    named = {"blobs": [items[0]["hash"]], "documents": [items[0]["annotation"]]}
    assert eve.call("autoflow.transfers.needs", named) == named
    linked = {**items[0], "hash": None, "link": "https://x/a.png"}
    own = eve.upload("images.bulk.upload", [Part("0-file", io.BytesIO(picture((9, 9, 9))), "0", "image/png")], {})[0]
    for entry, reason in (
        (items[0], "the content of item '0.png' has not been uploaded"),
        (linked, "the annotation of item '0.png' was not sent"),
        ({**items[0], "link": "file:///etc/passwd"}, "must have either a hash or a link"),
        ({**linked, "annotation": None, "dataset": 99}, "is in dataset 99, which was not sent"),
        ({**linked, "annotation": None, "tags": "[1]"}, "must be a list of objects"),
        ({**linked, "annotation": None, "meta": "["}, "is not a JSON object"),
        ({**linked, "annotation": None, "createdAt": "now"}, "is not a time"),
        ({**linked, "annotation": None, "name": "//autoflow/erased/1", "mime": "erased/0"}, "is marked as erased"),
        ({**items[0], "hash": own["hash"], "annotation": None, "size": 1 << 40}, "not have the size of its content"),
    ):
        with pytest.raises(ServerRefused, match=reason) as refused:
            eve.call("autoflow.transfers.put", {"id": begun["id"], "after": 0, "upto": 9, "items": [entry]})
        assert refused.value.status == 400


@on_sqlite_target
def test_projects_that_cannot_be(source, connect):
    """Content that this server would not create is not received: other types of projects, datasets nested endlessly."""
    described = source.call("autoflow.transfers.source", {"id": Lemons(source).version})
    begin = {name: described[name] for name in ("origins", "version", "project")}
    target = connect()
    with pytest.raises(ServerRefused, match="type 'meshes' are not supported"):
        target.call("autoflow.transfers.begin", {**begin, "project": {**begin["project"], "type": "meshes"}})
    begun = target.call("autoflow.transfers.begin", begin)
    times = dict.fromkeys(("createdAt", "updatedAt"), begin["version"]["createdAt"])
    nested = [{"original": number, "parent": number - 1 or None, "name": "d", **times} for number in range(1, 102)]
    with pytest.raises(ServerRefused, match="nested at most 100 deep"):
        target.call("autoflow.transfers.datasets", {"id": begun["id"], "datasets": nested})
    with pytest.raises(ServerRefused, match="a number of its own"):
        target.call("autoflow.transfers.datasets", {"id": begun["id"], "datasets": [nested[0], nested[0]]})


@on_sqlite_target
def test_objects_of_a_dataset(source, connect):
    """The row of an episode's objects, which has no bytes, is copied with the others."""
    project = source.call("projects.add", {"workspaceId": 1, "name": "drive", "type": "point_cloud_episodes"})["id"]
    meta = {"classes": [{"title": "car", "shape": "any"}], "tags": []}
    car = source.call("projects.meta.update", {"id": project, "meta": meta})["classes"][0]["id"]
    dataset = source.call("datasets.add", {"projectId": project, "name": "one"})["id"]
    objects = [{"classId": car, "tags": []}]
    source.call("annotation-objects.bulk.add", {"datasetId": dataset, "annotationObjects": objects})
    version = source.call("autoflow.versions.snapshot", {"projectId": project})["id"]
    assert copy_version(source, connect(), version).created


@on_sqlite_target
def test_servers_that_cannot(source, connect):
    """A version is copied to another server of this kind only."""
    with pytest.raises(TransferError, match="is on already"):
        copy_version(source, source, Lemons(source).version)
    with pytest.raises(ServerRefused, match="999"):
        copy_version(source, connect(), 999)


def test_the_next_version(source, connect):
    """A later version becomes the next one of the copy, by what changed; of a changed copy, a new project."""
    lemons, target = Lemons(source), connect()
    first = copy_version(source, target, lemons.version)
    call = source.call
    new = call("datasets.add", {"projectId": lemons.project, "name": "new"})["id"]
    Lemons.add(call, source, new, "n.png", (9, 9, 9))
    call(
        "image-tags.bulk.add-to-image", {"ids": [lemons.images[3]], "tagId": lemons.meta["tags"][0]["id"], "value": "v"}
    )
    second = call("autoflow.versions.snapshot", {"projectId": lemons.project})["id"]
    call("datasets.editInfo", {"id": new, "name": "renamed"})
    call("datasets.remove", {"id": lemons.outer})
    call("projects.meta.update", {"id": lemons.project, "meta": {"classes": [], "tags": []}})
    third = call("autoflow.versions.snapshot", {"projectId": lemons.project})["id"]
    copies = [copy_version(source, target, version) for version in (second, third)]
    assert [(copy.project, copy.number, copy.uploaded) for copy in copies] == [
        (first.project, 2, 1),
        (first.project, 3, 0),
    ]
    for copy, version in zip((first, *copies), (lemons.version, second, third), strict=True):
        assert content(target, copy.version) == content(source, version)
    before = {
        entry["name"]: entry["id"] for entry in target.call("autoflow.versions.items", {"id": first.version})["items"]
    }
    after = {
        entry["name"]: entry["id"]
        for entry in target.call("autoflow.versions.items", {"id": copies[0].version})["items"]
    }
    assert after["0.png"] == before["0.png"]
    assert after["3.png"] == before["3.png"]
    assert target.call("autoflow.versions.restore", {"id": copies[1].version})["done"]
    call("datasets.add", {"projectId": lemons.project, "name": "fourth"})
    fourth = call("autoflow.versions.snapshot", {"projectId": lemons.project})["id"]
    target.call("datasets.add", {"projectId": first.project, "name": "theirs"})
    diverged = copy_version(source, target, fourth)
    assert (diverged.name, diverged.number, diverged.created) == ("lemons_001", 4, True)


@on_sqlite_target
def test_files_of_any_kind(source, connect, tmp_path):
    """A version of a folder of files arrives as it is, with bytes that are no image."""
    (tmp_path / "data" / "train").mkdir(parents=True)
    (tmp_path / "data" / "train" / "a.csv").write_bytes(b"id\n1\n")
    (tmp_path / "data" / "empty").write_bytes(b"")
    project = from_folder(source, tmp_path / "data", workspace_id=1)
    version = source.call("autoflow.versions.snapshot", {"projectId": project.id})["id"]
    target = connect()
    made = copy_version(source, target, version)
    assert (project.type, content(target, made.version)) == ("files", content(source, version))
    to_folder(target, made.version, tmp_path / "out")
    assert (tmp_path / "out" / "train" / "a.csv").read_bytes() == b"id\n1\n"
