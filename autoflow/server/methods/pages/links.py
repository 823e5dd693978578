"""Links to entities with their names, and the runs that read or wrote an entity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from autoflow.graph.graph import CardOptions
from autoflow.model.entity import EntityRef
from autoflow.model.entity_types import ENTITY_TYPES, Direction
from autoflow.server.db import tasks
from autoflow.server.db.access import visible
from autoflow.server.db.schema import edges
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.lineage.card_fields import describe_cards
from autoflow.wire.contract.run_pages import EntityLink, RunSummary, Users

Row = Mapping[str, Any] | RowMapping

DEFAULT_SIZE = 50  # of a list, in entries
MAX_SIZE = 200


def page_size(limit: int | None, default: int = DEFAULT_SIZE) -> int:
    """Return the length of a list that a request asks for by ``limit``."""
    return min(max(limit or default, 1), MAX_SIZE)


def run_name(row: Row) -> str:
    """Return the name of a run: its app's, else its own, else its number."""
    return str(row["app_name"] or row["name"] or f"Task {row['number']}")


def entity_links(conn: Connection, refs: Sequence[EntityRef]) -> list[EntityLink]:
    """Return entities as links, in order."""
    task_ids = [ref.id for ref in refs if ENTITY_TYPES[ref.type].is_task and not ref.origin]
    query = select(task_table.c.id).where(task_table.c.id.in_(task_ids), visible(conn, task_table))
    task_keys = {task_id: EntityRef("", "task", task_id).key for task_id in conn.execute(query).scalars()}
    fields = describe_cards(conn, refs, task_keys)
    return [_entity_link(ref, fields.get(ref.key, {})) for ref in refs]


def _entity_link(ref: EntityRef, fields: CardOptions) -> EntityLink:
    link = fields.get("link")
    url = link.url if link is not None else None
    if ENTITY_TYPES[ref.type].is_task and fields:
        url = f"/apps/sessions/{ref.id}"  # not the link that its card may be customised with
    return {
        "type": ref.type,
        "id": ref.id,
        "origin": ref.origin,
        "name": fields.get("name") or ref.default_name,
        "detail": fields.get("description"),
        "badge": fields.get("badge"),
        "link": url if not ref.origin else None,
    }


def using_runs(conn: Connection, keys: Sequence[str], size: int = DEFAULT_SIZE) -> Users:
    """Return the runs that read or wrote any of these cards, the latest first."""
    is_user = task_table.c.id.in_(select(edges.c.task_id).where(edges.c.entity_key.in_(keys)))
    count = select(func.count()).select_from(task_table).where(is_user, visible(conn, task_table))
    total = conn.execute(count).scalar_one()
    rows = (
        conn.execute(tasks.listing(conn).where(is_user).order_by(task_table.c.id.desc()).limit(size)).mappings().all()
    )
    column, task_ids = edges.c.task_id, [row["id"] for row in rows]
    query = select(column, edges.c.direction).where(edges.c.entity_key.in_(keys), column.in_(task_ids)).distinct()
    directions: dict[int, list[Direction]] = {}
    for task_id, direction in conn.execute(query.order_by(edges.c.direction)):
        directions.setdefault(task_id, []).append(direction)
    return {"runs": [{**run_summary(row), "directions": directions.get(row["id"], [])} for row in rows], "total": total}


def run_summary(row: Row) -> RunSummary:
    """Return a run as an entry of a list."""
    return {
        "id": row["id"],
        "name": run_name(row),
        "state": row["state"],
        "startedAt": row["started_at"] or row["created_at"],
        "finishedAt": row["finished_at"],
    }


def edge_counts(conn: Connection, task_ids: Iterable[int]) -> dict[tuple[int, str], int]:
    """Count the edges of runs by (task's id, direction)."""
    column = edges.c.task_id
    query = select(column, edges.c.direction, func.count()).where(column.in_(list(task_ids)))
    query = query.group_by(column, edges.c.direction)
    return {(task_id, direction): count for task_id, direction, count in conn.execute(query)}
