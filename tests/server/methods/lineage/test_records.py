"""`autoflow.records.add` and `autoflow.runs.ensure`: each record is applied once and by itself, in its run's task."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from autoflow.errors import ServerRefused
from autoflow.model.run_contents import split
from autoflow.server.db.access import Caller
from autoflow.server.db.schema import logs
from autoflow.server.methods.lineage import records, submission
from autoflow.server.server import Server


def statuses(answer):
    return [result["status"] for result in answer["results"]]


def test_a_run_is_a_task(filled):
    """A run's records set the name, app, facts, state and error of its task, in the SDK's shape."""
    answer = filled.send(
        filled.record("run", name="Train", task=None, command=["train.py", "--epochs", "2"], python="3.11"),
        filled.record("facts", facts={"commit": "abc", "packages": {"numpy": "1.0"}}),
        filled.record("log", lines="epoch 1\n"),
        filled.record("finish", state="failed", error="ValueError: no"),
    )
    assert statuses(answer) == ["applied"] * 4
    task = filled.call("tasks.info", id=str(answer["tasks"]["r1"]))
    assert (task["name"], task["status"], task["meta"]["app"]["name"]) == ("Train", "error", "Train")
    assert task["autoflow"]["state"] == "failed"
    assert task["autoflow"]["error"] == "ValueError: no"
    assert task["autoflow"]["facts"]["packages"] == {"numpy": "1.0"}
    assert task["autoflow"]["facts"]["command"] == ["train.py", "--epochs", "2"]
    assert filled.call("tasks.list", workspaceId=1)["total"] == 1


def test_a_record_is_applied_once(filled):
    """A batch sent again is all duplicates and changes nothing."""
    batch = [filled.record("run", name="Train"), filled.record("log", lines="once\n")]
    assert statuses(filled.send(*batch)) == ["applied", "applied"]
    again = filled.send(*batch)
    assert statuses(again) == ["duplicate", "duplicate"]
    assert again["tasks"]


def test_a_refused_record_does_not_affect_others(filled):
    """A bad record is refused with its reason and its key is not stored; all others are applied."""
    bad = filled.record("edge", direction="input", entity={"type": "project", "id": 999}, meta=None)
    good = filled.record("edge", direction="output", entity={"type": "folder", "id": "x/y/"}, meta=None)
    answer = filled.send(
        filled.record("run", name="a"), bad, good, "no record", filled.record("nonsense"), {"key": "k"}
    )
    assert statuses(answer) == ["applied", "refused", "applied", "refused", "refused", "refused"]
    assert answer["results"][1]["reason"] == "project 999 is unknown on this server"
    assert "nonsense" in answer["results"][4]["reason"]
    assert statuses(filled.send(bad)) == ["refused"]
    assert set(filled.cards()) == {"task:1", "folder:/x/y"}


def test_any_first_record_of_a_run_creates_its_task(filled):
    """An edge may arrive before its run's own record."""
    answer = filled.send(filled.record("edge", "r9", direction="output", entity={"type": "folder", "id": "/x"}))
    assert answer["tasks"] == {"r9": 1}
    filled.send(filled.record("run", "r9", name="late"))
    assert filled.cards()["task:1"]["title"] == "late"


@pytest.mark.parametrize("known", ["finished", "failed"])
def test_lost_never_overwrites_a_known_end(filled, known):
    """A takeover's `lost` applies only while no end is known; a real end overwrites it."""
    filled.send(filled.record("run", name="a"), filled.record("finish", state="lost"))
    assert filled.call("tasks.info", id=1)["autoflow"]["state"] == "lost"
    filled.send(filled.record("finish", state=known), filled.record("finish", state="lost", error="died"))
    assert filled.call("tasks.info", id=1)["autoflow"]["state"] == known
    assert filled.call("tasks.info", id=1)["autoflow"]["error"] is None


def test_ensure_is_idempotent(filled):
    """`autoflow.runs.ensure` returns the same task for a run's key, which is also the task of the run's records."""
    first = filled.call("autoflow.runs.ensure", run="r1", name="Train", task=None, origin="", team=None, workspace=None)
    assert first == filled.call("autoflow.runs.ensure", run="r1", name="Train")
    assert first["teamId"] == first["workspaceId"] == 1
    assert first["appId"] is not None
    assert filled.send(filled.record("log", lines="x"))["tasks"] == {"r1": first["task"]}
    other = filled.call("autoflow.runs.ensure", run="r2", name="Train")
    assert other["task"] != first["task"]
    assert other["appId"] == first["appId"]


def test_a_task_number_from_outside_is_kept(filled):
    """A number from another system becomes the task's; later numbers skip it."""
    assert filled.call("autoflow.runs.ensure", run="r1", name="a", task="2")["task"] == 2
    assert filled.call("autoflow.runs.ensure", run="r2", name="b")["task"] == 1
    assert filled.call("autoflow.runs.ensure", run="r3", name="c")["task"] == 3
    assert filled.call("autoflow.runs.ensure", run="r4", name="a", task=2)["task"] == 2


