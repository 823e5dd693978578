"""Edges from the wire: ``workflow.node.add-*`` as the SDK posts it, and the reading of any edge's entity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from autoflow.model.entity import WIRE_TYPES, EntityRef
from autoflow.server import timestamps
from autoflow.server.db import access, edges, files, tasks
from autoflow.server.db.schema import teams as team_table
from autoflow.server.errors import bad, unknown
from autoflow.server.operations import Operation
from autoflow.server.request_parser import Body, as_number, cleaned
from autoflow.wire import cards, methods


def _path(value: Any, place: str) -> str:
    path = cleaned(value).strip()
    if not path.strip("/"):
        raise bad(f'"{place}id" must be a folder\'s path')
    return "/" + path.strip("/")


def _own(conn: Connection, body: Body, entity_type: Any, task_id: int) -> EntityRef:
    """An entity of our own, checked; a task of a number not seen yet is made."""
    value = body.fields.get("id")
    number = as_number(value)
    if number is None and isinstance(value, str) and entity_type in {"file", "model_weight"}:
        # the SDK posts an output file's path as its number
        path = files.absolute(body.text("id"))
        found = files.current(conn, tasks.get(conn, task_id)["team_id"], path)
        if found is None:
            raise unknown("file", path)
        return EntityRef("", entity_type, found["id"])
    number = body.number("id")
    if entity_type in {"task", "app_session"}:
        row = tasks.get(conn, tasks.given(conn, number))
        return EntityRef(row["origin"], entity_type, row["number"])
    entity = EntityRef("", entity_type, number)
    edges.check(conn, entity)
    return entity


def read_entity(conn: Connection, body: Body, task_id: int) -> EntityRef:
    """An entity as an edge names it: ``type``, ``id`` and, when it is another server's, ``origin``.

    Raises:
        ServerRefused: unknown type, no id, or a number of ours that we did not give.
    """
    entity_type: Any = body.text("type")
    if entity_type not in WIRE_TYPES:
        raise bad(f'"{body.place}type": there is no type {entity_type!r}; there are {", ".join(WIRE_TYPES)}')
    if entity_type == "app_session" and not body.given("id"):
        task = tasks.get(conn, task_id)
        return EntityRef(task["origin"], entity_type, task["number"])
    if not body.given("id"):
        raise bad(f'"{body.place}id" is missing: which {entity_type} is meant?')
    origin = body.text("origin", "")
    if entity_type == "folder":
        entity = EntityRef(origin, entity_type, _path(body.fields["id"], body.place))
    elif origin:
        number = as_number(body.fields["id"])
        entity = EntityRef(origin, entity_type, number if number is not None else body.text("id"))
    else:
        return _own(conn, body, entity_type, task_id)
    if origin:
        edges.trust(conn, task_id, entity, cleaned(body.fields.get("name")))
    return entity


def draw(conn: Connection, task_id: int, direction: str, entity: Body, meta: Mapping[str, Any], moment: str) -> None:
    """Draw an edge; settings for the task's own card that came with it are put in place of those it has."""
    ref = read_entity(conn, entity, task_id)
    edges.add(conn, task_id, direction, ref, meta or None, moment)
    node = meta.get(cards.NODE)
    if isinstance(node, Mapping):
        tasks.customise(conn, task_id, node)


def _add(direction: str) -> Operation:
    def add(conn: Connection, body: Body) -> dict[str, Any]:
        node = Body(body.mapping("node"), "node.")
        if node.text("type", "task") != "task":
            raise bad('"node.type" must be "task"')
        team_id = body.maybe_number("teamId")
        if team_id is not None:
            access.check(conn, team_table, "team", team_id)
        task_id = tasks.given(conn, node.number("id"), team=team_id)
        tasks.check_author(conn, task_id)
        draw(conn, task_id, direction, body, body.mapping("meta"), timestamps.now())
        return {"success": True}

    return add


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = {method: _add(direction) for direction, method in methods.ADD_EDGE.items()}
