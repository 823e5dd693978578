"""`autoflow.trace` and `autoflow.files.history`: the upstream lineage of an entity as it was when it was read."""

from __future__ import annotations

import hashlib
import time

import pytest

from autoflow.errors import ServerRefused
from autoflow.graph.trace import Trace
from autoflow.server.methods.lineage import trace as operation

FACTS = {"command": ["python", "train.py"], "commit": "c" * 40, "dirty": False, "python": "3.12.1"}


@pytest.fixture
def traced(filled):
    """A function that traces a reference."""
    return lambda ref, **more: Trace.from_json(filled.call("autoflow.trace", ref=ref, **more))


@pytest.fixture
def run(filled):
    """A function that records a run with its inputs and outputs, in order, and returns its task's id."""
    clock = iter(range(1, 10**6))

    def record(name, *edges):
        def at():
            return 1_600_000_000 * 10**9 + next(clock) * 10**9  # before anything the store makes

        key = f"{name}-{next(clock)}"
        filled.send(filled.record("run", key, name=name, at=at()))
        for direction, kind, number in edges:
            entity = {"type": kind, "id": number, "origin": ""}
            result = filled.send(filled.record("edge", key, direction=direction, entity=entity, at=at()))
            assert result["results"][0]["status"] == "applied"
        filled.send(filled.record("finish", key, state="finished", at=at()))
        return filled.call("autoflow.runs.ensure", run=key)["task"]

    return record


def keys(trace):
    return [card.key for card in trace.graph.cards]


def test_a_model_is_traced_to_its_training_data(filled, run, traced):
    """From the file over its run to the version, its project and the run that imported it; nothing downstream."""
    project = filled.project()
    importer = run("Import", ("output", "project", project))
    file = filled.file()["id"]
    version = filled.snapshot(project, title="before")["id"]
    train = run("Train", ("input", "project_version", version), ("output", "model_weight", file))
    run("Deploy", ("input", "file", file), ("output", "folder", "/served"))
    trace = traced("/models/best.pt")
    assert trace.ref == f"file:{file}"
    assert trace.complete
    assert set(keys(trace)) == {
        f"file:{file}",
        f"task:{train}",
        f"project_version:{version}",
        f"project:{project}",
        f"task:{importer}",
    }
    assert trace.producer() == f"task:{train}"


def test_writes_after_a_version_was_saved_are_not_upstream(filled, run, traced):
    """A version holds what was in the project when it was saved."""
    project, file = filled.project(), filled.file()["id"]
    before = run("Import", ("output", "project", project))
    version = filled.snapshot(project)["id"]
    filled.send(filled.record("run", "late", name="Predict", at=1_950_000_000 * 10**9))
    entity = {"type": "project", "id": project, "origin": ""}
    filled.send(filled.record("edge", "late", direction="output", entity=entity, at=1_950_000_000 * 10**9))
    run("Train", ("input", "project_version", version), ("output", "file", file))
    trace = traced(f"file:{file}")
    assert f"task:{before}" in keys(trace)
    names = {run["name"] for run in trace.runs.values()}
    assert names == {"Import", "Train"}
    assert {run["name"] for run in traced(f"project:{project}").runs.values()} == {"Predict"}


def test_the_latest_writer_is_followed_and_the_others_are_counted(filled, run, traced):
    """With `every`, all runs that wrote the entity are followed."""
    project = filled.project()
    tasks = [run("Import", ("output", "project", project)) for _ in range(3)]
    trace = traced(f"project:{project}")
    assert keys(trace) == [f"project:{project}", f"task:{tasks[-1]}"]
    assert trace.graph.cards[0].more == 2
    every = traced(f"project:{project}", every=True)
    assert set(every.runs) == {f"task:{task}" for task in tasks}
    assert every.graph.cards[0].more == 0


def test_cycles_and_diamonds_terminate(filled, run, traced):
    """Each entity appears once, however many paths lead to it, and a run that read its own output ends the walk."""
    project, left, right, model = filled.project(), *(filled.file(f"/{name}")["id"] for name in "lrm")
    first = run("Split", ("input", "project", project), ("output", "file", left), ("output", "file", right))
    second = run(
        "Join", ("input", "file", left), ("input", "file", right), ("output", "file", model), ("output", "project", 1)
    )
    third = run("Fix", ("input", "file", model), ("output", "file", model))
    trace = traced(f"file:{model}")
    assert sorted(keys(trace)) == sorted({*keys(trace)})
    assert f"task:{third}" in keys(trace)
    assert traced(f"task:{second}").producer() == f"task:{second}"
    assert {f"task:{first}", f"file:{left}", f"file:{right}", f"project:{project}"} <= set(keys(traced("task:2")))


