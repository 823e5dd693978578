"""``tasks.data.*``: fields of an app's own page, by their dotted paths. The page itself is not shown here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from autoflow.model.json_object import JsonObject
from autoflow.server.db import task_data, tasks
from autoflow.server.operations import Operation
from autoflow.server.request_parser import RequestParser, as_text
from autoflow.wire.contract.method import Success


def set_fields(conn: Connection, request: RequestParser) -> Success:
    """``tasks.data.set`` of ``fields``, each a ``field`` and its ``payload``.

    With ``append``, a list is extended and an object gets the payload's members; with ``recursive`` too, so do the
    objects and lists in it.
    """
    task_id = tasks.get_or_create(conn, request.number("taskId"))
    tasks.check_author(conn, task_id)
    document = task_data.read(conn, task_id)
    for entry in request.objects("fields"):
        payload = entry.fields.get("payload")
        *parents, name = entry.text("field").split(".")
        owner = _descend(document, parents)
        if entry.flag("append", default=False):
            payload = _appended(owner.get(name), payload, recursive=entry.flag("recursive", default=False))
        owner[name] = payload
    task_data.write(conn, task_id, document)
    return {"success": True}


def _descend(document: JsonObject, names: list[str]) -> JsonObject:
    """Return the object at a path, creating those that are missing."""
    for name in names:
        if not isinstance(document.get(name), dict):
            document[name] = {}
        document = document[name]
    return document


def _appended(before: Any, payload: Any, *, recursive: bool) -> Any:
    """Return a value with a payload appended to it."""
    if isinstance(before, dict) and isinstance(payload, Mapping):
        added = {
            key: _appended(before[key], value, recursive=True) if recursive and key in before else value
            for key, value in payload.items()
        }
        return {**before, **added}
    if isinstance(before, list):
        return [*before, *payload] if isinstance(payload, list) else [*before, payload]
    return payload


def fields(conn: Connection, request: RequestParser) -> JsonObject:
    """``tasks.data.get`` of ``fields`` by their paths, null for those that were not set."""
    document = task_data.read(conn, tasks.get(conn, request.number("taskId"))["id"])
    names = [name for value in request.array("fields") if (name := as_text(value)) is not None]
    return {"result": {name: _value(document, name) for name in names}}


def _value(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document


READS: Mapping[str, Operation] = {"tasks.data.get": fields}
WRITES: Mapping[str, Operation] = {"tasks.data.set": set_fields}
