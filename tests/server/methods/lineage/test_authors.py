"""Authors of rows, and additions to runs that have ended."""

from __future__ import annotations

import io

import pytest

from autoflow.errors import ServerRefused
from autoflow.server.db import access, schema
from autoflow.wire.parts import Part

TEAM = "lemons"


class Member:
    """A user of a team, and what they ask."""

    def __init__(self, filled, name, *teams):
        self.filled = filled
        self.name = name
        self.caller = filled.server.tokens.caller(filled.server.tokens.create(name, teams or (TEAM,)))
        self.team = max(self.caller.teams)

    def call(self, method, **body):
        return self.filled.server.call(method, body, self.caller)

    def send(self, *records):
        return self.call("autoflow.records.add", records=list(records))["results"]

    def workspace(self):
        return self.call("workspaces.list", teamId=self.team)["entities"][0]["id"]

    def upload(self, colour):
        part = Part("0-file", io.BytesIO(self.filled.picture(colour)), "0", "image/*")
        return self.filled.server.upload("images.bulk.upload", [part], {}, self.caller)[0]["hash"]

    def file(self, path="/w.pt"):
        parts = [Part("name", path[1:]), Part("path", "/"), Part("file", io.BytesIO(b"w"), path[1:], "x/y")]
        return self.filled.server.upload("file-storage.bulk.upload", parts, {"teamId": self.team}, self.caller)[0]


@pytest.fixture
def ann(filled):
    return Member(filled, "ann")


@pytest.fixture
def bob(filled, ann):
    return Member(filled, "bob")


@pytest.fixture
def ended(filled, ann):
    """A run of Ann's that has ended; returns its task's id."""
    record = filled.record
    ann.send(
        record("run", name="Train", parameters={"epochs": 20}),
        record("edge", direction="output", entity={"type": "folder", "id": "/out"}),
        record("finish", state="finished"),
    )
    return ann.call("autoflow.runs.ensure", run="r1")["task"]


def read_facts(member, task):
    return member.call("tasks.info", id=task)["autoflow"]["facts"]


def test_every_row_names_its_author(filled, ann, bob, ended):
    """Projects, datasets, images, versions, files, runs, edges, logs and apps store their author's id."""
    bob.send(filled.record("log", run="b", lines="x"), filled.record("run", run="b", name="Serve"))
    workspace = bob.workspace()
    project = bob.call("projects.add", workspaceId=workspace, name="p")
    dataset = bob.call("datasets.add", projectId=project["id"], name="d")
    named = [{"name": "a", "hash": bob.upload((1, 2, 3))}]
    image = bob.call("images.bulk.add", datasetId=dataset["id"], images=named)[0]
    version = bob.call(
        "projects.versions.info", id=bob.call("autoflow.versions.snapshot", projectId=project["id"])["id"]
    )
    bob.call("workflow.node.add-input", node={"type": "task", "id": 77}, type="project", id=project["id"])
    tasks = bob.call("tasks.list", workspaceId=workspace)["entities"]
    apps = bob.call("apps.list", teamId=bob.team)["entities"]
    assert {row["createdBy"] for row in (project, dataset, image, version)} == {bob.caller.user}
    assert bob.file()["userId"] == bob.caller.user
    assert {task["id"]: task["createdBy"] for task in tasks if task["id"] in {77, ended}} == {
        77: bob.caller.user,
        ended: ann.caller.user,
    }
    assert {app["name"]: (app["createdBy"], app["userLogin"]) for app in apps} == {
        "Train": (ann.caller.user, "ann"),
        "Serve": (bob.caller.user, "bob"),
    }
    with filled.server._store.read() as conn:
        for table in (schema.edges, schema.runs, schema.logs):
            rows = conn.execute(table.select()).mappings().all()
            assert {row["created_by"] for row in rows} <= {ann.caller.user, bob.caller.user}


