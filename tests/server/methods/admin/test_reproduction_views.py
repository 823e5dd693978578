"""The data as the command of a reproduction sees it: at its recorded numbers, names and paths, and what it wrote."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest

from autoflow.errors import NotAllowed, ServerRefused
from autoflow.wire.parts import Part


def upload(server, who, path, data):
    folder, _, name = path.rpartition("/")
    parts = [Part("name", name), Part("path", folder + "/"), Part("file", io.BytesIO(data), name)]
    return server.upload("file-storage.bulk.upload", parts, {"teamId": 1}, who)[0]


def read(server, who, **request):
    return b"".join(server.download("file-storage.download", request, who))


@pytest.fixture
def world(server):
    """A run that read a project and a file, both changed since; a reproduction of it, and the caller of its token."""
    ann = server.tokens.caller(server.tokens.create("ann", ["Team", "Second"]))

    def call(method, who=ann, **body):
        return server.call(method, body, who)

    made = SimpleNamespace(server=server, ann=ann, call=call)
    made.project = call("projects.add", workspaceId=1, name="lemons")["id"]
    made.dataset = call("datasets.add", projectId=made.project, name="ds")["id"]
    made.version = call("autoflow.versions.snapshot", projectId=made.project)["id"]
    upload(server, ann, "/configs/undeclared.yaml", b"recorded")
    made.config = upload(server, ann, "/configs/a.yaml", b"recorded")["id"]
    made.task = call("autoflow.runs.ensure", run="recorded", name="Train")["task"]
    call("tasks.status.update", id=made.task, status="started")
    made.later = call("projects.add", workspaceId=1, name="predictions")["id"]
    call("datasets.add", projectId=made.project, name="later")
    for path in ("/configs/a.yaml", "/configs/undeclared.yaml"):
        upload(server, ann, path, b"changed")
    made.issued = call("autoflow.reproduction.token", task=made.task)
    restored = call("autoflow.versions.restore", id=made.version)
    assert restored["done"]
    made.restored = restored["id"]
    projects = [{"recorded": made.project, "restored": made.restored, "name": "lemons"}]
    files = [{"id": made.config, "path": "/configs/a.yaml"}]
    view = call("autoflow.reproduction.view", id=made.issued["id"], projects=projects, files=files)
    assert view == {"namespace": f"/reproduced/task-{made.task}"}
    made.command = server.tokens.caller(made.issued["token"])
    return made


def test_a_recorded_project_is_the_restored_one(world):
    """By number, by name and in lists, under its recorded number; later projects are not listed."""
    call, command = world.call, world.command
    assert call("projects.info", command, id=world.project)["name"] == "lemons"
    datasets = call("datasets.list", command, projectId=world.project)["entities"]
    assert [(entry["id"], entry["name"], entry["projectId"]) for entry in datasets] == [
        (world.dataset, "ds", world.project)
    ]
    assert call("datasets.info", command, id=str(world.dataset))["projectId"] == world.project
    listed = call("projects.list", command, workspaceId=1)
    assert [(entry["id"], entry["name"]) for entry in listed["entities"]] == [(world.project, "lemons")]
    assert listed["total"] == 1
    by_name = [{"field": "name", "operator": "=", "value": "lemons"}]
    named = call("projects.list", command, workspaceId=1, filter=by_name)["entities"]
    assert [entry["datasetsCount"] for entry in named] == [1]
    assert call("datasets.list", projectId=world.project)["total"] == 2  # as everybody else sees it


def test_a_recorded_file_has_its_recorded_bytes(world):
    """By its path, alone or in its folder; others see the present file."""
    server, command = world.server, world.command
    assert read(server, command, teamId=1, path="/configs/a.yaml") == b"recorded"
    assert read(server, command, teamId=1, path="/configs/undeclared.yaml") == b"recorded"
    assert read(server, world.ann, teamId=1, path="/configs/a.yaml") == b"changed"
    for path in ("/configs/a.yaml", "/configs"):
        entry = world.call("file-storage.list", command, teamId=1, path=path)[0]
        assert (entry["id"], entry["path"]) == (world.config, "/configs/a.yaml")


def test_what_it_writes_is_apart(world):
    """It finds its own files and projects where it wrote them; the recorded paths and names keep what they have."""
    server, command, call = world.server, world.command, world.call
    own = upload(server, command, "/configs/a.yaml", b"own")
    assert own["path"] == "/configs/a.yaml"
    assert read(server, command, teamId=1, path="/configs/a.yaml") == b"own"
    assert call("file-storage.list", command, teamId=1, path="/configs")[0]["id"] == own["id"]
    assert read(server, world.ann, teamId=1, path="/configs/a.yaml") == b"changed"
    assert read(server, world.ann, teamId=1, path=f"/reproduced/task-{world.task}/configs/a.yaml") == b"own"
    made = call("projects.add", command, workspaceId=1, name="predictions")
    assert made["name"] == "predictions"
    by_name = [{"field": "name", "operator": "=", "value": "predictions"}]
    assert [entry["id"] for entry in call("projects.list", command, filter=by_name)["entities"]] == [made["id"]]
    assert call("projects.info", id=made["id"])["name"] == f"predictions (reproduced task-{world.task})"


def test_its_records_name_the_restored_data(world):
    """Edges lead to the restored project and to the folder that it wrote."""
    call = world.call
    entities = [
        ("input", {"type": "project", "id": world.project, "origin": ""}),
        ("output", {"type": "folder", "id": "/runs/a", "origin": ""}),
    ]
    records = [
        {
            "key": f"e{n}",
            "type": "edge",
            "run": "again",
            "direction": direction,
            "entity": entity,
            "meta": None,
            "at": 1,
        }
        for n, (direction, entity) in enumerate(entities)
    ]
    start = {"key": "s", "type": "run", "run": "again", "name": "Train", "at": 1}
    answer = call("autoflow.records.add", world.command, records=[start, *records])
    assert [result["status"] for result in answer["results"]] == ["applied"] * 3
    data = call("autoflow.trace", ref=f"task:{answer['tasks']['again']}")["data"]
    refs = {entity["ref"] for entity in data.values()}
    assert f"project:{world.restored}" in refs
    assert f"/reproduced/task-{world.task}/runs/a" in {entity["id"] for entity in data.values()}


def test_only_own_data_can_be_seen(world):
    """A view names projects that its user restored, and files that the user sees; another user sets none."""
    call, number = world.call, world.issued["id"]
    bob = world.server.tokens.caller(world.server.tokens.create("bob", ["Third"]))
    secret = call(
        "projects.add", bob, workspaceId=call("workspaces.list", bob, teamId=3)["entities"][0]["id"], name="x"
    )
    for project, error in ((world.project, NotAllowed), (secret["id"], ServerRefused)):
        entry = {"recorded": world.project, "restored": project, "name": "lemons"}
        with pytest.raises(error):
            call("autoflow.reproduction.view", id=number, projects=[entry])
    for method in ("autoflow.reproduction.view", "autoflow.reproduction.discard"):
        with pytest.raises(ServerRefused, match="unknown"):
            call(method, bob, id=number)
        with pytest.raises(NotAllowed, match="must not call"):
            call(method, world.command, id=number)


def test_malformed_requests_are_refused(world):
    """They reach the method that refuses them, whatever the view replaces in others."""
    entity = {"type": ["project"], "id": 1}
    edge = {"type": "edge", "key": "k", "run": "r", "direction": "input", "entity": entity}
    outcome = world.call("autoflow.records.add", world.command, records=[edge])["results"][0]
    assert outcome["status"] == "refused"
    with pytest.raises(ServerRefused, match="filter"):
        world.call("projects.list", world.command, workspaceId=1, filter=5)


def test_what_was_written_is_discarded(world):
    """The restored project, projects it created and the user's files of its folder; nothing else, and audited."""
    call, server = world.call, world.server
    bob = server.tokens.caller(server.tokens.create("robert", ["Team"]))
    theirs = upload(server, bob, f"/reproduced/task-{world.task}/theirs.txt", b"of another reproduction")
    upload(server, world.command, "/configs/a.yaml", b"own")
    call("projects.add", world.command, workspaceId=1, name="predictions")
    assert call("autoflow.reproduction.discard", id=world.issued["id"]) == {"projects": 2, "files": 1}
    assert [entry["id"] for entry in call("projects.list", workspaceId=1)["entities"]] == [world.project, world.later]
    assert [file["id"] for file in call("file-storage.list", teamId=1, path="/reproduced")] == [theirs["id"]]
    actions = [(entry["action"], entry["name"]) for entry in server.call("autoflow.audit.list", {})["entries"]]
    assert ("file.delete", "1 files") in actions
    assert sum(action == "project.delete" for action, _ in actions) == 2
    assert len(call("file-storage.list", teamId=1, path="/configs")) == 2
