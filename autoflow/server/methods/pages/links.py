"""Things as a page names them: what they are called, where they are shown, and which runs read or wrote them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from autoflow.model.entity import EntityRef
from autoflow.server.db import tasks
from autoflow.server.db.access import visible
from autoflow.server.db.schema import edges
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.lineage.card_fields import plain_name, tell
from autoflow.server.request_parser import RequestParser, as_number

Row = Mapping[str, Any] | RowMapping

PART = 50  # of a list that a request does not say the size of
LARGEST = 200


def limit(request: RequestParser, otherwise: int = PART) -> int:
    """How many of a list are wanted."""
    return min(max(request.optional_number("limit") or otherwise, 1), LARGEST)


def entity(row: RowMapping) -> EntityRef:
    """What an edge's row leads to."""
    number = None if row["type"] == "folder" else as_number(row["entity"])
    return EntityRef(row["origin"], row["type"], row["entity"] if number is None else number)


def run_name(row: Row) -> str:
    """What a run is called: its app's name, else its own, else its number."""
    return str(row["app_name"] or row["name"] or f"Task {row['number']}")


def named(conn: Connection, refs: Sequence[EntityRef]) -> list[dict[str, Any]]:
    """Entities as links: ``{"type", "id", "origin", "name", "detail", "badge", "link"}``, in the order given."""
    numbers = [ref.id for ref in refs if ref.type in {"task", "app_session"} and not ref.origin]
    known = {
        number: EntityRef("", "task", number).key
        for number in conn.execute(
            select(task_table.c.id).where(task_table.c.id.in_(numbers), visible(conn, task_table))
        ).scalars()
    }
    told = tell(conn, refs, known)
    return [_named(ref, told.get(ref.key, {})) for ref in refs]


def _named(ref: EntityRef, told: Mapping[str, Any]) -> dict[str, Any]:
    link = told.get("link")
    address = link.url if link is not None else None
    if ref.type in {"task", "app_session"} and told:
        address = f"/apps/sessions/{ref.id}"  # whatever its card was made to lead to
    return {
        "type": ref.type,
        "id": ref.id,
        "origin": ref.origin,
        "name": told.get("name") or plain_name(ref),
        "detail": told.get("description"),
        "badge": told.get("badge"),
        "link": address if not ref.origin else None,
    }


def users(conn: Connection, keys: Sequence[str], size: int = PART) -> dict[str, Any]:
    """The runs that read or wrote any of these cards, the latest first: ``{"runs", "total"}``.

    A run is ``{"id", "name", "state", "startedAt", "finishedAt", "directions"}``.
    """
    used = select(edges.c.task_id).where(edges.c.card.in_(keys))
    mine = task_table.c.id.in_(used)
    seen = visible(conn, task_table)
    total = conn.execute(select(func.count()).select_from(task_table).where(mine, seen)).scalar_one()
    found = conn.execute(tasks.listing(conn).where(mine).order_by(task_table.c.id.desc()).limit(size)).mappings().all()
    of = edges.c.task_id
    query = select(of, edges.c.direction).where(edges.c.card.in_(keys), of.in_([row["id"] for row in found])).distinct()
    directions: dict[int, list[str]] = {}
    for task_id, direction in conn.execute(query.order_by(edges.c.direction)):
        directions.setdefault(task_id, []).append(direction)
    return {"runs": [{**run(row), "directions": directions.get(row["id"], [])} for row in found], "total": total}


def run(row: Row) -> dict[str, Any]:
    """A run as a line of a list."""
    return {
        "id": row["id"],
        "name": run_name(row),
        "state": row["state"],
        "startedAt": row["started_at"] or row["created_at"],
        "finishedAt": row["finished_at"],
    }


def edge_counts(conn: Connection, numbers: Iterable[int]) -> dict[tuple[int, str], int]:
    """How many edges of each direction runs have, by (task's id, direction)."""
    of = edges.c.task_id
    query = select(of, edges.c.direction, func.count()).where(of.in_(list(numbers))).group_by(of, edges.c.direction)
    return {(task_id, direction): count for task_id, direction, count in conn.execute(query)}
