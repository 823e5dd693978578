"""A whole store copied to a server."""

from __future__ import annotations

import io
import json

import pytest

from autoflow.errors import ServerUnreachable, TransferError
from autoflow.model.run_contents import split
from autoflow.transfer.store import TITLE, copy_store
from autoflow.transfer.versions import copy_version
from autoflow.transport.http import HttpTransport
from autoflow.wire.parts import Part
from tests.serving import served
from tests.transfer.test_versions import Failing, Lemons, content, on_sqlite_target

PATH = "/models/best.pt"


def upload(transport, data, team=1, path=PATH):
    folder, _, name = path.rpartition("/")
    parts = [Part("name", name), Part("path", folder + "/"), Part("file", io.BytesIO(data), name, "text/plain")]
    return transport.upload("file-storage.bulk.upload", parts, {"teamId": team})[0]["id"]


class Recorded(Lemons):
    """A store with a project, a replaced file, and a run that read the one and wrote the other."""

    def __init__(self, transport):
        super().__init__(transport)
        self._transport, self._count = transport, 0
        self.files = [upload(transport, data) for data in (b"first", b"second")]
        self.record("run", name="Train", facts={"parameters": {"lr": 0.1}})
        described, pieces = split(b"diff")
        self.record("facts", facts={"patch": described, "result": {"mAP": 0.5}}, contents=pieces)
        self.edge("input", "project_version", self.version)
        self.edge("input", "dataset", self.outer)
        self.edge("output", "file", self.files[0], {"customRelationSettings": {"title": "Weights"}})
        self.edge("output", "folder", "/models")
        self.record("log", lines="epoch 1")
        self.record("finish", state="finished", error=None)
        self.record("run", "later", name="Evaluate")
        self.edge("input", "task", 1, run="later")

    def record(self, kind, run="r", **more):
        self._count += 1
        record = {"key": f"j.{self._count}", "type": kind, "run": run, "at": 1_790_000_000_000_000_000, **more}
        (result,) = self._transport.call("autoflow.records.add", {"records": [record]})["results"]
        assert result["status"] == "applied", result

    def edge(self, direction, kind, number, meta=None, run="r"):
        self.record("edge", run, direction=direction, entity={"type": kind, "id": number, "origin": ""}, meta=meta)


def test_push_a_store(source, connect):
    """Projects, versions, files and runs arrive once, with their lineage and new numbers; later only what is new."""
    recorded, target = Recorded(source), connect()
    assert upload(target, b"theirs", 2) == 1
    assert copy_store(source, target, dry_run=True)[:3] == (2, 2, 2)
    assert target.call("projects.list", {"workspaceId": 2})["entities"] == []
    copy = copy_store(source, target)
    assert copy[:3] == (2, 2, 2)
    project, (train, later) = copy.projects[recorded.project], (copy.tasks[1], copy.tasks[2])
    first, second = target.call("projects.versions.list", {"projectId": project})["entities"]
    assert content(target, first["id"]) == content(source, recorded.version)
    assert (first["name"], second["name"]) == ("baseline", TITLE)
    (moved,) = copy.moved.values()
    assert moved.startswith("/pushed/")
    (theirs,) = target.call("autoflow.files.history", {"teamId": 2, "path": PATH})["files"]
    assert theirs["current"]
    trace = target.call("autoflow.trace", {"ref": f"task:{train}"})
    (run,) = trace["runs"].values()
    assert (run["name"], run["state"], run["facts"]["parameters"]) == ("Train", "finished", {"lr": 0.1})
    inputs = {trace["data"][key]["ref"] for key in run["inputs"]}
    assert f"version:{first['id']}" in inputs
    assert run["startedAt"] == source.call("tasks.info", {"id": 1})["startedAt"]
    details = target.call("autoflow.overview.run", {"id": train})
    outputs = {entry["type"]: entry["id"] for entry in details["outputs"]}
    written = b"".join(target.download("file-storage.download", {"id": int(outputs["file"])}))
    assert (written, outputs["folder"]) == (b"first", "/models")
    (piece,) = run["facts"]["patch"]["pieces"]
    assert target.call("autoflow.runs.contents", {"task": train, "pieces": [piece]})["contents"].keys() == {piece}
    assert json.dumps(target.call("autoflow.overview.log", {"id": train})).count("epoch 1") == 1
    (entry,) = target.call("autoflow.overview.run", {"id": later})["inputs"]
    assert str(entry["id"]) == str(train)
    again = copy_store(source, target)
    assert (again[:3], again.projects, again.tasks) == ((0, 0, 0), copy.projects, copy.tasks)
    recorded.record("finish", "later", state="failed", error="no data")
    assert copy_store(source, target, dry_run=True)[:3] == (0, 0, 1)
    assert copy_store(source, target)[:3] == (0, 0, 1)
    assert target.call("tasks.info", {"id": later})["autoflow"]["state"] == "failed"


@on_sqlite_target
def test_an_interrupted_push_goes_on(source, connect, target_server):
    """A push that was killed is continued by the next one; each team has its own copies, and a store none of itself."""
    Recorded(source)
    target = connect()
    for method in ("autoflow.transfers.finish", "autoflow.transfers.link", "autoflow.records.add"):
        with pytest.raises(ServerUnreachable):
            copy_store(source, Failing(target, method, 0))
    copy = copy_store(source, target)
    assert (len(copy.projects), len(copy.tasks)) == (1, 2)
    assert len(target.call("projects.list", {"workspaceId": 2})["entities"]) == 1
    eve = connect("eve", "Other")
    assert copy_store(source, eve)[:3] == (2, 2, 2)
    assert len(eve.call("autoflow.overview.runs", {})["runs"]) == 2
    with served(source._open()) as url, pytest.raises(TransferError, match="serves the same store"):
        copy_store(source, HttpTransport(url, lambda: None))


@on_sqlite_target
def test_versions_with_erased_images_are_skipped(source, connect):
    """They are named, and nothing of them is begun; what follows them is copied, also beside an earlier copy."""
    lemons, target = Lemons(source), connect()
    first = copy_version(source, target, lemons.version)
    state = source.call("autoflow.erase.run", {"refs": [f"image:{lemons.images[0]}"]})
    while not state["done"]:
        state = source.call("autoflow.erase.run", {"id": state["id"]})
    assert copy_store(source, target).projects[lemons.project] != first.project
    eve = connect("eve", "Other")
    copy = copy_store(source, eve)
    assert copy.versions == 1
    assert copy.skipped.keys() == {lemons.version}
    assert "were erased" in copy.skipped[lemons.version]
    (project,) = eve.call("projects.list", {"workspaceId": 3})["entities"]
    assert (project["id"], project["name"]) == (copy.projects[lemons.project], "lemons")
    assert copy_store(source, eve)[:3] == (0, 0, 0)
