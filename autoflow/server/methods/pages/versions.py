"""A project's versions as a timeline, the latest first, each with who made it and the runs it was made or used by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from autoflow.model.entity import EntityRef
from autoflow.server.db import jobs, projects, tasks
from autoflow.server.db.access import visible
from autoflow.server.db.schema import edges
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.db.schema import versions as table
from autoflow.server.methods.pages.links import limit, run_name
from autoflow.server.operations import Operation
from autoflow.server.request_parser import RequestParser
from autoflow.server.versions import versions

USERS = 5  # runs named beside a version


def _users(conn: Connection, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The first runs that named each version, ``{"runs": [{"id", "name", "direction"}], "total"}``."""
    keys = {EntityRef("", "project_version", number).key: number for number in numbers}
    seen = (edges.c.card.in_(list(keys)), visible(conn, edges))
    of = edges.c.card
    place = func.row_number().over(partition_by=of, order_by=edges.c.id).label("place")
    total = func.count().over(partition_by=of).label("total")
    ranked = select(of, edges.c.task_id, edges.c.direction, place, total).where(*seen).subquery()
    query = select(ranked).where(ranked.c.place <= USERS).order_by(ranked.c.card, ranked.c.place)
    found = conn.execute(query).mappings().all()
    names = {
        row["id"]: run_name(row)
        for row in conn.execute(
            tasks.listing(conn).where(task_table.c.id.in_({row["task_id"] for row in found}))
        ).mappings()
    }
    told: dict[int, dict[str, Any]] = {number: {"runs": [], "total": 0} for number in numbers}
    for row in found:
        one = told[keys[row["card"]]]
        one["total"] = row["total"]
        one["runs"].append({"id": row["task_id"], "name": names.get(row["task_id"]), "direction": row["direction"]})
    return told


def timeline(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.overview.versions`` of a project: ``{"project", "changed", "versions", "next"}``.

    ``changed`` says whether the project is other than its last version; ``next`` goes into ``before``, a number.
    """
    project = projects.get(conn, request.number("id"))
    size = limit(request)
    query = versions.listing(conn).where(table.c.project_id == project["id"])
    if (before := request.optional_number("before")) is not None:
        query = query.where(table.c.number < before)
    found = conn.execute(query.order_by(table.c.number.desc()).limit(size + 1)).mappings().all()
    shown = found[:size]
    used = _users(conn, [row["id"] for row in shown])
    logins = jobs.logins(conn)
    return {
        "project": {
            "id": project["id"],
            "name": project["name"],
            "type": project["type"],
            "images": project["items_count"],
            "size": project["size"],
            "updatedAt": project["updated_at"],
        },
        "changed": versions.last_if_unchanged(conn, dict(project)) is None,
        "versions": [
            {
                "id": row["id"],
                "number": row["number"],
                "title": row["name"],
                "description": row["description"],
                "createdBy": logins.get(row["created_by"]),
                "createdAt": row["created_at"],
                "images": row["items_count"],
                "size": row["size"],
                "users": used[row["id"]],
            }
            for row in shown
        ],
        "next": shown[-1]["number"] if len(found) > size else None,
    }


READS: Mapping[str, Operation] = {"autoflow.overview.versions": timeline}