def test_a_foreign_task_has_its_number_and_an_id(filled):
    """Another server's number is stored with its origin; the task has an id of this server too."""
    identity = {"task": 55, "origin": "https://sly.example", "team": 700, "workspace": 800}
    ensured = filled.call("autoflow.runs.ensure", run="r1", name="a", **identity)
    assert ensured == {**ensured, "task": 1, "number": 55, "teamId": 1, "workspaceId": 1}
    filled.send(filled.record("edge", "r1", direction="output", entity={"type": "folder", "id": "/x"}))
    assert filled.cards(task=1)["task:55@https://sly.example"]["id"] == 55
    assert filled.call("tasks.info", id=1)["autoflow"]["origin"] == "https://sly.example"


def test_an_edge_may_name_another_task(filled):
    """An edge with `task` belongs to that task, not to its run's."""
    filled.send(
        filled.record("run", name="a"),
        filled.record("edge", direction="output", entity={"type": "folder", "id": "/x"}, task=7, origin=""),
    )
    assert filled.arrows(task=7) == [("task:7", "folder:/x", "output")]


def test_unstorable_text_is_cleaned(filled):
    """Names and logs with NUL or lone surrogates, and numbers that JSON lacks, are recorded in cleaned form."""
    answer = filled.send(
        filled.record("run", name="a\0b\ud800", parameters={"lr": float("nan"), "\ud800": "\0"}),
        filled.record("log", lines="\ud800\0"),
        filled.record("finish", state="failed", error="\ud800"),
    )
    assert statuses(answer) == ["applied"] * 3
    task = filled.call("tasks.info", id=1)
    assert task["name"] == "a\ufffdb\ufffd"
    assert task["autoflow"]["facts"]["parameters"]["lr"] == "nan"


@pytest.mark.parametrize("at", [-1, 10**30, "x", None, True, 1.5e18, []])
def test_an_impossible_time_becomes_the_time_of_arrival(filled, at):
    """A record is not refused for its time."""
    assert statuses(filled.send({**filled.record("run", name="a"), "at": at})) == ["applied"]


def test_a_long_batch_lets_other_writers_in(filled, database, tmp_path, monkeypatch):
    """The write lock is released between the transactions of a batch: another process writes meanwhile."""
    monkeypatch.setattr(records, "GROUP", 10)
    other = Server.open(tmp_path / "home", database)
    pauses = []

    def pause(seconds):
        pauses.append(seconds)
        other.call("projects.add", {"workspaceId": 1, "name": f"other {len(pauses)}"})

    monkeypatch.setattr(records, "time", type("Clock", (), {"sleep": pause}))
    filled.send(*(filled.record("log", lines="x") for _ in range(30)))
    other.close()
    assert pauses == [records.GAP] * 2


def test_a_key_counts_within_a_batch(filled):
    """Of two records with one key in a batch, the first is applied."""
    first, second = (filled.record("log", key="same", lines=lines) for lines in ("first", "second"))
    assert statuses(filled.send(first, filled.record("log", lines="other"), second)) == [
        "applied",
        "applied",
        "duplicate",
    ]
    with filled.server._context.store.read() as conn:
        assert conn.execute(select(logs.c.lines).order_by(logs.c.id)).scalars().all() == ["first", "other"]


def test_refused_records_of_a_long_batch_do_not_affect_others(filled, monkeypatch):
    """Wherever they are, all others are applied once and in order, and their keys are stored."""
    monkeypatch.setattr(records, "GROUP", 10)
    batch = [filled.record("log", lines=str(number)) for number in range(3 * records.GROUP)]
    wrong = {1, records.GROUP, 2 * records.GROUP - 1}
    for number in wrong:
        batch[number]["type"] = "nonsense"
    for status in ("applied", "duplicate"):
        expected = ["refused" if number in wrong else status for number in range(len(batch))]
        assert statuses(filled.send(*batch)) == expected
    with filled.server._context.store.read() as conn:
        lines = conn.execute(select(logs.c.lines).order_by(logs.c.id)).scalars().all()
    assert lines == [str(number) for number in range(len(batch)) if number not in wrong]


def test_only_an_embedded_server_yields_the_interpreter(filled, monkeypatch):
    """A server in a process of its own applies a batch without pauses: it shares no interpreter with an app."""
    pauses = []
    monkeypatch.setattr(submission, "yield_gil", lambda: pauses.append(None))
    batch = [filled.record("log", lines="x") for _ in range(3)]
    filled.server.call("autoflow.records.add", {"records": batch}, Caller(site="http://127.0.0.1:8765"))
    assert not pauses
    filled.server.call("autoflow.records.add", {"records": batch})
    assert len(pauses) > len(batch)


def test_the_body_must_be_a_batch(filled):
    """A body without records is refused."""
    with pytest.raises(ServerRefused, match="records") as refusal:
        filled.call("autoflow.records.add")
    assert refusal.value.status == 400


def test_contents_of_facts_are_stored_and_read_by_their_hashes(filled):
    """A piece whose bytes are not those of its name is refused, and other records with it are not."""
    stored, pieces = split(b"diff of the working tree")
    good = filled.record("facts", facts={"code": stored}, contents=pieces)
    bad = filled.record("facts", facts={}, contents={"0" * 64: next(iter(pieces.values()))})
    answer = filled.send(good, bad, {**good, "key": "again"})
    assert [result["status"] for result in answer["results"]] == ["applied", "refused", "applied"]
    read = filled.call("autoflow.runs.contents", task=answer["tasks"]["r1"], pieces=[*stored["pieces"], "unknown"])
    assert read == {"contents": pieces}
