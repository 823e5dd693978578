"""Tokens of reproductions: they can read and write new things, they expire, and they can do nothing else."""

from __future__ import annotations

import contextlib
import io
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from autoflow.cli.main import main
from autoflow.errors import NotAllowed, ServerRefused
from autoflow.server import server
from autoflow.server.db import clock
from autoflow.server.db.schema import tokens
from autoflow.server.http.authentication import Authenticator
from autoflow.server.methods.admin.reproduction_tokens import LIFETIME, WRITABLE
from autoflow.wire.parts import Part

READING = {*server.READING}
FOR_ADMINS = {"autoflow.audit.list", "autoflow.erase.list", "autoflow.retention"}


def record(kind, run, **more):
    return {"key": f"{run} {kind} {more}", "type": kind, "run": run, **more}


@pytest.fixture(scope="module")
def world(module_server):
    """Ann's data from before she got a token for the reproduction of her task, and the token's caller."""
    ann = module_server.tokens.caller(module_server.tokens.create("ann", ["Team", "Second"]))
    made = SimpleNamespace(server=module_server, ann=ann)
    made.project = module_server.call("projects.add", {"workspaceId": 1, "name": "old"}, ann)["id"]
    made.dataset = module_server.call("datasets.add", {"projectId": made.project, "name": "d"}, ann)["id"]
    classes, tags = [{"title": "c", "shape": "any"}], [{"name": "t", "value_type": "none"}]
    meta = {"id": made.project, "meta": {"classes": classes, "tags": tags}}
    meta = module_server.call("projects.meta.update", meta, ann)
    made.class_id, made.tag = meta["classes"][0]["id"], meta["tags"][0]["id"]
    images = {"datasetId": made.dataset, "images": [{"title": "a", "link": "http://x/a.png"}]}
    made.image = module_server.call("images.bulk.add", images, ann)[0]["id"]
    figure = {"classId": made.class_id, "geometryType": "point", "geometry": {"points": {}}}
    figures = {"entityId": made.image, "figures": [figure]}
    made.figure = module_server.call("figures.bulk.add", figures, ann)[0]["id"]
    made.task = module_server.call("autoflow.runs.ensure", {"run": "old", "name": "Train"}, ann)["task"]
    made.second = module_server.call("projects.add", {"workspaceId": 2, "name": "other team's"}, ann)["id"]
    made.issued = module_server.call("autoflow.reproduction.token", {"task": made.task}, ann)
    made.restricted = module_server.tokens.caller(made.issued["token"])
    return made


def call_restricted(world, method, body):
    """Call a method with the token of the reproduction."""
    if method in server.UPLOADS:
        return world.server.upload(method, body.pop("parts", []), body, world.restricted)
    if method in server.DOWNLOADS:
        return world.server.content(method, body, world.restricted)
    return world.server.call(method, body, world.restricted)


@pytest.mark.parametrize("method", sorted(server.METHODS - READING - WRITABLE))
def test_every_other_method_is_refused(world, method):
    """A method that writes is refused unless it is in the list, methods added later included."""
    before = world.server.call("autoflow.changes", {})
    with pytest.raises(NotAllowed, match=f"must not call {method}") as refusal:
        call_restricted(world, method, {"id": world.project, "task": world.task})
    assert refusal.value.status == 403
    assert world.server.call("autoflow.changes", {}) == before


@pytest.mark.parametrize("method", sorted(READING - FOR_ADMINS))
def test_every_method_that_reads_is_permitted(world, method):
    """It may be refused for its body, but never for the token."""
    with contextlib.suppress(ServerRefused):
        try:
            call_restricted(world, method, {"id": world.project})
        except NotAllowed as refusal:
            pytest.fail(str(refusal))


def test_the_list_names_existing_methods_that_write():
    """Methods that read are permitted anyway."""
    assert WRITABLE <= server.METHODS - READING


