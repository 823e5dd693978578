"""Labeling queues: the images that several labelers share, as a labeling job of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select, update

from autoflow.server import timestamps
from autoflow.server.db import jobs
from autoflow.server.db.access import check_own, get_row, visible
from autoflow.server.db.insertion import insert_row
from autoflow.server.db.labeling_tables import labeling_queues as table
from autoflow.server.db.projects import ACTIVE
from autoflow.server.db.schema import jobs as job_table
from autoflow.server.db.schema import projects, workspaces
from autoflow.server.paging import chunks


def listing(conn: Connection) -> Select[Any]:
    """Return a query for all queues of projects that are not removed, each with its team."""
    query = select(table, workspaces.c.team_id)
    query = query.join_from(table, projects, projects.c.id == table.c.project_id).join(workspaces)
    return query.where(visible(conn, table), ACTIVE)


def get(conn: Connection, number: int) -> RowMapping:
    """Return a queue by id.

    Raises:
        NotFound: there is none.
    """
    return get_row(conn, listing(conn).where(table.c.id == number), "labeling queue", number)


def add(conn: Connection, values: Mapping[str, Any]) -> int:
    """Insert a queue; return its id."""
    return insert_row(conn, table, values)


def set_status(conn: Connection, number: int, status: str) -> None:
    """Set a queue's status, and the times of its start and end accordingly.

    Raises:
        Forbidden: the caller's token is for a reproduction that did not create it.
    """
    row = get(conn, number)
    check_own(conn, table, "labeling queue", number)
    now = timestamps.now()
    values: dict[str, Any] = {"status": status, "updated_at": now}
    if status != "pending" and row["started_at"] is None:
        values["started_at"] = now
    values["finished_at"] = now if status in jobs.ENDED else None
    conn.execute(update(table).where(table.c.id == number).values(**values))


def jobs_of(conn: Connection, numbers: Sequence[int]) -> dict[int, list[RowMapping]]:
    """Return the jobs of queues by the queues' ids, disabled ones included."""
    by_queue: dict[int, list[RowMapping]] = {number: [] for number in numbers}
    for part in chunks(numbers):
        query = select(job_table).where(job_table.c.queue_id.in_(part)).order_by(job_table.c.id)
        for row in conn.execute(query).mappings():
            by_queue[row["queue_id"]].append(row)
    return by_queue
