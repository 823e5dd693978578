"""A project's page: its facts, its datasets as a tree, its classes and tags, and the runs that used it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select

from autoflow.model.entity import EntityRef
from autoflow.server.db import jobs, projects, teams
from autoflow.server.db.schema import datasets, items, workspaces
from autoflow.server.db.schema import versions as version_table
from autoflow.server.methods.pages.links import users
from autoflow.server.methods.pages.start import previews
from autoflow.server.operations import Operation
from autoflow.server.paging import chunks
from autoflow.server.request_parser import RequestParser
from autoflow.server.versions import versions

USERS = 10  # runs named on a project's page


def tree(conn: Connection, project_id: int) -> list[dict[str, Any]]:
    """A project's datasets by name: ``{"id", "parentId", "name", "description", "images", "labels"}``."""
    of = items.c.dataset_id
    counted = select(of, func.count(), func.coalesce(func.sum(items.c.labels), 0))
    counts = {row[0]: row for row in conn.execute(counted.where(items.c.project_id == project_id).group_by(of))}
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


def cards(conn: Connection, project_id: int) -> list[str]:
    """The keys of the cards a project is in graphs: its own, its versions', its datasets'."""
    keys = [EntityRef("", "project", project_id).key]
    for table, kind in ((version_table, "project_version"), (datasets, "dataset")):
        query = select(table.c.id).where(table.c.project_id == project_id)
        keys += [EntityRef("", kind, number).key for number in conn.execute(query).scalars()]  # type: ignore[arg-type]
    return keys


def _users(conn: Connection, project_id: int) -> dict[str, Any]:
    """The latest runs that used any part of a project; a run that used several counts once."""
    runs: dict[int, dict[str, Any]] = {}
    total = 0
    parts = chunks(cards(conn, project_id))
    for part in parts:
        found = users(conn, part, USERS)
        total += found["total"]
        for one in found["runs"]:
            known = runs.setdefault(one["id"], one)
            known["directions"] = sorted({*known["directions"], *one["directions"]})
    latest = sorted(runs.values(), key=lambda one: -int(one["id"]))[:USERS]
    return {"runs": latest, "total": total, "exact": len(parts) == 1}


def project(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.overview.project`` by id."""
    row = projects.get(conn, request.number("id"))
    place = teams.get(conn, workspaces, "workspace", row["workspace_id"])
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "readme": row["readme"],
        "type": row["type"],
        "workspace": {"id": place["id"], "name": place["name"]},
        "teamId": row["team_id"],
        "images": row["items_count"],
        "size": row["size"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "createdBy": jobs.logins(conn).get(row["created_by"]),
        "version": versions.latest(conn, [row["id"]]).get(row["id"]),
        "previews": previews(conn, row["id"]),
        "datasets": tree(conn, row["id"]),
        "meta": projects.meta(conn, row["id"]),
        "users": _users(conn, row["id"]),
    }


READS: Mapping[str, Operation] = {"autoflow.overview.project": project}
