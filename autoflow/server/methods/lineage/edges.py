"""Edges from the wire: ``workflow.node.add-*`` as the SDK posts it, and the reading of any edge's entity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from autoflow.model.entity import WIRE_TYPES, EntityRef
from autoflow.server import timestamps
from autoflow.server.db import access, edges, files, tasks
from autoflow.server.db.schema import teams as team_table
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.operations import Operation
from autoflow.server.request_parser import RequestParser, as_number, clean_text
from autoflow.wire import cards, methods


def _path(value: Any, place: str) -> str:
    path = clean_text(value).strip()
    if not path.strip("/"):
        raise Invalid(f'"{place}id" must be a folder\'s path')
    return "/" + path.strip("/")


def _own(conn: Connection, request: RequestParser, entity_type: Any, task_id: int) -> EntityRef:
    """An entity of our own, checked; a task of a number not seen yet is made."""
    value = request.fields.get("id")
    number = as_number(value)
    if number is None and isinstance(value, str) and entity_type in {"file", "model_weight"}:
        # the SDK posts an output file's path as its number
        path = files.normalize_path(request.text("id"))
        found = files.current(conn, tasks.get(conn, task_id)["team_id"], path)
        if found is None:
            raise NotFound("file", path)
        return EntityRef("", entity_type, found["id"])
    number = request.number("id")
    if entity_type in {"task", "app_session"}:
        row = tasks.get(conn, tasks.get_or_create(conn, number))
        return EntityRef(row["origin"], entity_type, row["number"])
    entity = EntityRef("", entity_type, number)
    edges.check_exists(conn, entity)
    return entity


def read_entity(conn: Connection, request: RequestParser, task_id: int) -> EntityRef:
    """An entity as an edge names it: ``type``, ``id`` and, when it is another server's, ``origin``.

    Raises:
        ServerRefused: unknown type, no id, or a number of ours that we did not give.
    """
    entity_type: Any = request.text("type")
    if entity_type not in WIRE_TYPES:
        raise Invalid(f'"{request.path}type": there is no type {entity_type!r}; there are {", ".join(WIRE_TYPES)}')
    if entity_type == "app_session" and not request.has("id"):
        task = tasks.get(conn, task_id)
        return EntityRef(task["origin"], entity_type, task["number"])
    if not request.has("id"):
        raise Invalid(f'"{request.path}id" is missing: which {entity_type} is meant?')
    origin = request.text("origin", "")
    if entity_type == "folder":
        entity = EntityRef(origin, entity_type, _path(request.fields["id"], request.path))
    elif origin:
        number = as_number(request.fields["id"])
        entity = EntityRef(origin, entity_type, number if number is not None else request.text("id"))
    else:
        return _own(conn, request, entity_type, task_id)
    if origin:
        edges.save_external_entity(conn, task_id, entity, clean_text(request.fields.get("name")))
    return entity


def draw(
    conn: Connection, task_id: int, direction: str, entity: RequestParser, meta: Mapping[str, Any], moment: str
) -> None:
    """Draw an edge; settings for the task's own card that came with it are put in place of those it has."""
    ref = read_entity(conn, entity, task_id)
    edges.add(conn, task_id, direction, ref, meta or None, moment)
    node = meta.get(cards.NODE)
    if isinstance(node, Mapping):
        tasks.set_card_settings(conn, task_id, node)


def _add(direction: str) -> Operation:
    def add(conn: Connection, request: RequestParser) -> dict[str, Any]:
        node = RequestParser(request.mapping("node"), "node.")
        if node.text("type", "task") != "task":
            raise Invalid('"node.type" must be "task"')
        team_id = request.optional_number("teamId")
        if team_id is not None:
            access.check_visible(conn, team_table, "team", team_id)
        task_id = tasks.get_or_create(conn, node.number("id"), team=team_id)
        tasks.check_author(conn, task_id)
        draw(conn, task_id, direction, request, request.mapping("meta"), timestamps.now())
        return {"success": True}

    return add


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = {method: _add(direction) for direction, method in methods.ADD_EDGE.items()}