def test_a_run_has_its_facts_and_outputs(filled, run, traced):
    """Command, commit and Python version of a run; path, sha256 and size of a file."""
    file = filled.file("/models/a.pt", b"layers")["id"]
    task = run("Train", ("output", "model_weight", file))
    key = next(iter(traced(f"task:{task}").runs.values()))
    assert key["name"] == "Train"
    filled.send(filled.record("run", "again", name="Train", task=task, facts=FACTS))
    described = traced(f"task:{task}").runs[f"task:{task}"]
    assert described["facts"] == {**FACTS, "name": "Train"}
    assert described["outputs"] == [f"file:{file}"]
    data = traced(f"task:{task}").data[f"file:{file}"]
    assert (data["type"], data["path"], data["size"]) == ("model_weight", "/models/a.pt", 6)
    assert data["sha256"] == hashlib.sha256(b"layers").hexdigest()


def test_a_file_is_traced_by_its_id(filled, run, traced):
    """Two trainings that wrote one path are two files; the path names the last one, the id a certain one."""
    first = filled.file(data=b"one")["id"]
    early = run("Train", ("output", "model_weight", first))
    second = filled.file(data=b"two")["id"]
    late = run("Train", ("output", "model_weight", second))
    assert traced("/models/best.pt").producer() == f"task:{late}"
    old = traced(f"file:{first}")
    assert old.producer() == f"task:{early}"
    assert (old.data[f"file:{first}"]["number"], old.data[f"file:{first}"]["count"]) == (1, 2)
    assert (old.data[f"file:{first}"]["current"], old.ref) == (False, f"file:{first}")


def test_containment_is_followed_for_unwritten_entities(filled, run, traced):
    """A dataset into its project, a file into the folder that a run wrote, a project into its datasets."""
    project = filled.project()
    dataset = filled.dataset(project)
    importer = run("Import", ("output", "project", project))
    assert traced(f"dataset:{dataset}").producer() == f"task:{importer}"
    file = filled.file("/experiments/7/best.pt")["id"]
    trainer = run("Train", ("input", "dataset", dataset), ("output", "folder", "/experiments/7"))
    assert traced(f"file:{file}").producer() == f"task:{trainer}"
    assert traced("/experiments/7").producer() == f"task:{trainer}"
    other = filled.project("limes")
    inside = filled.dataset(other)
    splitter = run("Split", ("output", "dataset", inside))
    assert traced(f"project:{other}").producer() == f"task:{splitter}"


def test_a_restored_project_is_followed_into_its_version(filled, run, traced):
    """And on to the run that made the original; malformed custom data is ignored."""
    project = filled.project()
    importer = run("Import", ("output", "project", project))
    version = filled.snapshot(project)["id"]
    restored = filled.call("autoflow.versions.restore", id=version)
    assert restored["done"]
    trace = traced(f"project:{restored['id']}")
    assert set(keys(trace)) == {
        f"project:{restored['id']}",
        f"project_version:{version}",
        f"project:{project}",
        f"task:{importer}",
    }
    for source in (None, 7, {"version_id": "x"}, {"version_id": 999}):
        filled.call("projects.editInfo", id=restored["id"], customData={"restored_from": source})
        assert keys(traced(f"project:{restored['id']}")) == [f"project:{restored['id']}"]


def test_a_version_by_its_number(filled, traced):
    """`project:7#1` is its first version."""
    project = filled.project()
    version = filled.snapshot(project)["id"]
    assert traced(f"project:{project}#1").ref == f"version:{version}"


def test_a_truncated_trace_is_marked(filled, run, traced, monkeypatch):
    """The nearest cards are returned, and those at the border count their further neighbours."""
    files = [filled.file(f"/{number}")["id"] for number in range(6)]
    run("Make", *(("output", "file", file) for file in files))
    task = run("Use", *(("input", "file", file) for file in files))
    monkeypatch.setattr(operation, "CAP", 4)
    trace = traced(f"task:{task}")
    assert (len(trace.graph.cards), trace.complete) == (4, False)
    assert next(card for card in trace.graph.cards if card.key == f"task:{task}").more == 3