# Methods of the list that only ever add rows, or are tested by themselves below.
ADDING = {
    "autoflow.records.add",
    "autoflow.tasks.ensure",
    "autoflow.folders.upload",
    "autoflow.folders.look",
    "autoflow.folders.paths",
    "file-storage.upload",
    "file-storage.bulk.upload",
    "images.bulk.upload",
    "images.internal.hashes.list",
    "projects.add",
    "projects.clone",
    "tasks.meta.update",
    "tasks.data.set",
    "tasks.app-v2.data.set",
}
CHANGING = [
    ("projects.editInfo", lambda w: {"id": w.project, "name": "x"}),
    ("projects.settings.update", lambda w: {"id": w.project, "settings": {"a": 1}}),
    ("projects.meta.update", lambda w: {"id": w.project, "meta": {"classes": [], "tags": []}}),
    ("datasets.add", lambda w: {"projectId": w.project, "name": "x"}),
    ("images.bulk.add", lambda w: {"datasetId": w.dataset, "images": [{"title": "a", "link": "http://x/a.png"}]}),
    ("annotations.bulk.add", lambda w: {"datasetId": w.dataset, "annotations": []}),
    (
        "figures.bulk.add",
        lambda w: {"entityId": w.image, "figures": [{"classId": w.class_id, "geometry": {}}]},
    ),
    ("figures.bulk.upload.geometry", lambda w: {"parts": geometry(w.figure)}),
    ("image-tags.bulk.add-to-image", lambda w: {"ids": [w.image], "tagId": w.tag}),
    ("tags.bulk.add", lambda w: {"projectId": w.project, "tags": []}),
    ("tags.entities.bulk.add", lambda w: {"projectId": w.project, "tags": []}),
    ("autoflow.folders.shape", lambda w: {"projectId": w.project, "datasets": []}),
    ("autoflow.folders.put", lambda w: {"datasetId": w.dataset, "images": []}),
    ("autoflow.versions.snapshot", lambda w: {"projectId": w.project}),
    ("autoflow.runs.ensure", lambda w: {"run": "new run of old task", "task": w.task}),
    ("tasks.output.set", lambda w: {"taskId": w.task, "output": {}}),
    ("tasks.logs.add", lambda w: {"logs": [{"task_id": w.task, "message": "m"}]}),
    ("tasks.status.update", lambda w: {"id": w.task, "status": "error"}),
    *(
        (method, lambda w: {"node": {"type": "task", "id": w.task}, "type": "project", "id": w.project})
        for method in ("workflow.node.add-input", "workflow.node.add-output")
    ),
]


def geometry(figure):
    return [Part("figureId", str(figure)), Part("geometry", io.BytesIO(b'{"points": {}}'), "g")]


def test_every_method_of_the_list_is_tested_with_older_data():
    """A method that is added to the list is added here."""
    assert ADDING | {method for method, _body in CHANGING} == WRITABLE


@pytest.mark.parametrize(("method", "body"), CHANGING)
def test_older_data_cannot_be_changed(world, method, body):
    """Data of the same user that is older than the token is refused."""
    before = world.server.call("autoflow.changes", {})
    with pytest.raises(NotAllowed, match="not made by this reproduction") as refusal:
        call_restricted(world, method, body(world))
    assert refusal.value.status == 403
    assert world.server.call("autoflow.changes", {}) == before


def test_records_of_older_runs_are_refused(world):
    """Each by itself: those of a new run in the same batch are applied."""
    records = [record("run", "new", name="Again"), record("log", "old", lines="x"), record("facts", "new", facts={})]
    records.append(record("edge", "new", task=world.task, direction="input", entity={"type": "folder", "id": "/a"}))
    results = call_restricted(world, "autoflow.records.add", {"records": records})["results"]
    assert [result["status"] for result in results] == ["applied", "refused", "applied", "refused"]
    assert "not made by this reproduction" in results[1]["reason"]


def test_newer_data_can_be_changed(world):
    """Data made by the token, or by its user as a restore does; not another user's."""
    mine = call_restricted(world, "projects.add", {"workspaceId": 1, "name": "new"})["id"]
    restored = world.server.call("projects.add", {"workspaceId": 1, "name": "restored"}, world.ann)["id"]
    for project in (mine, restored):
        assert call_restricted(world, "datasets.add", {"projectId": project, "name": "d"})
        assert call_restricted(world, "autoflow.versions.snapshot", {"projectId": project})
    assert call_restricted(world, "projects.clone", {"id": world.project, "workspaceId": 1, "name": "clone"})
    bob = world.server.tokens.caller(world.server.tokens.create("bob", ["Team"]))
    others = world.server.call("projects.add", {"workspaceId": 1, "name": "bob's"}, bob)["id"]
    with pytest.raises(NotAllowed):
        call_restricted(world, "datasets.add", {"projectId": others, "name": "d"})


