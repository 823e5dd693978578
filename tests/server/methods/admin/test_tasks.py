"""`tasks.*` and `apps.*`: the status and output that an app reports, its logs and its sessions."""

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
    ("reported", "returned"),
    [
        ("started", "started"),
        ("deployed", "started"),
        ("finished", "finished"),
        ("error", "error"),
        ("stopped", "stopped"),
    ],
)
def test_an_app_reports_its_status(filled, task, reported, returned):
    """The SDK's status is stored as a state, and returned as the SDK's status."""
    assert filled.call("tasks.status.update", id=task, status=reported) == {"success": True}
    shown = filled.call("tasks.info", id=task)
    assert shown["status"] == returned
    assert (shown["finishedAt"] is None) is (returned == "started")
    refused(400, filled.call, "tasks.status.update", id=task, status="done")
    where = [{"field": "status", "operator": "in", "value": [returned]}]
    assert [entity["id"] for entity in filled.call("tasks.list", workspaceId=1, filter=where)["entities"]] == [task]


def test_a_stopped_task_is_marked(filled, task):
    """Stopping marks the task as stopped, and does not overwrite an earlier end."""
    assert filled.call("tasks.stop", id=task) == {"id": task, "status": "stopped"}
    filled.call("tasks.status.update", id=task, status="error")
    assert filled.call("tasks.stop", id=task)["status"] == "error"
    refused(404, filled.call, "tasks.stop", id=99)


def test_a_log_is_returned_line_by_line(filled, task):
    """Lines in order, from a time on, the last ones if there is a limit."""
    for second, lines in ((1, "a\nb"), (2, "c")):
        filled.send({**filled.record("log", lines=lines), "at": second * 10**9})
    lines = filled.call("tasks.log.download", id=task)
    assert [(line["message"], line["timestamp"][17:19]) for line in lines] == [("a", "01"), ("b", "01"), ("c", "02")]
    assert [line["message"] for line in filled.call("tasks.log.download", id=task, limit=1)] == ["c"]
    since = filled.call("tasks.log.download", id=task, sinceTime=lines[0]["timestamp"])
    assert [line["message"] for line in since] == ["c"]


def test_a_command_to_an_app_is_refused(filled, task):
    """No app is connected to a server without HTTP: 409 at once, and 404 for a task that there is not."""
    command = {"command": "train", "context": {}, "state": {}, "skipResponse": False, "timeout": 60}
    with pytest.raises(ServerRefused, match=r"no app of task .* the command 'train'") as refusal:
        filled.call("tasks.request.direct", taskId=task, **command)
    assert refusal.value.status == 409
    refused(404, filled.call, "tasks.request.direct", taskId=999, **command)


def test_an_apps_logger_adds_to_its_log(filled, task):
    """Records of the SDK's logger, with their level and traceback; one that names no task is refused with the rest."""
    logged = [{"task_id": task, "level": "info", "message": "m"}]
    failed = {"task_id": str(task), "level": "error", "message": "e", "stack": ["Traceback", "  line 1"]}
    assert filled.call("tasks.logs.add", logs=[*logged, failed]) == {"success": True}
    refused(400, filled.call, "tasks.logs.add", logs=[*logged, {"message": "lost"}])
    shown = filled.call("tasks.log.download", id=task)
    assert [line["message"] for line in shown] == ["m", "ERROR e", "Traceback", "  line 1"]


def test_data_of_an_apps_own_page_is_stored(filled, task):
    """Fields are set by their paths, replaced or appended to, and read; what was not set is null."""

    def put(*fields):
        assert filled.call("tasks.data.set", taskId=task, fields=list(fields)) == {"success": True}

    def read(*names):
        return filled.call("tasks.data.get", taskId=task, fields=list(names))["result"]

    put({"field": "data.x", "payload": 1}, {"field": "data.list", "payload": [1]}, {"field": "state", "payload": {}})
    put({"field": "data.list", "payload": [2, 3], "append": True}, {"field": "data.list", "payload": 4, "append": True})
    put({"field": "state", "payload": {"a": {"b": 1}}, "append": True})
    put({"field": "state", "payload": {"a": {"c": [2]}}, "append": True, "recursive": True})
    assert read("data.x", "data.list", "state", "state.a.c", "data.x.y", "none") == {
        "data.x": 1,
        "data.list": [1, 2, 3, 4],
        "state": {"a": {"b": 1, "c": [2]}},
        "state.a.c": [2],
        "data.x.y": None,
        "none": None,
    }
    put({"field": "state", "payload": {"a": 5}, "append": True}, {"field": "data.x.y", "payload": 6})
    assert read("state", "data.x") == {"state": {"a": 5}, "data.x": {"y": 6}}
    refused(413, filled.call, "tasks.data.set", taskId=task, fields=[{"field": "x", "payload": "x" * 5_000_000}])
    refused(400, filled.call, "tasks.data.set", taskId=task, fields=[{"payload": 1}])
    refused(404, filled.call, "tasks.data.get", taskId=99, fields=["data"])
    assert read("x") == {"x": None}


def test_other_data_of_an_apps_own_page_is_discarded(filled, task):
    """Patches and links are accepted for a task of the caller's."""
    for method, name in (("tasks.app-v2.data.set", "taskId"), ("tasks.meta.update", "id")):
        assert filled.call(method, **{name: task, "fields": [], "payload": {}}) == {"success": True}
    assert filled.call("GetTaskContext", id=task) == {
        "team": {"id": 1, "name": "Team"},
        "workspace": {"id": 1, "name": "Workspace"},
    }


def test_apps_are_groups_of_runs_with_one_name(filled, task):
    """An app is listed with its sessions."""
    filled.call("autoflow.runs.ensure", run="r2", name="Serve")
    listed = filled.call("apps.list", teamId=1, filter=[{"field": "name", "value": "Train"}])["entities"]
    assert [entity["name"] for entity in listed] == ["Train"]
    assert filled.call("apps.info", id=listed[0]["id"]) == listed[0]
    sessions = filled.call("apps.tasks.list", appId=listed[0]["id"], teamId=1, sort="startedAt", sort_order="desc")
    assert [entity["id"] for entity in sessions["entities"]] == [task]
    refused(404, filled.call, "apps.info", id=99)


def test_users_have_their_teams(filled):
    """A user's teams, and the only role."""
    assert filled.call("users.info", id=1)["teams"] == [{"id": 1, "name": "Team", "roleId": 1, "role": "admin"}]
    assert [entity["login"] for entity in filled.call("users.list")["entities"]] == ["admin"]
    assert [entity["role"] for entity in filled.call("roles.list")["entities"]] == ["admin", "editor", "viewer"]
