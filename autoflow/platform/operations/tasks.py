"""Tasks: ``tasks.*`` in the SDK's shape, with what only this platform knows of a run under ``autoflow``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping

from autoflow.platform import documents
from autoflow.platform.body import Body
from autoflow.platform.operations import Operation
from autoflow.platform.paging import page
from autoflow.platform.store import tasks, teams
from autoflow.platform.store.schema import tasks as table
from autoflow.platform.store.schema import workspaces
from autoflow.wire import methods

# The SDK's words for a task's status.
_STATUS = {"running": "started", "finished": "finished", "failed": "error", "lost": "stopped"}

_COLUMNS = {
    "id": table.c.id,
    "name": table.c.name,
    "createdAt": table.c.created_at,
    "startedAt": table.c.started_at,
    "finishedAt": table.c.finished_at,
}


def _shape(found: Sequence[RowMapping]) -> list[dict[str, Any]]:
    return [
        {
            "id": row["id"],
            "type": "app",
            "name": row["name"],
            "description": "",
            "status": _STATUS[row["state"]],
            "teamId": row["team_id"],
            "workspaceId": row["workspace_id"],
            "createdBy": teams.FIRST_USER,
            "createdAt": row["created_at"],
            "updatedAt": row["updated_at"],
            "startedAt": row["started_at"],
            "finishedAt": row["finished_at"],
            "meta": {"app": {"id": row["app_id"], "name": row["app_name"] or row["name"]}},
            "settings": {},
            "autoflow": {
                "origin": row["origin"],
                "number": row["number"],
                "state": row["state"],
                "error": row["error"],
                "facts": documents.load(row["facts"]),
            },
        }
        for row in found
    ]


def task(rows: Connection, body: Body) -> dict[str, Any]:
    """``tasks.info`` by id."""
    return _shape([tasks.get(rows, body.number("id"))])[0]


def ensure(rows: Connection, body: Body) -> dict[str, Any]:
    """``autoflow.tasks.ensure``: the task of a number given from outside, made if it is new; as ``tasks.info``."""
    number = tasks.given(rows, body.number("id"), team=body.maybe_number("teamId"))
    return _shape([tasks.get(rows, number)])[0]


def list_tasks(rows: Connection, body: Body) -> dict[str, Any]:
    """``tasks.list`` of a workspace."""
    workspace = teams.get(rows, workspaces, "workspace", body.number("workspaceId"))
    return page(rows, tasks.listing(rows).where(table.c.workspace_id == workspace["id"]), _COLUMNS, body, _shape)


def set_output(rows: Connection, body: Body) -> dict[str, Any]:
    """``tasks.output.set``: what the SDK's app says it made, kept among the facts of its run."""
    number = tasks.given(rows, body.number("taskId"))
    tasks.learn(rows, number, {"output": body.mapping("output")})
    return {"success": True}


READS: Mapping[str, Operation] = {methods.TASK_INFO: task, "tasks.list": list_tasks}
WRITES: Mapping[str, Operation] = {methods.TASKS_ENSURE: ensure, "tasks.output.set": set_output}
