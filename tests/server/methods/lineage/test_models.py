"""Models: versions by number that runs make, aliases that move, and what an alias protects."""

from __future__ import annotations

import hashlib

import pytest

from autoflow.errors import ServerRefused
from autoflow.server.lineage import model_protection
from tests.server.methods.admin.test_audit import entries


def train(filled, run, data, *, reads=(), path="/models/best.pt", model="lemons"):
    """Record a run that reads entities and writes a file as a version of a model; return the file's id."""
    number = filled.file(path, data)["id"]
    for kind, entity in reads:
        assert filled.edge("input", kind, entity, run)["status"] == "applied"
    assert filled.edge("output", "model_weight", number, run, model=model)["status"] == "applied"
    return number


def test_runs_make_versions_which_references_name(filled):
    """Numbers, hashes and aliases of a model's versions; every reference resolves, also as of an earlier day."""
    project = filled.project()
    filled.image(filled.dataset(project))
    version = filled.snapshot(project)["id"]
    first = train(filled, "one", b"weights 1", reads=[("project_version", version)])
    second = train(filled, "two", b"weights 2", reads=[("file", first)])
    assert filled.edge("output", "model_weight", second, "two", model="lemons")["status"] == "applied"  # once more
    by_hand = filled.file("/models/last.pt", b"weights 3")["id"]
    assert filled.call("autoflow.models.register", name="lemons", ref=f"file:{by_hand}")["version"] == 3

    filled.call("autoflow.models.alias", name="lemons", alias="champion", version=1, reason="the first")
    moved = filled.call("autoflow.models.alias", name="lemons", alias="champion", version=2, reason="better")
    assert moved == {"moved": True, "alias": "champion", "before": 1, "version": 2}
    assert not filled.call("autoflow.models.alias", name="lemons", alias="champion", version=2)["moved"]
    assert [
        (move["before"], move["version"], move["who"], move["reason"])
        for move in filled.call("autoflow.models.history", name="lemons")["moves"]
    ] == [(1, 2, "admin", "better"), (None, 1, "admin", "the first")]
    assert [
        (entry["entity"], entry["before"], entry["after"]) for entry in entries(filled.server, action="alias.")
    ] == [
        ("model:lemons@champion", None, "1"),
        ("model:lemons@champion", "1", "2"),
    ]

    shown = filled.call("autoflow.models.show", name="lemons")
    assert (shown["model"]["latest"], shown["model"]["aliases"]) == (3, {"champion": 2})
    versions = {entry["version"]: entry for entry in shown["versions"]}
    tasks = [filled.call("autoflow.runs.ensure", run=run)["task"] for run in ("one", "two")]
    assert [versions[number]["task"] for number in (1, 2, 3)] == [*tasks, None]
    assert versions[2]["sha256"] == hashlib.sha256(b"weights 2").hexdigest()
    assert (versions[2]["ref"], versions[2]["path"], versions[2]["aliases"]) == (
        f"file:{second}",
        "/models/best.pt",
        ["champion"],
    )
    part = filled.call("autoflow.models.show", name="lemons", limit=1, before=3)
    assert ([entry["version"] for entry in part["versions"]], part["next"]) == ([2], 2)

    for ref, number in {
        "model:lemons": 3,
        "model:lemons@1": 1,
        "model:lemons@champion": 2,
        "model:lemons@champion on 2100-01-01": 2,
    }.items():
        assert filled.call("autoflow.models.resolve", ref=ref)["version"] == number
    for ref in ("model:lemons@champion on 2001-01-01", "model:lemons@9", "model:lemons@rival", "model:limes"):
        with pytest.raises(ServerRefused, match="unknown"):
            filled.call("autoflow.models.resolve", ref=ref)
    trace = filled.call("autoflow.trace", ref="model:lemons@champion")
    cards = {card["key"]: card for card in trace["graph"]["cards"]}
    assert {f"project_version:{version}", f"task:{tasks[0]}"} <= cards.keys()
    assert trace["entry"] == f"file:{second}" if "entry" in trace else True
    card = cards[f"file:{second}"]
    assert (card["type"], card["title"], card["badge"]) == ("model", "lemons V2 (champion)", "V2")
    impact = filled.call("autoflow.impact", ref="model:lemons@1")
    assert f"file:{second}" in {entry["key"] for entry in impact["graph"]["cards"]}


