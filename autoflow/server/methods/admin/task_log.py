"""The logs of tasks in the SDK's shape: ``tasks.log.download`` and ``tasks.logs.add``."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from autoflow.model.json_object import JsonObject
from autoflow.server import timestamps
from autoflow.server.db import tasks
from autoflow.server.operations import Operation
from autoflow.server.request_parser import RequestParser, clean_text
from autoflow.wire.contract.method import Success


def log(conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``tasks.log.download`` by id: an entry for each line, not older than ``sinceTime``, the last ``limit`` ones."""
    task_id = tasks.get(conn, request.number("id"))["id"]
    entries = [
        {"task_id": task_id, "timestamp": row["at"], "level": "info", "message": line}
        for row in tasks.read_log(conn, task_id, request.text("sinceTime", ""))
        for line in row["lines"].splitlines()
    ]
    limit = request.optional_number("limit")
    return entries if limit is None else entries[len(entries) - min(max(limit, 0), len(entries)) :]


def add_lines(conn: Connection, request: RequestParser) -> Success:
    """``tasks.logs.add``: ``logs`` are records of the SDK's logger, each of which names its task.

    They are stored with the server's time: the logger writes the local time of its machine as if it were UTC.
    """
    lines: dict[int, list[str]] = {}
    for entry in request.objects("logs"):
        lines.setdefault(entry.number("task_id"), []).append(_line(entry))
    for number, task_lines in lines.items():
        task_id = tasks.get_or_create(conn, number)
        tasks.check_author(conn, task_id)
        tasks.append_log(conn, task_id, timestamps.now(), "\n".join(task_lines))
    return {"success": True}


def _line(entry: RequestParser) -> str:
    """Return a record's message, after its level unless that is info, with its traceback."""
    level = clean_text(entry.fields.get("level")).upper()
    message = clean_text(entry.fields.get("message"))
    stack = [clean_text(line) for line in entry.array("stack", required=False)]
    return "\n".join([message if level in {"", "INFO"} else f"{level} {message}", *stack])


READS: Mapping[str, Operation] = {"tasks.log.download": log}
WRITES: Mapping[str, Operation] = {"tasks.logs.add": add_lines}
