"""A project's versions, the latest first, each with its author and the runs that made or used it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, func, select

from autoflow.model.entity import EntityRef
from autoflow.server.db import jobs, projects, tasks
from autoflow.server.db.access import visible
from autoflow.server.db.schema import edges
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.db.schema import versions as table
from autoflow.server.methods.pages.links import page_size, run_name
from autoflow.server.operations import Operation, by_name, implements
from autoflow.server.versions import versions
from autoflow.wire.contract import data_pages as contract

MAX_RUNS = 5  # of one version


def _using_runs(conn: Connection, version_ids: Sequence[int]) -> dict[int, contract.VersionUsers]:
    """Return the first runs with an edge to each version."""
    keys = {EntityRef("", "project_version", version_id).key: version_id for version_id in version_ids}
    entity_key = edges.c.entity_key
    rank = func.row_number().over(partition_by=entity_key, order_by=edges.c.id).label("rank")
    total = func.count().over(partition_by=entity_key).label("total")
    ranked = select(entity_key, edges.c.task_id, edges.c.direction, rank, total)
    ranked_edges = ranked.where(entity_key.in_(list(keys)), visible(conn, edges)).subquery()
    query = select(ranked_edges).where(ranked_edges.c.rank <= MAX_RUNS)
    rows = conn.execute(query.order_by(ranked_edges.c.entity_key, ranked_edges.c.rank)).mappings().all()
    runs = tasks.listing(conn).where(task_table.c.id.in_({row["task_id"] for row in rows}))
    names = {row["id"]: run_name(row) for row in conn.execute(runs).mappings()}
    users: dict[int, contract.VersionUsers] = {version_id: {"runs": [], "total": 0} for version_id in version_ids}
    for row in rows:
        entry = users[keys[row["entity_key"]]]
        entry["total"] = row["total"]
        entry["runs"].append({"id": row["task_id"], "name": names.get(row["task_id"]), "direction": row["direction"]})
    return users


@implements(contract.VERSIONS)
def timeline(conn: Connection, request: contract.VersionListRequest) -> contract.VersionList:
    """``autoflow.overview.versions`` of a project."""
    project = projects.get(conn, request.id)
    size = page_size(request.limit)
    query = versions.listing(conn).where(table.c.project_id == project["id"])
    if (before := request.before) is not None:
        query = query.where(table.c.number < before)
    rows = conn.execute(query.order_by(table.c.number.desc()).limit(size + 1)).mappings().all()
    shown = rows[:size]
    users = _using_runs(conn, [row["id"] for row in shown])
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
        "changed": versions.last_if_unchanged(conn, project) is None,
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
                "users": users[row["id"]],
            }
            for row in shown
        ],
        "next": shown[-1]["number"] if len(rows) > size else None,
    }


READS: Mapping[str, Operation] = by_name(timeline)
