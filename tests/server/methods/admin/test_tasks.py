"""Tasks as an app tells of its own, their logs, and apps with their sessions."""

from __future__ import annotations

import pytest

from autoflow.errors import ServerRefused


def refused(code, call, *args, **body):
    with pytest.raises(ServerRefused) as refusal:
        call(*args, **body)
    assert refusal.value.status == code


@pytest.fixture
def task(filled):
    return filled.call("autoflow.runs.ensure", run="r1", name="Train")["task"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("started", "started"),
        ("deployed", "started"),
        ("finished", "finished"),
        ("error", "error"),
        ("stopped", "stopped"),
    ],
)
def test_an_app_says_how_far_it_is(filled, task, said, told):
    """The SDK's words for a status are kept in ours, and told in the SDK's."""
    assert filled.call("tasks.status.update", id=task, status=said) == {"success": True}
    shown = filled.call("tasks.info", id=task)
    assert shown["status"] == told
    assert (shown["finishedAt"] is None) is (told == "started")
    refused(400, filled.call, "tasks.status.update", id=task, status="done")
    where = [{"field": "status", "operator": "in", "value": [told]}]
    assert [one["id"] for one in filled.call("tasks.list", workspaceId=1, filter=where)["entities"]] == [task]


def test_a_stopped_task_is_noted(filled, task):
    """Stopping notes it, and does not unmake an end that was told before."""
    assert filled.call("tasks.stop", id=task) == {"id": task, "status": "stopped"}
    filled.call("tasks.status.update", id=task, status="error")
    assert filled.call("tasks.stop", id=task)["status"] == "error"
    refused(404, filled.call, "tasks.stop", id=99)


def test_a_log_is_told_line_by_line(filled, task):
    """Lines come as they were written, from a moment on, the last ones when there is a limit."""
    for second, lines in ((1, "a\nb"), (2, "c")):
        filled.send({**filled.record("log", lines=lines), "at": second * 10**9})
    told = filled.call("tasks.log.download", id=task)
    assert [(one["message"], one["timestamp"][17:19]) for one in told] == [("a", "01"), ("b", "01"), ("c", "02")]
    assert [one["message"] for one in filled.call("tasks.log.download", id=task, limit=1)] == ["c"]
    since = filled.call("tasks.log.download", id=task, sinceTime=told[0]["timestamp"])
    assert [one["message"] for one in since] == ["c"]


def test_what_an_app_shows_on_a_page_of_its_own_is_taken_and_not_kept(filled, task):
    """Fields of an app's page are accepted for a task that is the caller's, and read as null."""
    for method, name in (
        ("tasks.data.set", "taskId"),
        ("tasks.app-v2.data.set", "taskId"),
        ("tasks.meta.update", "id"),
    ):
        assert filled.call(method, **{name: task, "fields": [], "payload": {}}) == {"success": True}
    assert filled.call("tasks.data.get", taskId=task, fields=["data.x"]) == {"result": {"data.x": None}}
    assert filled.call("GetTaskContext", id=task) == {
        "team": {"id": 1, "name": "Team"},
        "workspace": {"id": 1, "name": "Workspace"},
    }


def test_apps_are_what_runs_of_one_name_are_of(filled, task):
    """An app is listed with its sessions."""
    filled.call("autoflow.runs.ensure", run="r2", name="Serve")
    found = filled.call("apps.list", teamId=1, filter=[{"field": "name", "value": "Train"}])["entities"]
    assert [one["name"] for one in found] == ["Train"]
    assert filled.call("apps.info", id=found[0]["id"]) == found[0]
    sessions = filled.call("apps.tasks.list", appId=found[0]["id"], teamId=1, sort="startedAt", sort_order="desc")
    assert [one["id"] for one in sessions["entities"]] == [task]
    refused(404, filled.call, "apps.info", id=99)


def test_users_are_told_with_their_teams(filled):
    """A user's teams, and the one role there is."""
    assert filled.call("users.info", id=1)["teams"] == [{"id": 1, "name": "Team", "roleId": 1, "role": "admin"}]
    assert [one["login"] for one in filled.call("users.list")["entities"]] == ["admin"]
    assert [one["role"] for one in filled.call("roles.list")["entities"]] == ["admin"]
