"""Tasks: ``tasks.*`` in the SDK's shape, with what only this server knows of a run under ``autoflow``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, case

from autoflow.server import timestamps
from autoflow.server.db import json_codec, tasks, teams
from autoflow.server.db.schema import tasks as table
from autoflow.server.db.schema import workspaces
from autoflow.server.errors import Invalid
from autoflow.server.operations import Operation
from autoflow.server.paging import page
from autoflow.server.request_parser import RequestParser, as_text
from autoflow.wire import methods

# The SDK's words for a task's status.
_STATUS = {"running": "started", "finished": "finished", "failed": "error", "ended": "finished", "lost": "stopped"}
# What of them an app says of itself.
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


def shaped(found: Sequence[RowMapping]) -> list[dict[str, Any]]:
    """Tasks as the wire shows them."""
    return [
        {
            "id": row["id"],
            "type": "app",
            "name": row["name"],
            "description": "",
            "status": _STATUS[row["state"]],
            "teamId": row["team_id"],
            "workspaceId": row["workspace_id"],
            "createdBy": row["created_by"] or teams.FIRST_USER,
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
                "facts": json_codec.load(row["facts"]),
            },
        }
        for row in found
    ]


def task(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``tasks.info`` by id."""
    return shaped([tasks.get(conn, request.number("id"))])[0]


def ensure(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.tasks.ensure``: the task of a number given from outside, made if it is new; as ``tasks.info``."""
    number = tasks.get_or_create(conn, request.number("id"), team=request.optional_number("teamId"))
    return shaped([tasks.get(conn, number)])[0]


def list_tasks(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``tasks.list`` of a workspace."""
    workspace = teams.get(conn, workspaces, "workspace", request.number("workspaceId"))
    return page(conn, tasks.listing(conn).where(table.c.workspace_id == workspace["id"]), COLUMNS, request, shaped)


def set_output(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``tasks.output.set``: what the SDK's app says it made, kept among the facts of its run."""
    number = tasks.get_or_create(conn, request.number("taskId"))
    tasks.check_author(conn, number)
    tasks.add_facts(conn, number, {"output": request.mapping("output")}, timestamps.now())
    return {"success": True}


def set_status(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``tasks.status.update``: what an app says of its own task, in the SDK's words."""
    status = request.text("status")
    if status not in _STATES:
        raise Invalid(f'"status" must be one of {", ".join(_STATES)}')
    _set_state(conn, tasks.get_or_create(conn, request.number("id")), _STATES[status])
    return {"success": True}


def stop(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``tasks.stop``: noted; a process is nothing this server could stop."""
    number = tasks.get(conn, request.number("id"))["id"]
    _set_state(conn, number, "lost")
    return {"id": number, "status": _STATUS[tasks.get(conn, number)["state"]]}


def _set_state(conn: Connection, number: int, state: str) -> None:
    tasks.check_author(conn, number)
    before = tasks.get(conn, number)["state"]
    if state != "running":
        tasks.finish(conn, number, state, None, timestamps.now())
    elif before != "running":
        tasks.start(conn, number, timestamps.now())


def log(conn: Connection, request: RequestParser) -> list[dict[str, Any]]:
    """``tasks.log.download`` by id: a line each; ``sinceTime`` leaves out what is older, ``limit`` all but the last."""
    number = tasks.get(conn, request.number("id"))["id"]
    found = [
        {"task_id": number, "timestamp": row["at"], "level": "info", "message": line}
        for row in tasks.read_log(conn, number, request.text("sinceTime", ""))
        for line in row["lines"].splitlines()
    ]
    limit = request.optional_number("limit")
    return found if limit is None else found[len(found) - min(max(limit, 0), len(found)) :]


def accept(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """What an app sends for a page of its own, which is not shown here: taken, and not kept."""
    tasks.get_or_create(conn, request.number("id" if request.has("id") else "taskId"))
    return {"success": True}


def fields(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``tasks.data.get``: nothing is kept of an app's page, so every field is null."""
    tasks.get(conn, request.number("taskId"))
    return {"result": {name: None for one in request.array("fields") if (name := as_text(one)) is not None}}


READS: Mapping[str, Operation] = {
    methods.TASK_INFO: task,
    "tasks.list": list_tasks,
    "tasks.log.download": log,
    "tasks.data.get": fields,
}
WRITES: Mapping[str, Operation] = {
    methods.TASKS_ENSURE: ensure,
    "tasks.output.set": set_output,
    "tasks.status.update": set_status,
    "tasks.stop": stop,
    "tasks.meta.update": accept,
    "tasks.data.set": accept,
    "tasks.app-v2.data.set": accept,
}