def test_a_file_at_an_existing_path_is_a_new_file(world):
    """The older file stays readable by its id."""

    def upload(data, who):
        parts = [Part("name", "f"), Part("path", "/"), Part("file", io.BytesIO(data), "f")]
        return world.server.upload("file-storage.bulk.upload", parts, {"teamId": 1}, who)[0]["id"]

    old = upload(b"old", world.ann)
    assert upload(b"new", world.restricted) != old
    assert b"".join(world.server.download("file-storage.download", {"id": old}, world.restricted)) == b"old"


def test_other_teams_of_the_user_are_invisible(world):
    """The token is for the team of the task alone."""
    with pytest.raises(ServerRefused, match="unknown"):
        call_restricted(world, "projects.info", {"id": world.second})


def test_a_token_expires_by_the_clock_of_the_database(world):
    """Then the error is 401 and says that the token expired."""
    issued = world.server.call("autoflow.reproduction.token", {"task": world.task}, world.ann)
    world.server.tokens.caller(issued["token"])
    with world.server.store.write() as conn:
        ends = conn.execute(tokens.select().where(tokens.c.id == issued["id"])).one().expires_at
        late, early = (conn.execute(select(clock.after(conn, LIFETIME + by))).scalar() for by in (0, -60))
        assert early < ends <= late
        conn.execute(update(tokens).where(tokens.c.id == issued["id"]).values(expires_at=clock.now(conn)))
    with pytest.raises(NotAllowed, match="expired at") as refusal:
        world.server.tokens.caller(issued["token"])
    assert refusal.value.status == 401


def test_only_ones_own_reproduction_token_is_revoked(world):
    """Neither another user's, nor one that was created on the command line."""
    issued = world.server.call("autoflow.reproduction.token", {"task": world.task}, world.ann)
    bob = world.server.tokens.caller(world.server.tokens.create("bob", ["Team"]))
    by_hand = world.server.tokens.list()[0].id
    for number, who in ((issued["id"], bob), (by_hand, world.ann)):
        with pytest.raises(ServerRefused, match="unknown"):
            world.server.call("autoflow.reproduction.revoke", {"id": number}, who)
    world.server.call("autoflow.reproduction.revoke", {"id": issued["id"]}, world.ann)
    with pytest.raises(NotAllowed, match="not valid"):
        world.server.tokens.caller(issued["token"])


def test_a_token_ends_when_its_user_leaves_the_team(server):
    """Being in another team does not keep it valid."""
    ann = server.tokens.caller(server.tokens.create("ann", ["Team", "Second"]))
    task = server.call("autoflow.runs.ensure", {"run": "r"}, ann)["task"]
    issued = server.call("autoflow.reproduction.token", {"task": task}, ann)
    server.tokens.remove_from_teams("ann", ["Team"])
    with pytest.raises(NotAllowed, match="has left the team"):
        server.tokens.caller(issued["token"])


def test_a_server_without_authorization_issues_one_too(filled):
    """It restricts the command as elsewhere, and is not valid once the server needs tokens."""
    server = filled.server
    task = filled.call("autoflow.runs.ensure", run="r")["task"]
    token = filled.call("autoflow.reproduction.token", task=task)["token"]
    restricted = Authenticator(server.tokens, required=False).authenticate(token, "", "")
    assert "total" in server.call("projects.list", {}, restricted)
    with pytest.raises(NotAllowed, match="must not call"):
        server.call("projects.remove", {"id": 1}, restricted)
    with pytest.raises(NotAllowed, match="while the server needed none"):
        Authenticator(server.tokens, required=True).authenticate(token, "", "")


def test_the_command_line_lists_and_revokes_it(tmp_path, capsys, server):
    """The list shows its task and its expiry."""
    ann = server.tokens.caller(server.tokens.create("ann", ["Team"]))
    task = server.call("autoflow.runs.ensure", {"run": "r"}, ann)["task"]
    issued = server.call("autoflow.reproduction.token", {"task": task}, ann)
    with server.store.read() as conn:
        url = conn.engine.url.render_as_string(hide_password=False)
    where = ["--data", str(tmp_path / "home"), "--database", url]
    assert main(["token", "list", *where]) == 0
    assert f"to reproduce task:{task}, expires {issued['expiresAt']}" in capsys.readouterr().out
    assert main(["token", "revoke", str(issued["id"]), *where]) == 0
    with pytest.raises(NotAllowed, match="not valid"):
        server.tokens.caller(issued["token"])