def test_what_an_alias_needs_is_not_deleted(filled, monkeypatch):
    """The weights, and the project version they came from, stay until the alias moves, however many cards are named to
    the user; others name the model.
    """
    monkeypatch.setattr(model_protection, "CAP", 1)
    project = filled.project()
    filled.image(filled.dataset(project))
    version = filled.snapshot(project)["id"]
    train(filled, "one", b"weights", reads=[("project_version", version)])
    filled.call("autoflow.models.alias", name="lemons", alias="production", version=1)
    for method, body, what in (
        ("autoflow.versions.delete", {"id": version}, f"version {version}"),
        ("file-storage.remove", {"teamId": 1, "path": "/models/best.pt"}, "/models/best.pt"),
        ("file-storage.remove", {"teamId": 1, "path": "/models"}, "/models"),
    ):
        with pytest.raises(ServerRefused, match=rf"{what} cannot be deleted.*lemons@1 \(production\)") as refusal:
            filled.call(method, **body)
        assert refusal.value.status == 409
    monkeypatch.undo()
    assert filled.call("autoflow.versions.delete", id=version, dryRun=True) == {
        "success": False,
        "models": ["model:lemons@1"],
    }
    filled.call("autoflow.models.alias", name="lemons", alias="production")
    with pytest.raises(ServerRefused, match="unknown"):
        filled.call("autoflow.models.alias", name="lemons", alias="production")
    assert filled.call("autoflow.versions.delete", id=version)["models"] == ["model:lemons@1"]
    filled.call("file-storage.remove", teamId=1, path="/models/best.pt")
    deleted = entries(filled.server, action="version.") + entries(filled.server, action="file.")
    assert [(entry["action"], entry["entity"], entry["who"]) for entry in deleted] == [
        ("version.delete", f"version:{version}", "admin"),
        ("file.delete", "file:1", "admin"),
    ]


def test_models_of_a_team_are_its_own(filled):
    """Another team sees none, has its own of the same name, and each is refused what is no model."""
    train(filled, "one", b"weights")
    server = filled.server
    bob = server.tokens.caller(server.tokens.create("bob", ["Others"]))
    assert server.call("autoflow.models.list", {}, bob)["models"] == []
    for method, body in (
        ("show", {"name": "lemons"}),
        ("show", {"name": "lemons", "teamId": 1}),
        ("list", {"teamId": 1}),
        ("resolve", {"ref": "model:lemons"}),
        ("history", {"name": "lemons"}),
        ("alias", {"name": "lemons", "alias": "mine", "version": 1}),
        ("register", {"name": "lemons", "ref": "file:1"}),
        ("register", {"name": "lemons", "ref": "file:1", "teamId": 1}),
    ):
        with pytest.raises(ServerRefused, match="unknown") as refusal:
            server.call(f"autoflow.models.{method}", body, bob)
        assert refusal.value.status == 404
    with pytest.raises(ServerRefused, match="unknown"):
        server.call("autoflow.trace", {"ref": "model:lemons@1"}, bob)
    assert [model["name"] for model in filled.call("autoflow.models.list", q="LEM")["models"]] == ["lemons"]

    for method, body, message in (
        ("register", {"name": "a b", "ref": "file:1"}, "not a model's name"),
        ("register", {"name": "limes", "ref": "task:1"}, "is no file"),
        ("alias", {"name": "lemons", "alias": "3", "version": 1}, "is not an alias"),
        ("resolve", {"ref": "file:1"}, "must name a model"),
        ("resolve", {"ref": "model:lemons@champion on June"}, "is not a time"),
    ):
        with pytest.raises(ServerRefused, match=message):
            filled.call(f"autoflow.models.{method}", **body)
    assert filled.edge("input", "model_weight", 1, "one", model="lemons")["status"] == "refused"
    assert filled.edge("output", "file", 1, "one", model="a b")["status"] == "refused"
