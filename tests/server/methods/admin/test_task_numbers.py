"""Task numbers from other systems belong to a team, whichever other teams use the same numbers."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from autoflow.errors import ServerRefused
from tests.server.methods.lineage.test_authors import Member


@pytest.fixture
def lemons(filled):
    return Member(filled, "ann", "lemons")


@pytest.fixture
def oranges(filled, lemons):
    return Member(filled, "bob", "oranges")


def edge(member, number, folder):
    node = {"type": "task", "id": number}
    return member.call("workflow.node.add-input", node=node, type="folder", id=folder, teamId=member.team)


def read(member, number):
    return [link["id"] for link in member.call("autoflow.overview.run", id=number)["inputs"]]


def test_two_teams_may_use_one_number(lemons, oranges):
    """Each team adds to its own task and reads it by that number."""
    edge(lemons, 500, "/a")
    edge(oranges, 500, "/b")
    edge(oranges, 500, "/c")
    assert (read(lemons, 500), read(oranges, 500)) == (["/a"], ["/b", "/c"])
    infos = [member.call("tasks.info", id=500) for member in (lemons, oranges)]
    assert [info["teamId"] for info in infos] == [lemons.team, oranges.team]
    assert infos[0]["id"] == 500 != infos[1]["id"]
    assert oranges.call("autoflow.tasks.ensure", id=500)["id"] == infos[1]["id"]
    keys = [card["key"] for card in oranges.call("autoflow.graph", task=500)["cards"] if card["type"] == "task"]
    assert keys == [f"task:{infos[1]['id']}"]
    assert oranges.call("GetTaskContext", id=500)["team"]["id"] == oranges.team


def test_a_run_with_another_teams_number_has_its_own_task(filled, lemons, oranges):
    """By records as well; the run's later records belong to that task."""
    edge(lemons, 500, "/a")
    results = oranges.send(
        filled.record("run", run="o", task=500, team=oranges.team, name="Train"),
        filled.record("edge", run="o", direction="input", entity={"type": "folder", "id": "/b"}),
        filled.record("edge", run="o", task=500, direction="input", entity={"type": "folder", "id": "/c"}),
    )
    assert {result["status"] for result in results} == {"applied"}
    assert read(oranges, 500) == ["/b", "/c"]
    assert read(lemons, 500) == ["/a"]


def test_an_edge_to_a_task_leads_to_the_teams_own(lemons, oranges):
    """A number that another team claimed, named as an input, is the caller's own team's task."""
    edge(lemons, 500, "/a")
    node = {"type": "task", "id": 600}
    oranges.call("workflow.node.add-input", node=node, type="task", id=500)
    keys = {card["key"] for card in oranges.call("autoflow.graph", task=600)["cards"]}
    own = oranges.call("tasks.info", id=500)["id"]
    assert own != 500
    assert f"task:{own}" in keys


def test_a_number_is_answered_before_anything_is_recorded_of_it(lemons, oranges):
    """With the caller's team and workspace, whether or not another team uses the number; nothing is stored."""
    edge(oranges, 501, "/b")
    for number in (500, 501):
        before = lemons.call("autoflow.changes")
        info = lemons.call("tasks.info", id=str(number))
        assert (info["id"], info["teamId"], info["workspaceId"]) == (number, lemons.team, lemons.workspace())
        assert info["autoflow"]["state"] is None
        assert lemons.call("GetTaskContext", id=number)["team"]["id"] == lemons.team
        assert lemons.call("autoflow.changes") == before
        edge(lemons, number, "/a")
        stored = lemons.call("tasks.info", id=number)
        assert (stored["teamId"], stored["status"]) == (lemons.team, "started")
    assert read(oranges, 501) == ["/b"]
    with pytest.raises(ServerRefused) as refusal:
        lemons.call("tasks.info", id=0)
    assert refusal.value.status == 404


def test_an_edge_to_a_task_stays_in_the_team_of_its_run(filled, lemons, oranges):
    """A user of both teams: a task named as an input or output belongs to the team of the task that names it."""
    both = Member(filled, "eve", "lemons", "oranges")
    for member, run, target in ((lemons, 600, 500), (oranges, 601, 501)):
        node = {"type": "task", "id": run}
        for direction, kind, number in (("input", "task", target), ("output", "app_session", run)):
            method = f"workflow.node.add-{direction}"
            both.call(method, node=node, type=kind, id=number, teamId=member.team)
        keys = {card["key"] for card in member.call("autoflow.graph", task=run)["cards"]}
        assert keys == {f"task:{run}", f"task:{target}", f"app_session:{run}"}