@pytest.mark.parametrize("ref", ["project:9", "project:1#7", "version:9", "task:9", "file:9", "/none", "session:9"])
def test_an_unknown_entity_is_refused(filled, traced, ref):
    """The error is 404."""
    filled.project()
    with pytest.raises(ServerRefused) as refusal:
        traced(ref)
    assert refusal.value.status == 404


@pytest.mark.parametrize("ref", ["", "7", "models/best.pt", "house:7", "version:1#2", "task:-1"])
def test_a_malformed_reference_is_refused(filled, traced, ref):
    """The error is 400 and says what would be right."""
    with pytest.raises(ServerRefused) as refusal:
        traced(ref or " ")
    assert refusal.value.status == 400


def test_the_files_of_a_path(filled, run):
    """The latest first, each with its sha256 and its writers, even when the path has no current file."""
    numbers = [filled.file(data=data)["id"] for data in (b"one", b"two", b"three")]
    task = run("Train", ("output", "file", numbers[0]))
    response = filled.call("autoflow.files.history", path="/models/best.pt", teamId=1)
    assert [(file["id"], file["number"], file["current"]) for file in response["files"]] == [
        (numbers[2], 3, True),
        (numbers[1], 2, False),
        (numbers[0], 1, False),
    ]
    assert response["files"][2]["tasks"] == [task]
    assert response["files"][2]["sha256"] == hashlib.sha256(b"one").hexdigest()
    filled.call("file-storage.remove", teamId=1, path="/models/best.pt")
    assert filled.call("autoflow.files.history", id=numbers[0])["files"][0]["current"] is False
    assert filled.call("autoflow.files.history", path="/none") == {"teamId": 1, "path": "/none", "files": []}


def test_the_files_of_a_folder_that_a_task_wrote(filled):
    """The last upload of each path between the task's start and end, also of a path that has another file now."""
    filled.file("/m/before.pt")
    filled.send({**filled.record("run", name="Train"), "at": time.time_ns()})
    for path, data in (("/m/a.pt", b"draft"), ("/m/a.pt", b"final"), ("/m/sub/b.pt", b"b"), ("/mother/c.pt", b"c")):
        filled.file(path, data)
    time.sleep(0.002)
    filled.send({**filled.record("finish", state="finished"), "at": time.time_ns()})
    time.sleep(0.002)
    filled.file("/m/a.pt", b"later")
    task = filled.call("autoflow.runs.ensure", run="r1")["task"]
    response = filled.call("autoflow.files.written", task=task, folder="/m")
    assert response == {
        "files": [
            {"path": path, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            for path, data in (("/m/a.pt", b"final"), ("/m/sub/b.pt", b"b"))
        ],
        "complete": True,
    }
    assert filled.call("autoflow.files.written", task=task, folder="/none")["files"] == []


def test_an_old_file_stays_readable_by_its_id(filled, run):
    """Its bytes remain when its path has a newer file, when the path was removed, and after a garbage collection."""
    first = filled.file(data=b"one")["id"]
    run("Train", ("output", "model_weight", first))
    filled.file(data=b"two")
    filled.call("file-storage.remove", teamId=1, path="/models/best.pt")
    assert filled.call("autoflow.upkeep.collect")["done"]
    assert b"".join(filled.server.download("file-storage.download", {"id": first})) == b"one"


def test_the_card_of_a_file_has_its_revision(filled, run):
    """The badge is like that of a version; the only file of a path has none."""
    first = filled.file(data=b"one")["id"]
    only = filled.file("/other.pt")["id"]
    run("Train", ("output", "model_weight", first), ("output", "file", only))
    assert filled.cards(task=1)[f"file:{first}"]["badge"] is None
    second = filled.file(data=b"two")["id"]
    run("Train", ("output", "model_weight", second), ("input", "file", first))
    cards = filled.cards(task=2)
    badges = [cards[f"file:{number}"]["badge"] for number in (first, second, only)]
    assert badges == ["V1", "V2", None]
