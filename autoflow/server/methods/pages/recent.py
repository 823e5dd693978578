"""``autoflow.overview.recent``: who ran what in the last days, failures with their reasons, new versions and models."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, RowMapping, func, or_, select

from autoflow.model.entity_types import ENTITY_TYPES
from autoflow.server import timestamps
from autoflow.server.db import jobs, models, tasks
from autoflow.server.db.access import visible
from autoflow.server.db.schema import edges, projects, workspaces
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.db.schema import versions as version_table
from autoflow.server.lineage.walk import entity_of
from autoflow.server.methods.pages.links import entity_links, run_name, run_summary
from autoflow.server.operations import Operation, by_name, implements
from autoflow.server.versions import versions
from autoflow.wire.contract import recent_pages as contract

DAYS = 7
DAY = 86_400  # seconds
MAX_RUNS = 2000  # counted
MAX_LISTED = 12  # failures, versions, models
MAX_REASON = 300  # characters


@implements(contract.RECENT)
def recent(conn: Connection, request: contract.RecentRequest) -> contract.RecentResponse:
    """Return what happened in the last days."""
    since = timestamps.after(-(request.days or DAYS) * DAY)
    logins = jobs.logins(conn)
    runs, complete = _runs(conn, since)
    version_rows = _versions(conn, since)
    failures = [row for row in runs if row["state"] in tasks.FAILURES]
    return {
        "since": since,
        "runs": len(runs),
        "complete": complete,
        "people": _people(runs, version_rows, logins),
        "failures": [_failure(row, logins) for row in failures[:MAX_LISTED]],
        "failed": len(failures),
        "versions": [_version(row, logins) for row in version_rows[:MAX_LISTED]],
        "models": _models(conn, {row["id"]: row for row in runs}, logins),
    }


def _runs(conn: Connection, since: str) -> tuple[list[RowMapping], bool]:
    """Return the runs that began or ended since a time, the latest first, of the last that were recorded."""
    last = select(task_table.c.id).where(visible(conn, task_table)).order_by(task_table.c.id.desc()).limit(MAX_RUNS)
    last_ids = last.subquery()
    began = func.coalesce(task_table.c.started_at, task_table.c.created_at)
    query = tasks.listing(conn).join(last_ids, last_ids.c.id == task_table.c.id)
    query = query.where(or_(began >= since, task_table.c.finished_at >= since)).order_by(task_table.c.id.desc())
    rows = list(conn.execute(query).mappings())
    return rows, len(rows) < MAX_RUNS


def _versions(conn: Connection, since: str) -> list[RowMapping]:
    """Return the versions that were created since a time, the latest first."""
    query = versions.listing(conn).add_columns(projects.c.name.label("project_name"))
    query = query.where(version_table.c.created_at >= since, ~workspaces.c.hidden)
    return list(conn.execute(query.order_by(version_table.c.id.desc()).limit(MAX_RUNS)).mappings())


def _people(
    runs: Sequence[RowMapping], version_rows: Sequence[RowMapping], logins: Mapping[int, str]
) -> list[contract.RecentWork]:
    """Count what each user ran and which versions they created, the busiest first."""
    all_runs: dict[str | None, Counter[str]] = defaultdict(Counter)
    failed: dict[str | None, Counter[str]] = defaultdict(Counter)
    for row in runs:
        login = logins.get(row["created_by"])
        all_runs[login][run_name(row)] += 1
        failed[login][run_name(row)] += row["state"] in tasks.FAILURES
    made = Counter(logins.get(row["created_by"]) for row in version_rows)
    work: list[contract.RecentWork] = [
        {
            "login": login,
            "apps": [
                {"name": name, "runs": count, "failed": failed[login][name]}
                for name, count in all_runs[login].most_common()
            ],
            "versions": made[login],
        }
        for login in dict.fromkeys([*all_runs, *made])
    ]
    return sorted(work, key=lambda each: -(sum(app["runs"] for app in each["apps"]) + each["versions"]))


def _failure(row: RowMapping, logins: Mapping[int, str]) -> contract.RecentFailure:
    lines = (row["error"] or "").strip().splitlines()
    reason = lines[-1].strip()[:MAX_REASON] if lines else None
    return {"run": run_summary(row), "reason": reason, "createdBy": logins.get(row["created_by"])}


def _version(row: RowMapping, logins: Mapping[int, str]) -> contract.RecentVersion:
    return {
        "id": row["id"],
        "number": row["number"],
        "project": {"id": row["project_id"], "name": row["project_name"]},
        "title": row["name"],
        "createdBy": logins.get(row["created_by"]),
        "createdAt": row["created_at"],
    }


def _models(conn: Connection, runs: Mapping[int, RowMapping], logins: Mapping[int, str]) -> list[contract.RecentModel]:
    """Return the weights that runs wrote, the latest first."""
    types = [name for name in ENTITY_TYPES if name in ("model", "model_weight")]
    query = select(edges).where(edges.c.task_id.in_(list(runs)), edges.c.direction == "output", visible(conn, edges))
    query = query.where(edges.c.type.in_(types)).order_by(edges.c.id.desc()).limit(MAX_LISTED)
    rows = conn.execute(query).mappings().all()
    refs = [entity_of(row) for row in rows]
    named = models.named_versions(conn, [ref.key for ref in refs])
    written: list[contract.RecentModel] = []
    for row, ref, link in zip(rows, refs, entity_links(conn, refs), strict=True):
        run = runs[row["task_id"]]
        written.append(
            {
                "file": link,
                "names": [version.reference for version in named.get(ref.key, [])],
                "at": row["at"],
                "run": {"id": run["id"], "name": run_name(run)},
                "createdBy": logins.get(run["created_by"]),
            }
        )
    return written


READS: Mapping[str, Operation] = by_name(recent)