def test_numbers_of_another_server_belong_to_a_team(filled, lemons, oranges):
    """One number of one server, recorded by two teams, is two tasks here."""
    for member, folder in ((lemons, "/a"), (oranges, "/b")):
        entity = {"type": "folder", "id": folder, "origin": ""}
        numbered = {"task": 9, "origin": "https://app.example.com", "run": folder}
        results = member.send(
            filled.record("run", **numbered), filled.record("edge", **numbered, direction="input", entity=entity)
        )
        assert {result["status"] for result in results} == {"applied"}
    for member, folder in ((lemons, "/a"), (oranges, "/b")):
        task = member.call("autoflow.runs.ensure", run=folder)
        assert task["number"] == 9
        assert read(member, task["task"]) == [folder]


def test_claimed_numbers_are_skipped_in_one_statement(filled, lemons):
    """However many are claimed, one statement finds the next number of this server."""
    first = filled.call("autoflow.runs.ensure", run="before")["task"]
    for number in range(first + 1, first + 301):
        lemons.call("autoflow.tasks.ensure", id=number)
    statements = []
    event.listen(filled.server._store._engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert filled.call("autoflow.runs.ensure", run="after")["task"] == first + 301
    assert len(statements) < 40
    assert filled.call("autoflow.runs.ensure", run="later")["task"] == first + 302


def test_a_run_without_a_number_gets_one_of_this_server(filled, lemons):
    """The run is found by that number."""
    record = filled.record("run", run="l", name="Train")
    lemons.send(record)
    number = lemons.call("autoflow.runs.ensure", run="l")["task"]
    assert lemons.call("tasks.info", id=number)["autoflow"]["number"] == number
    edge(lemons, number, "/a")
    assert read(lemons, number) == ["/a"]


def test_a_number_of_this_server_is_not_one_from_outside(lemons, oranges):
    """A number that this server gave to one team's task is unknown to another team."""
    number = lemons.call("autoflow.runs.ensure", run="l")["task"]
    for method in ("autoflow.tasks.ensure", "tasks.info", "GetTaskContext"):
        with pytest.raises(ServerRefused) as refusal:
            oranges.call(method, id=number)
        assert refusal.value.status == 404


def test_keys_of_records_belong_to_a_team(filled, lemons, oranges):
    """A key that one team used is new to another; within the team it is a duplicate."""
    first = filled.record("run", run="l", key="j.1")
    second = filled.record("run", run="o", key="j.1")
    assert [lemons.send(first)[0]["status"], oranges.send(second)[0]["status"]] == ["applied", "applied"]
    assert [lemons.send(first)[0]["status"], oranges.send(second)[0]["status"]] == ["duplicate", "duplicate"]


def test_unsupported_methods_are_counted_by_team(filled, lemons, oranges):
    """Teams do not see each other's counts; a caller who sees all teams sees all of them."""
    for member, method in ((lemons, "a.b"), (lemons, "c.d"), (oranges, "c.d")):
        with pytest.raises(ServerRefused):
            member.call(method)
    counted = [
        {method["method"]: method["count"] for method in call("autoflow.unknown_methods")["methods"]}
        for call in (lemons.call, oranges.call, filled.call)
    ]
    assert counted == [{"a.b": 1, "c.d": 1}, {"c.d": 1}, {"a.b": 1, "c.d": 2}]


def test_changes_are_counted_by_team(filled, lemons, oranges):
    """A page reloads for writes of its own teams, and for writes that concern all teams."""

    def counts():
        return [call("autoflow.changes")["changes"] for call in (lemons.call, oranges.call, filled.call)]

    before = counts()
    edge(lemons, 500, "/a")
    assert [now - was for now, was in zip(counts(), before, strict=True)] == [1, 0, 1]
    filled.project()
    assert [now - was for now, was in zip(counts(), before, strict=True)] == [2, 1, 2]
