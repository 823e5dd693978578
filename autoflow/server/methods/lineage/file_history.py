"""The files that a path has had, and those of a folder that a task wrote.

Each file keeps its id, its bytes and its edges when its path gets another one.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from autoflow.model.graph_json import FileJson
from autoflow.server.db import files, jobs, tasks, teams
from autoflow.server.db.access import visible
from autoflow.server.db.schema import edges
from autoflow.server.db.schema import teams as team_table
from autoflow.server.lineage import details
from autoflow.server.operations import Operation, by_name, implements
from autoflow.server.paging import chunks
from autoflow.server.validation import required
from autoflow.wire.contract import lineage as contract

MAX_FILES = 1000  # of one path
MAX_WRITTEN = 10_000  # of one folder


@implements(contract.FILE_HISTORY)
def history(conn: Connection, request: contract.FileHistoryRequest) -> contract.FileHistoryResponse:
    """List the files at a ``path`` of a team, or at the path of the file ``id``, the latest first."""
    if request.id is not None:
        file_row = files.get(conn, request.id)
        team_id, path = file_row["team_id"], file_row["path"]
    else:
        team_id = request.team_id or teams.default_team(conn)
        team_id = teams.get(conn, team_table, "team", team_id)["id"]
        path = files.normalize_path(required(request.path, "path"))
    authors = {row["id"]: row["user_id"] for row in files.history(conn, team_id, path)[:MAX_FILES]}
    file_ids, logins = list(authors), jobs.logins(conn)
    descriptions: dict[int, FileJson] = {}
    writers: dict[str, list[int]] = {}
    for chunk in chunks(file_ids):
        descriptions.update(details.describe_files(conn, chunk))
        query = select(edges.c.entity_key, edges.c.task_id).where(
            edges.c.entity_key.in_([f"file:{file_id}" for file_id in chunk])
        )
        query = query.where(edges.c.direction == "output", visible(conn, edges)).distinct()
        for entity_key, task_id in conn.execute(query.order_by(edges.c.task_id)):
            writers.setdefault(entity_key, []).append(task_id)
    return {
        "teamId": team_id,
        "path": path,
        "files": [
            {
                "id": file_id,
                **descriptions[file_id],
                "author": logins.get(authors[file_id]),
                "tasks": writers.get(f"file:{file_id}", []),
            }
            for file_id in file_ids
        ],
    }


@implements(contract.FILES_WRITTEN)
def written(conn: Connection, request: contract.FilesWrittenRequest) -> contract.FilesWrittenResponse:
    """List the files of a ``folder`` that were uploaded between the start and the end of a ``task``, by path."""
    task = tasks.get(conn, request.task)
    folder = files.normalize_path(request.folder).rstrip("/") + "/"
    start = task["started_at"] or task["created_at"]
    rows = files.uploaded(conn, task["team_id"], folder, start, task["finished_at"], MAX_WRITTEN + 1)
    return {
        "files": [
            {"path": row["path"], "sha256": details.hex_sha256(row["hash"]), "size": row["size"]}
            for row in rows[:MAX_WRITTEN]
        ],
        "complete": len(rows) <= MAX_WRITTEN,
    }


READS: Mapping[str, Operation] = by_name(history, written)
WRITES: Mapping[str, Operation] = {}
