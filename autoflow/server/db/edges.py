"""Edges of the lineage graph: what a task read or wrote; recording an edge again updates its settings."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select, update

from autoflow.model.entity import EntityRef
from autoflow.model.entity_types import ENTITY_TYPES
from autoflow.server import timestamps
from autoflow.server.db import json_codec
from autoflow.server.db.access import caller, visible
from autoflow.server.db.schema import edges, entities, metadata, tasks
from autoflow.server.db.upsert import insert_or_ignore
from autoflow.server.errors import NotFound


def check_exists(conn: Connection, entity: EntityRef) -> None:
    """Check that an entity of this server exists.

    Raises:
        NotFound: naming the entity.
    """
    row = ENTITY_TYPES[entity.type]
    if row.table:
        table = metadata.tables[row.table]
        if conn.execute(select(table.c.id).where(table.c.id == entity.id, visible(conn, table))).first() is None:
            raise NotFound(row.reference, entity.id)


def save_external_entity(conn: Connection, task_id: int, entity: EntityRef, name: str) -> None:
    """Save another server's entity under a name, for the team of a task."""
    team_id = conn.execute(select(tasks.c.team_id).where(tasks.c.id == task_id)).scalar_one()
    values = {"team_id": team_id, "origin": entity.origin, "type": entity.type, "entity": str(entity.id)}
    if (
        not insert_or_ignore(
            conn, entities, **values, name=name, created_at=timestamps.now(), created_by=caller(conn).user
        )
        and name
        and caller(conn).since is None  # the token of a reproduction renames nothing
    ):
        where = (entities.c[column] == value for column, value in values.items())
        # a row that has the name is not locked: other runs name the same entity
        conn.execute(update(entities).where(*where, entities.c.name != name).values(name=name))


def add(
    conn: Connection, task_id: int, direction: str, entity: EntityRef, meta: Mapping[str, Any] | None, timestamp: str
) -> None:
    """Insert an edge, or update the settings of an existing one; without settings those are kept."""
    identity = {
        "task_id": task_id,
        "direction": direction,
        "origin": entity.origin,
        "type": entity.type,
        "entity": str(entity.id),
    }
    text = json_codec.dump(meta) if meta is not None else None
    now_ns = time.time_ns()
    values = {"entity_key": entity.key, "meta": text, "at": timestamp, "updated_ns": now_ns}
    new = insert_or_ignore(conn, edges, **identity, **values, created_by=caller(conn).user)
    if not new and text is not None:
        where = (edges.c[column] == value for column, value in identity.items())
        conn.execute(update(edges).where(*where).values(meta=text, updated_ns=now_ns))
