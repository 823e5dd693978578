"""``workflow.node.add-*`` as the SDK posts it, and the parsing of an edge's entity for records too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from autoflow.model.entity import EntityRef
from autoflow.model.entity_types import ENTITY_TYPES
from autoflow.server import timestamps
from autoflow.server.db import access, edges, files, tasks
from autoflow.server.db.schema import teams as team_table
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.operations import Operation
from autoflow.server.request_parser import RequestParser, as_number, clean_text
from autoflow.wire import cards, methods
from autoflow.wire.contract.method import Success


def _folder_path(value: Any, position: str) -> str:
    path = clean_text(value).strip()
    if not path.strip("/"):
        raise Invalid(f'"{position}id" must be a folder\'s path')
    return "/" + path.strip("/")


def _parse_own(conn: Connection, request: RequestParser, entity_type: Any, task_id: int) -> EntityRef:
    """Return an entity of this server after checking that it exists; a task of a new number is created."""
    value = request.fields.get("id")
    number = as_number(value)
    if number is None and isinstance(value, str) and ENTITY_TYPES[entity_type].has_path:
        # The SDK posts the path of an output file as its id.
        path = files.normalize_path(request.text("id"))
        file_row = files.current(conn, tasks.get(conn, task_id)["team_id"], path)
        if file_row is None:
            raise NotFound("file", path)
        return EntityRef("", entity_type, file_row["id"])
    number = request.number("id")
    if ENTITY_TYPES[entity_type].is_task:
        team_id = tasks.get(conn, task_id)["team_id"]
        row = tasks.get(conn, tasks.get_or_create(conn, number, team=team_id))
        return EntityRef(row["origin"], entity_type, row["number"])
    entity = EntityRef("", entity_type, number)
    edges.check_exists(conn, entity)
    return entity


def parse_entity(conn: Connection, request: RequestParser, task_id: int) -> EntityRef:
    """Return the entity that an edge names by ``type``, ``id`` and, for another server's, ``origin``.

    Raises:
        Invalid: the type is unknown, or the id is missing or malformed.
        NotFound: this server has no such entity.
    """
    entity_type: Any = request.text("type")
    if entity_type not in ENTITY_TYPES:
        raise Invalid(f'"{request.path}type": there is no type {entity_type!r}; there are {", ".join(ENTITY_TYPES)}')
    if entity_type == "app_session" and not request.has("id"):
        task = tasks.get(conn, task_id)
        return EntityRef(task["origin"], entity_type, task["number"])
    if not request.has("id"):
        raise Invalid(f'"{request.path}id" is missing: which {entity_type} is meant?')
    origin = request.text("origin", "")
    if ENTITY_TYPES[entity_type].by_path:
        entity = EntityRef(origin, entity_type, _folder_path(request.fields["id"], request.path))
    elif origin:
        number = as_number(request.fields["id"])
        entity = EntityRef(origin, entity_type, number if number is not None else request.text("id"))
    else:
        return _parse_own(conn, request, entity_type, task_id)
    if origin:
        edges.save_external_entity(conn, task_id, entity, clean_text(request.fields.get("name")))
    return entity


def add_edge(
    conn: Connection, task_id: int, direction: str, entity: RequestParser, meta: Mapping[str, Any], timestamp: str
) -> None:
    """Add an edge; settings for the task's own card in its meta replace those the card has."""
    ref = parse_entity(conn, entity, task_id)
    edges.add(conn, task_id, direction, ref, meta or None, timestamp)
    node_settings = meta.get(cards.NODE)
    if isinstance(node_settings, Mapping):
        tasks.set_card_settings(conn, task_id, node_settings)


def _add_method(direction: str) -> Operation:
    def add(conn: Connection, request: RequestParser) -> Success:
        node = RequestParser(request.mapping("node"), "node.")
        if node.text("type", "task") != "task":
            raise Invalid('"node.type" must be "task"')
        team_id = request.optional_number("teamId")
        if team_id is not None:
            access.check_visible(conn, team_table, "team", team_id)
        task_id = tasks.get_or_create(conn, node.number("id"), team=team_id)
        tasks.check_author(conn, task_id)
        add_edge(conn, task_id, direction, request, request.mapping("meta"), timestamps.now())
        return {"success": True}

    return add


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = {method: _add_method(direction) for direction, method in methods.ADD_EDGE.items()}