def test_cards_and_pages_show_the_author(filled, ann, ended):
    """A run's page, a trace and the cards of a graph have the author's login."""
    project = ann.call("projects.add", workspaceId=ann.workspace(), name="p")["id"]
    ann.send(filled.record("edge", run="r1", direction="input", entity={"type": "project", "id": project}))
    page = ann.call("autoflow.overview.run", id=ended)
    assert (page["createdBy"], [link["createdBy"] for link in page["inputs"]]) == ("ann", ["ann"])
    cards = {card["key"]: card["author"] for card in ann.call("autoflow.graph", task=ended)["cards"]}
    assert cards == {f"task:{ended}": "ann", f"project:{project}": "ann", "folder:/out": None}
    assert ann.call("autoflow.trace", ref=f"task:{ended}")["runs"][f"task:{ended}"]["createdBy"] == "ann"


def test_an_embedded_server_names_the_local_user(filled):
    """Without tokens, user 1 is the author of everything."""
    filled.send(filled.record("run", name="Train"))
    task = filled.call("autoflow.runs.ensure", run="r1")["task"]
    assert filled.call("tasks.info", id=task)["createdBy"] == access.LOCAL.user
    assert filled.call("autoflow.overview.run", id=task)["createdBy"] == "admin"


def test_facts_of_an_ended_run_are_append_only(filled, ann, ended):
    """A new fact is added to the run's facts; a fact that differs is stored beside them, with its author and time."""
    before = read_facts(ann, ended)
    results = ann.send(
        filled.record("facts", facts={"parameters": {"epochs": 1}, "late": 1}),
        filled.record("facts", facts={"late": 2}),
        filled.record("facts", facts={"late": 1}),
    )
    assert {result["status"] for result in results} == {"applied"}
    assert read_facts(ann, ended) == {**before, "late": 1}
    others = ann.call("autoflow.overview.run", id=ended)["otherFacts"]
    assert [(fact["facts"], fact["createdBy"]) for fact in others] == [
        ({"late": 2}, "ann"),
        ({"parameters": {"epochs": 1}}, "ann"),
    ]
    ann.call("tasks.output.set", taskId=ended, output={"a": 1})
    ann.call("tasks.output.set", taskId=ended, output={"a": 2})
    assert read_facts(ann, ended)["output"] == {"a": 1}


def test_a_second_run_of_a_number_keeps_the_facts_of_the_first(filled, ann, ended):
    """The second run's facts are shown; those of the first remain stored."""
    ann.send(filled.record("run", run="again", task=ended, parameters={"epochs": 30}))
    assert read_facts(ann, ended)["parameters"] == {"epochs": 30}
    others = ann.call("autoflow.overview.run", id=ended)["otherFacts"]
    assert [fact["facts"]["parameters"] for fact in others] == [{"epochs": 20}]


def test_late_edges_belong_to_the_run(filled, ann, ended):
    """A journal may arrive out of order and in parts: edges by the run's author are accepted after its end."""
    late = filled.record("edge", direction="input", entity={"type": "folder", "id": "/in"})
    assert [result["status"] for result in ann.send(late)] == ["applied"]
    assert [link["id"] for link in ann.call("autoflow.overview.run", id=ended)["inputs"]] == ["/in"]


@pytest.mark.parametrize(
    "record",
    [
        {"kind": "edge", "direction": "input", "entity": {"type": "folder", "id": "/in"}},
        {"kind": "facts", "facts": {"late": 1}},
        {"kind": "log", "lines": "x"},
        {"kind": "node", "node": {"title": "x"}},
        {"kind": "finish", "state": "failed"},
        {"kind": "run", "name": "Other"},
    ],
    ids=lambda record: record["kind"],
)
def test_another_user_cannot_add_to_an_ended_run(filled, ann, bob, ended, record):
    """Neither by the run's key nor by its number; while it runs, members of its team can."""
    before = ann.call("autoflow.overview.run", id=ended)
    by_key = filled.record(**record)
    by_number = filled.record(**record, run="bobs", task=ended)
    results = bob.send(by_key, by_number)
    if record["kind"] in {"facts", "log", "finish"}:  # of a run, whatever number they name
        results = results[:1]
    assert {result["status"] for result in results} == {"refused"}
    assert "another user" in results[0]["reason"]
    assert ann.call("autoflow.overview.run", id=ended) == before


