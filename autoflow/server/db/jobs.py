"""Labeling jobs: who labels which images of a dataset, and their status."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select, update

from autoflow.server import timestamps
from autoflow.server.db import webhooks
from autoflow.server.db.access import get_row, visible
from autoflow.server.db.insertion import insert_row
from autoflow.server.db.schema import datasets, jobs, members, projects, users, workspaces
from autoflow.server.errors import NotFound

STATUSES = ("pending", "in_progress", "on_review", "completed", "stopped")
ENDED = ("completed", "stopped")


def listing(conn: Connection) -> Select[Any]:
    """Return a query for all jobs, with the names of their project, dataset and workspace, and their team."""
    query = select(
        jobs,
        projects.c.name.label("project_name"),
        datasets.c.name.label("dataset_name"),
        workspaces.c.id.label("workspace_id"),
        workspaces.c.name.label("workspace_name"),
        workspaces.c.team_id,
    )
    query = query.join_from(jobs, projects, projects.c.id == jobs.c.project_id).join(workspaces)
    return query.outerjoin(datasets, datasets.c.id == jobs.c.dataset_id).where(visible(conn, jobs))


def get(conn: Connection, number: int) -> RowMapping:
    """Return a job by id.

    Raises:
        NotFound: there is none.
    """
    return get_row(conn, listing(conn).where(jobs.c.id == number), "job", number)


def add(conn: Connection, values: dict[str, Any]) -> int:
    """Insert a job; return its id."""
    return insert_row(conn, jobs, values)


def set_status(conn: Connection, job: RowMapping, status: str) -> None:
    """Set a job's status, and the times of its start and end accordingly."""
    now = timestamps.now()
    values: dict[str, Any] = {"status": status, "updated_at": now}
    if status != "pending" and job["started_at"] is None:
        values["started_at"] = now
    values["finished_at"] = now if status in ENDED else None
    conn.execute(update(jobs).where(jobs.c.id == job["id"]).values(**values))
    if status == "completed" != job["status"]:
        data = {"ref": f"job:{job['id']}", "name": job["name"], "link": f"/labeling/jobs/{job['id']}"}
        webhooks.notify(conn, job["team_id"], webhooks.JOB_COMPLETED, data)


def change(conn: Connection, number: int, **values: Any) -> None:
    """Change columns of a job."""
    conn.execute(update(jobs).where(jobs.c.id == number).values(**values, updated_at=timestamps.now()))


def disable(conn: Connection, number: int) -> None:
    """Disable a job: it is listed only on request."""
    conn.execute(update(jobs).where(jobs.c.id == number).values(disabled=True, updated_at=timestamps.now()))


def check_member(conn: Connection, team_id: int, user_id: int) -> None:
    """Check that a user is in a team.

    Raises:
        NotFound: not there.
    """
    query = select(members.c.user_id).where(members.c.team_id == team_id, members.c.user_id == user_id)
    if conn.execute(query).first() is None:
        raise NotFound(f"in team {team_id}, user", user_id)


def logins(conn: Connection) -> dict[int, str]:
    """Return the logins of the users that the caller sees, by id."""
    query = select(users.c.id, users.c.login).where(visible(conn, users))
    return {row.id: row.login for row in conn.execute(query)}
