"""The start page: workspaces, the projects changed last and the latest runs, and the next parts of both lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select, tuple_

from autoflow.server.db import projects, tasks, teams
from autoflow.server.db.access import caller, visible
from autoflow.server.db.schema import datasets, items, versions, workspaces
from autoflow.server.db.schema import projects as table
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.db.schema import teams as team_table
from autoflow.server.methods.pages.links import edge_counts, page_size, run_summary
from autoflow.server.operations import Operation, by_name, implements
from autoflow.wire.contract import pages as contract
from autoflow.wire.contract import run_pages

MAX_PREVIEWS = 4  # images of a project
DEFAULT_PROJECTS = 24
DEFAULT_RUNS = 20


def previews(conn: Connection, project_id: int) -> list[int]:
    """Return the ids of those of a project's first images whose bytes are stored here and may have a picture."""
    query = select(items.c.id, items.c.hash, items.c.mime).where(items.c.project_id == project_id)
    first = conn.execute(query.order_by(items.c.id).limit(MAX_PREVIEWS)).all()
    return [row.id for row in first if row.hash is not None and row.mime is not None]


def _counts(conn: Connection, column: Any, ids: Sequence[int]) -> dict[int, int]:
    query = select(column, func.count()).where(column.in_(ids)).group_by(column)
    return {row[0]: row[1] for row in conn.execute(query)}


def _projects(conn: Connection, rows: Sequence[RowMapping]) -> list[contract.ListedProject]:
    project_ids = [row["id"] for row in rows]
    dataset_counts = _counts(conn, datasets.c.project_id, project_ids)
    version_counts = _counts(conn, versions.c.project_id, project_ids)
    return [
        {
            "id": row["id"],
            "name": row["name"],
            "description": row["description"],
            "type": row["type"],
            "workspaceId": row["workspace_id"],
            "images": row["items_count"],
            "datasets": dataset_counts.get(row["id"], 0),
            "versions": version_counts.get(row["id"], 0),
            "updatedAt": row["updated_at"],
            "previews": previews(conn, row["id"]),
        }
        for row in rows
    ]


@implements(contract.PROJECTS)
def list_projects(conn: Connection, request: contract.ProjectListRequest) -> contract.ProjectList:
    """``autoflow.overview.projects``: the last changed first, of a workspace or of all."""
    size = page_size(request.limit, DEFAULT_PROJECTS)
    query = projects.listing(conn).where(~workspaces.c.hidden)
    if (workspace_id := request.workspace) is not None:
        query = projects.listing(conn).where(
            table.c.workspace_id == teams.get(conn, workspaces, "workspace", workspace_id)["id"]
        )
    if request.after is not None:
        query = query.where(tuple_(table.c.updated_at, table.c.id) < (request.after.updated_at, request.after.id))
    query = query.order_by(table.c.updated_at.desc(), table.c.id.desc()).limit(size + 1)
    rows = conn.execute(query).mappings().all()
    last = rows[size - 1] if len(rows) > size else None
    return {
        "projects": _projects(conn, rows[:size]),
        "next": {"updatedAt": last["updated_at"], "id": last["id"]} if last is not None else None,
    }


@implements(run_pages.RUNS)
def list_runs(conn: Connection, request: run_pages.RunListRequest) -> run_pages.RunList:
    """``autoflow.overview.runs``: the latest first, of a workspace or an app, or of all."""
    size = page_size(request.limit, DEFAULT_RUNS)
    query = tasks.listing(conn)
    if (workspace_id := request.workspace) is not None:
        query = query.where(task_table.c.workspace_id == teams.get(conn, workspaces, "workspace", workspace_id)["id"])
    if (app := request.app) is not None:
        query = query.where(task_table.c.app_id == app)
    if (before := request.before) is not None:
        query = query.where(task_table.c.id < before)
    rows = conn.execute(query.order_by(task_table.c.id.desc()).limit(size + 1)).mappings().all()
    shown = rows[:size]
    counts = edge_counts(conn, [row["id"] for row in shown])
    entries: list[run_pages.ListedRun] = [
        {
            **run_summary(row),
            "appId": row["app_id"],
            "workspaceId": row["workspace_id"],
            "inputs": counts.get((row["id"], "input"), 0),
            "outputs": counts.get((row["id"], "output"), 0),
        }
        for row in shown
    ]
    return {"runs": entries, "next": shown[-1]["id"] if len(rows) > size else None}


@implements(contract.START)
def start(conn: Connection, request: contract.StartPageRequest) -> contract.StartPage:
    """``autoflow.overview.start``: the workspaces, and the first parts of both lists."""
    query = select(workspaces, team_table.c.name.label("team_name")).join_from(workspaces, team_table)
    query = query.where(visible(conn, workspaces), ~workspaces.c.hidden).order_by(workspaces.c.id)
    rows = conn.execute(query).mappings().all()
    workspace_ids = [row["id"] for row in rows]
    column = table.c.workspace_id
    count = select(column, func.count()).where(column.in_(workspace_ids), projects.ACTIVE).group_by(column)
    project_counts = {row[0]: row[1] for row in conn.execute(count)}
    run_counts = _counts(conn, task_table.c.workspace_id, workspace_ids)
    entries: list[contract.ListedWorkspace] = [
        {
            "id": row["id"],
            "name": row["name"],
            "description": row["description"],
            "team": row["team_name"],
            "projects": project_counts.get(row["id"], 0),
            "runs": run_counts.get(row["id"], 0),
        }
        for row in rows
    ]
    administered = caller(conn).administered
    return {
        "isAdmin": administered is None or bool(administered),
        "workspaces": entries,
        "projects": list_projects.function(conn, contract.ProjectListRequest(limit=request.limit)),
        "runs": list_runs.function(conn, run_pages.RunListRequest(limit=request.limit)),
    }


READS: Mapping[str, Operation] = by_name(start, list_projects, list_runs)