def test_another_user_cannot_change_an_ended_task(ann, bob, ended):
    """The SDK's own methods are refused as well."""
    node = {"type": "task", "id": ended}
    for method, body in (
        ("workflow.node.add-input", {"node": node, "type": "folder", "id": "/in"}),
        ("tasks.output.set", {"taskId": ended, "output": {"a": 1}}),
        ("tasks.status.update", {"id": ended, "status": "error"}),
    ):
        with pytest.raises(ServerRefused, match="another user") as refusal:
            bob.call(method, **body)
        assert refusal.value.status == 409


# -- blobs by hash


def owned_image(member, colour):
    """Return the hash, the id and the dataset of a new image of a member."""
    project = member.call("projects.add", workspaceId=member.workspace(), name=f"of {colour}")["id"]
    dataset = member.call("datasets.add", projectId=project, name="d")["id"]
    content = member.upload(colour)
    image = member.call("images.bulk.add", datasetId=dataset, images=[{"name": "a", "hash": content}])[0]["id"]
    return content, image, dataset


def can_use(member, content, dataset):
    """Return whether a member's requests can use a blob by its hash, for each way to do so."""
    server, caller = member.filled.server, member.caller
    usable = [
        bool(server.call("images.internal.hashes.list", [content], caller)),
        bool(b"".join(server.download("images.bulk.download-by-hash", {"hashes": [content]}, caller)).count(b"PNG")),
        bool(member.call("autoflow.folders.look", hashes=[content])["sizes"]),
    ]
    for method in ("images.bulk.add", "autoflow.folders.put"):
        try:
            member.call(method, datasetId=dataset, images=[{"name": method, "hash": content}])
            usable.append(True)
        except ServerRefused as refusal:
            usable.append("has not been uploaded" not in str(refusal))
    return usable


def test_a_removed_member_cannot_use_blobs_by_hash(filled, ann):
    """Not even blobs that the user uploaded, or looked up as a member."""
    both = Member(filled, "eve", TEAM, "oranges")
    oranges = Member(filled, "eve", "oranges")
    other = oranges.call("projects.add", workspaceId=oranges.workspace(), name="own")["id"]
    dataset_id = oranges.call("datasets.add", projectId=other, name="d")["id"]
    anns, _, _ = owned_image(ann, (1, 1, 1))
    own, image, _ = owned_image(ann, (2, 2, 2))
    both.upload((2, 2, 2))
    assert can_use(both, anns, dataset_id) == [True] * 5
    listed = oranges.call("images.list", datasetId=dataset_id)["entities"]
    oranges.call("images.bulk.remove", imageIds=[entity["id"] for entity in listed])
    filled.server.tokens.remove_from_teams("eve", [TEAM])
    left = Member(filled, "eve", "oranges")
    assert left.caller.teams == {max(both.caller.teams)}
    for content in (anns, own):
        assert can_use(left, content, dataset_id) == [False] * 5
    with pytest.raises(ServerRefused) as refusal:
        left.call("images.info", id=image)
    assert refusal.value.status == 404


def test_a_lease_on_an_uploaded_blob_expires(filled, ann, bob):
    """A user who uploaded a blob and never used it cannot use it for ever."""
    content, _, dataset = owned_image(ann, (3, 3, 3))
    eve = Member(filled, "eve", "oranges")
    eve.upload((3, 3, 3))
    project = eve.call("projects.add", workspaceId=eve.workspace(), name="own")["id"]
    dataset_id = eve.call("datasets.add", projectId=project, name="d")["id"]
    with filled.server._store.write() as conn:
        conn.execute(schema.blob_leases.update().values(lease_until="2020"))
    assert can_use(eve, content, dataset_id) == [False] * 5
    assert can_use(bob, content, dataset) == [True] * 5
