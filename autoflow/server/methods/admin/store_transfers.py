"""``autoflow.transfers.*`` for whole stores: rows as they are stored, and the ids that copies have in another store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from autoflow.server.db import copies, json_codec, projects, teams
from autoflow.server.db.access import check_visible, visible
from autoflow.server.db.schema import edges, files, logs, tasks, versions
from autoflow.server.db.schema import projects as project_table
from autoflow.server.operations import Operation, by_name, implements
from autoflow.server.versions import versions as saved_versions
from autoflow.wire.contract import store_transfers as contract

PROJECTS, FILES, RUNS, LOG_PARTS = 200, 1000, 100, 500  # of one response
_TABLES = {copies.FILE: files, copies.TASK: tasks}


def _after(rows: Sequence[RowMapping], limit: int) -> int | None:
    return rows[-1]["id"] if len(rows) == limit else None


@implements(contract.TRANSFER_PROJECTS)
def list_projects(conn: Connection, request: contract.TransferProjectsRequest) -> contract.TransferProjectsResponse:
    """``autoflow.transfers.projects``: a page of the projects of this store, with their versions."""
    query = projects.listing(conn).where(project_table.c.id > request.after)
    rows = conn.execute(query.order_by(project_table.c.id).limit(PROJECTS)).mappings().all()
    by_project: dict[int, list[int]] = {row["id"]: [] for row in rows}
    saved = select(versions.c.id, versions.c.project_id).where(
        versions.c.project_id.in_(by_project), saved_versions.COMMITTED, versions.c.items_count >= 0
    )
    for version in conn.execute(saved.order_by(versions.c.epoch)):
        by_project[version.project_id].append(version.id)
    return {
        "store": copies.store_key(conn),
        "projects": [
            {
                "id": row["id"],
                "name": row["name"],
                "changed": saved_versions.saved_state(conn, row) is None,
                "versions": by_project[row["id"]],
            }
            for row in rows
        ],
        "after": _after(rows, PROJECTS),
    }


@implements(contract.TRANSFER_FILES)
def list_files(conn: Connection, request: contract.TransferFilesRequest) -> contract.TransferFilesResponse:
    """``autoflow.transfers.files``: a page of the team files of this store, replaced ones included."""
    query = select(files).where(visible(conn, files), files.c.id > request.after)
    rows = conn.execute(query.order_by(files.c.id).limit(FILES)).mappings().all()
    names = ("id", "path", "hash", "mime", "size", "current")
    listed: list[Any] = [{name: row[name] for name in names} for row in rows]
    return {"files": listed, "after": _after(rows, FILES)}


@implements(contract.TRANSFER_RUNS)
def list_runs(conn: Connection, request: contract.TransferRunsRequest) -> contract.TransferRunsResponse:
    """``autoflow.transfers.runs``: a page of the runs of this store, with their edges."""
    query = select(tasks).where(visible(conn, tasks), tasks.c.id > request.after)
    rows = conn.execute(query.order_by(tasks.c.id).limit(RUNS)).mappings().all()
    ids = [row["id"] for row in rows]
    by_task: dict[int, list[contract.SourceEdge]] = {number: [] for number in ids}
    for row in conn.execute(select(edges).where(edges.c.task_id.in_(ids)).order_by(edges.c.id)).mappings():
        by_task[row["task_id"]].append(_edge(row))
    last = select(logs.c.task_id, func.max(logs.c.id).label("last")).where(logs.c.task_id.in_(ids))
    ends = {row.task_id: row.last for row in conn.execute(last.group_by(logs.c.task_id))}
    return {
        "runs": [_run(row, by_task[row["id"]], ends.get(row["id"], 0)) for row in rows],
        "after": _after(rows, RUNS),
    }


def _edge(row: RowMapping) -> contract.SourceEdge:
    return {
        "id": row["id"],
        "direction": row["direction"],
        "type": row["type"],
        "entity": row["entity"],
        "origin": row["origin"],
        "meta": json_codec.load(row["meta"]),
        "at": row["at"],
    }


def _run(row: RowMapping, run_edges: list[contract.SourceEdge], last_log: int) -> contract.SourceRun:
    return {
        "id": row["id"],
        "name": row["name"],
        "number": row["number"],
        "origin": row["origin"],
        "state": row["state"],
        "error": row["error"],
        "facts": json_codec.load(row["facts"]),
        "node": json_codec.load(row["card_settings"]),
        "createdAt": row["created_at"],
        "startedAt": row["started_at"],
        "finishedAt": row["finished_at"],
        "log": last_log,
        "edges": run_edges,
    }


@implements(contract.TRANSFER_LOG)
def read_log(conn: Connection, request: contract.TransferLogRequest) -> contract.TransferLogResponse:
    """``autoflow.transfers.log``: a page of the log of a run."""
    check_visible(conn, tasks, "task", request.task)
    query = select(logs).where(logs.c.task_id == request.task, logs.c.id > request.after)
    rows = conn.execute(query.order_by(logs.c.id).limit(LOG_PARTS)).mappings().all()
    return {"parts": [(row["id"], row["at"], row["lines"]) for row in rows], "after": _after(rows, LOG_PARTS)}


@implements(contract.TRANSFER_KNOWN)
def known(conn: Connection, request: contract.TransferKnownRequest) -> contract.TransferKnownResponse:
    """``autoflow.transfers.known``: the ids of copies by those in another store."""
    team_id = teams.default_team(conn)
    rows = copies.find(conn, team_id, request.store, request.type, request.ids)
    states = {str(row["source_id"]): (row["id"], json_codec.load(row["details"]).get("state", "")) for row in rows}
    return {"team": team_id, "copies": states}


@implements(contract.TRANSFER_LINK)
def link(conn: Connection, request: contract.TransferLinkRequest) -> contract.TransferLinkResponse:
    """``autoflow.transfers.link``: store the ids of copies.

    Raises:
        NotFound: a file or a task is not there.
    """
    team_id = teams.default_team(conn)
    for copy in request.copies:
        check_visible(conn, _TABLES[request.type], request.type, copy.id)
        copies.add(conn, team_id, request.store, request.type, {copy.source: copy.id}, {"state": copy.state})
    return {"count": len(request.copies)}


READS: Mapping[str, Operation] = by_name(list_projects, list_files, list_runs, read_log, known)
WRITES: Mapping[str, Operation] = by_name(link)
