"""The page of a project: its fields, its tree of datasets, its classes and tags, and the runs that used it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, func, select

from autoflow.model.entity import EntityRef
from autoflow.server.db import attachments, jobs, projects, teams
from autoflow.server.db.schema import datasets, items, workspaces
from autoflow.server.db.schema import versions as version_table
from autoflow.server.methods.pages.links import using_runs
from autoflow.server.methods.pages.start import previews
from autoflow.server.operations import Operation, by_name, implements
from autoflow.server.paging import chunks
from autoflow.server.versions import versions
from autoflow.wire.contract import data_pages as contract
from autoflow.wire.contract.run_pages import UsingRun

MAX_RUNS = 10  # listed on a project's page


def dataset_tree(conn: Connection, project_id: int) -> list[contract.ListedDataset]:
    """Return a project's datasets by name."""
    column = items.c.dataset_id
    count = select(column, func.count(), func.coalesce(func.sum(items.c.labels), 0))
    count = count.where(items.c.project_id == project_id, attachments.is_item()).group_by(column)
    counts = {row[0]: row for row in conn.execute(count)}
    query = select(datasets).where(datasets.c.project_id == project_id).order_by(datasets.c.name, datasets.c.id)
    return [
        {
            "id": row["id"],
            "parentId": row["parent_id"],
            "name": row["name"],
            "description": row["description"],
            "images": counts[row["id"]][1] if row["id"] in counts else 0,
            "labels": int(counts[row["id"]][2]) if row["id"] in counts else 0,
        }
        for row in conn.execute(query).mappings()
    ]


def card_keys(conn: Connection, project_id: int) -> list[str]:
    """Return the keys of a project's cards: its own, its versions' and its datasets'."""
    keys = [EntityRef("", "project", project_id).key]
    for table, kind in ((version_table, "project_version"), (datasets, "dataset")):
        query = select(table.c.id).where(table.c.project_id == project_id)
        keys += [EntityRef("", kind, ident).key for ident in conn.execute(query).scalars()]  # type: ignore[arg-type]
    return keys


def _using_runs(conn: Connection, project_id: int) -> contract.ProjectUsers:
    """Return the latest runs that used a project or any part of it.

    ``total`` is ``exact`` if one query counted it; otherwise a run that used several parts counts more than once.
    """
    runs: dict[int, UsingRun] = {}
    total = 0
    key_chunks = chunks(card_keys(conn, project_id))
    for keys in key_chunks:
        users = using_runs(conn, keys, MAX_RUNS)
        total += users["total"]
        for run in users["runs"]:
            merged = runs.setdefault(run["id"], run)
            merged["directions"] = sorted({*merged["directions"], *run["directions"]})
    latest = sorted(runs.values(), key=lambda run: -run["id"])[:MAX_RUNS]
    return {"runs": latest, "total": total, "exact": len(key_chunks) == 1}


@implements(contract.PROJECT)
def project(conn: Connection, request: contract.ProjectPageRequest) -> contract.ProjectPage:
    """``autoflow.overview.project`` by id."""
    row = projects.get(conn, request.id)
    workspace = teams.get(conn, workspaces, "workspace", row["workspace_id"])
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "readme": row["readme"],
        "type": row["type"],
        "workspace": {"id": workspace["id"], "name": workspace["name"]},
        "teamId": row["team_id"],
        "images": row["items_count"],
        "size": row["size"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "createdBy": jobs.logins(conn).get(row["created_by"]),
        "version": versions.latest(conn, [row["id"]]).get(row["id"]),
        "previews": previews(conn, row["id"]),
        "datasets": dataset_tree(conn, row["id"]),
        "meta": projects.meta(conn, row["id"]),
        "users": _using_runs(conn, row["id"]),
    }


READS: Mapping[str, Operation] = by_name(project)
