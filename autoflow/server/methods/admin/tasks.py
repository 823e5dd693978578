"""``tasks.*`` in the SDK's shape, with the fields that an instance does not have under ``autoflow``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, case

from autoflow.model.json_object import JsonObject
from autoflow.server import timestamps
from autoflow.server.db import json_codec, tasks, teams
from autoflow.server.db.schema import tasks as table
from autoflow.server.db.schema import workspaces
from autoflow.server.errors import Invalid
from autoflow.server.operations import Operation, by_name, implements
from autoflow.server.paging import ListPage, page
from autoflow.server.request_parser import RequestParser
from autoflow.wire import methods
from autoflow.wire.contract import records as contract
from autoflow.wire.contract.method import Success

# The SDK's status for a state.
_STATUS = {"running": "started", "finished": "finished", "failed": "error", "ended": "finished", "lost": "stopped"}
# The SDK's status for a number of which nothing has been recorded yet.
NOT_STORED = "queued"
# The number of the app of tasks that no run has named yet: the SDK expects one, and looks it up.
NO_APP = 0
# The state for a status that an app reports.
_STATES = {
    **dict.fromkeys(("queued", "consumed", "started", "deployed"), "running"),
    **dict.fromkeys(("stopped", "terminating"), "lost"),
    "finished": "finished",
    "error": "failed",
}

COLUMNS = {
    "id": table.c.id,
    "name": table.c.name,
    "createdAt": table.c.created_at,
    "startedAt": table.c.started_at,
    "finishedAt": table.c.finished_at,
    "status": case(dict(_STATUS), value=table.c.state),
}


def tasks_to_wire(rows: Sequence[Mapping[Any, Any]]) -> list[contract.TaskResponse]:
    """Return tasks in wire form."""
    return [_to_wire(row, json_codec.load(row["facts"])) for row in rows]


def _to_wire(row: Mapping[Any, Any], facts: dict[str, Any]) -> contract.TaskResponse:
    return {
        "id": row["id"],
        "type": "app",
        "name": row["name"],
        "description": "",
        "status": _STATUS.get(row["state"], NOT_STORED),
        "teamId": row["team_id"],
        "workspaceId": row["workspace_id"],
        "createdBy": row["created_by"] or teams.FIRST_USER,
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "startedAt": row["started_at"],
        "finishedAt": row["finished_at"],
        "meta": {
            "app": {"id": row["app_id"] or NO_APP, "name": row["app_name"] or row["name"]},
            "output": facts.get("output", {}),
            "sessionToken": f"task-{row['id']}",
        },
        "settings": {},
        "agentId": None,
        "agentName": None,
        "autoflow": {
            "origin": row["origin"],
            "number": row["number"],
            "state": row["state"],
            "error": row["error"],
            "facts": facts,
        },
    }


def task(conn: Connection, request: RequestParser) -> contract.TaskResponse:
    """``tasks.info`` by id.

    A number from elsewhere is answered before anything is recorded of it, and not stored: the SDK asks for the team of
    a task that its first edge then creates.
    """
    return tasks_to_wire([tasks.get_or_draft(conn, request.number("id"))])[0]


@implements(contract.TASKS_ENSURE)
def ensure(conn: Connection, request: contract.EnsureTaskRequest) -> contract.TaskResponse:
    """``autoflow.tasks.ensure``: the task of a number from another system, created if it is new."""
    task_id = tasks.get_or_create(conn, request.id, team=request.team_id)
    return tasks_to_wire([tasks.get(conn, task_id)])[0]


def list_tasks(conn: Connection, request: RequestParser) -> ListPage:
    """``tasks.list`` of a workspace."""
    workspace = teams.get(conn, workspaces, "workspace", request.number("workspaceId"))
    return page(
        conn, tasks.listing(conn).where(table.c.workspace_id == workspace["id"]), COLUMNS, request, tasks_to_wire
    )


def set_output(conn: Connection, request: RequestParser) -> Success:
    """``tasks.output.set``: an app's output, stored as a fact of its run and returned in the task's ``meta``."""
    task_id = tasks.get_or_create(conn, request.number("taskId"))
    tasks.check_author(conn, task_id)
    tasks.add_facts(conn, task_id, {"output": request.mapping("output")}, timestamps.now())
    return {"success": True}


def set_status(conn: Connection, request: RequestParser) -> Success:
    """``tasks.status.update``: the status that an app reports of its task."""
    status = request.text("status")
    if status not in _STATES:
        raise Invalid(f'"status" must be one of {", ".join(_STATES)}')
    _set_state(conn, tasks.get_or_create(conn, request.number("id")), _STATES[status])
    return {"success": True}


def stop(conn: Connection, request: RequestParser) -> JsonObject:
    """``tasks.stop``: mark a task as lost; the server cannot stop its process."""
    task_id = tasks.get(conn, request.number("id"))["id"]
    _set_state(conn, task_id, "lost")
    return {"id": task_id, "status": _STATUS[tasks.get(conn, task_id)["state"]]}


def _set_state(conn: Connection, task_id: int, state: str) -> None:
    tasks.check_author(conn, task_id)
    before = tasks.get(conn, task_id)["state"]
    if state != "running":
        tasks.finish(conn, task_id, state, None, timestamps.now())
    elif before != "running":
        tasks.start(conn, task_id, timestamps.now())


def discard(conn: Connection, request: RequestParser) -> Success:
    """Accept and discard what an app reports of its own page beside `task_data`: this server does not show it."""
    tasks.get_or_create(conn, request.number("id" if request.has("id") else "taskId"))
    return {"success": True}


READS: Mapping[str, Operation] = {
    methods.TASK_INFO: task,
    "tasks.list": list_tasks,
}
WRITES: Mapping[str, Operation] = {
    **by_name(ensure),
    "tasks.output.set": set_output,
    "tasks.status.update": set_status,
    "tasks.stop": stop,
    "tasks.meta.update": discard,
    "tasks.app-v2.data.set": discard,
}
