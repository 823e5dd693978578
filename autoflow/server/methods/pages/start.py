"""The start page: workspaces, the projects changed last, the latest runs; and further parts of both lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select, tuple_

from autoflow.server.db import projects, tasks, teams
from autoflow.server.db.access import visible
from autoflow.server.db.schema import datasets, items, versions, workspaces
from autoflow.server.db.schema import projects as table
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.db.schema import teams as team_table
from autoflow.server.methods.pages.links import edge_counts, limit, run
from autoflow.server.operations import Operation
from autoflow.server.request_parser import RequestParser

PREVIEWS = 4  # pictures of a project
PROJECTS = 24
RUNS = 20


def previews(conn: Connection, project_id: int) -> list[int]:
    """The numbers of a project's first images that are kept here."""
    query = select(items.c.id, items.c.hash).where(items.c.project_id == project_id)
    first = conn.execute(query.order_by(items.c.id).limit(PREVIEWS)).all()
    return [row.id for row in first if row.hash is not None]


def _counted(conn: Connection, of: Any, numbers: Sequence[int]) -> dict[int, int]:
    query = select(of, func.count()).where(of.in_(numbers)).group_by(of)
    return {row[0]: row[1] for row in conn.execute(query)}


def _projects(conn: Connection, found: Sequence[RowMapping]) -> list[dict[str, Any]]:
    numbers = [row["id"] for row in found]
    sets = _counted(conn, datasets.c.project_id, numbers)
    saved = _counted(conn, versions.c.project_id, numbers)
    return [
        {
            "id": row["id"],
            "name": row["name"],
            "description": row["description"],
            "type": row["type"],
            "workspaceId": row["workspace_id"],
            "images": row["items_count"],
            "datasets": sets.get(row["id"], 0),
            "versions": saved.get(row["id"], 0),
            "updatedAt": row["updated_at"],
            "previews": previews(conn, row["id"]),
        }
        for row in found
    ]


def list_projects(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.overview.projects``: ``{"projects", "next"}``, the ones changed last first, of a workspace or of all.

    ``next`` goes into ``after`` for what follows; null at the end.
    """
    size = limit(request, PROJECTS)
    query = projects.listing(conn).where(~workspaces.c.hidden)
    if (number := request.optional_number("workspace")) is not None:
        query = projects.listing(conn).where(
            table.c.workspace_id == teams.get(conn, workspaces, "workspace", number)["id"]
        )
    if request.has("after"):
        after = RequestParser(request.mapping("after"), "after.")
        query = query.where(tuple_(table.c.updated_at, table.c.id) < (after.text("updatedAt"), after.number("id")))
    query = query.order_by(table.c.updated_at.desc(), table.c.id.desc()).limit(size + 1)
    found = conn.execute(query).mappings().all()
    last = found[size - 1] if len(found) > size else None
    following = {"updatedAt": last["updated_at"], "id": last["id"]} if last is not None else None
    return {"projects": _projects(conn, found[:size]), "next": following}


def list_runs(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.overview.runs``: ``{"runs", "next"}``, the latest first, of a workspace or an app, or of all.

    ``next`` goes into ``before``.
    """
    size = limit(request, RUNS)
    query = tasks.listing(conn)
    if (number := request.optional_number("workspace")) is not None:
        query = query.where(task_table.c.workspace_id == teams.get(conn, workspaces, "workspace", number)["id"])
    if (app := request.optional_number("app")) is not None:
        query = query.where(task_table.c.app_id == app)
    if (before := request.optional_number("before")) is not None:
        query = query.where(task_table.c.id < before)
    found = conn.execute(query.order_by(task_table.c.id.desc()).limit(size + 1)).mappings().all()
    shown = found[:size]
    counts = edge_counts(conn, [row["id"] for row in shown])
    lines = [
        {
            **run(row),
            "appId": row["app_id"],
            "workspaceId": row["workspace_id"],
            "inputs": counts.get((row["id"], "input"), 0),
            "outputs": counts.get((row["id"], "output"), 0),
        }
        for row in shown
    ]
    return {"runs": lines, "next": shown[-1]["id"] if len(found) > size else None}


def start(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.overview.start``: ``{"workspaces", "projects", "runs"}``, lists as those methods give them."""
    query = select(workspaces, team_table.c.name.label("team_name")).join_from(workspaces, team_table)
    query = query.where(visible(conn, workspaces), ~workspaces.c.hidden).order_by(workspaces.c.id)
    found = conn.execute(query).mappings().all()
    numbers = [row["id"] for row in found]
    of, at = table.c.workspace_id, task_table.c.workspace_id
    mine = select(of, func.count()).where(of.in_(numbers), projects.ACTIVE).group_by(of)
    held = {row[0]: row[1] for row in conn.execute(mine)}
    ran = _counted(conn, at, numbers)
    shown = [
        {
            "id": row["id"],
            "name": row["name"],
            "description": row["description"],
            "team": row["team_name"],
            "projects": held.get(row["id"], 0),
            "runs": ran.get(row["id"], 0),
        }
        for row in found
    ]
    return {"workspaces": shown, "projects": list_projects(conn, request), "runs": list_runs(conn, request)}


READS: Mapping[str, Operation] = {
    "autoflow.overview.start": start,
    "autoflow.overview.projects": list_projects,
    "autoflow.overview.runs": list_runs,
}
