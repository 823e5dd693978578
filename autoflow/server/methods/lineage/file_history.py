"""``autoflow.files.history``: the files that a path has had; each keeps its id, its bytes and its edges."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from autoflow.model.graph_json import FileJson
from autoflow.server.db import files, teams
from autoflow.server.db.access import visible
from autoflow.server.db.schema import edges
from autoflow.server.db.schema import teams as team_table
from autoflow.server.lineage import details
from autoflow.server.operations import Operation, by_name, implements
from autoflow.server.paging import chunks
from autoflow.server.validation import required
from autoflow.wire.contract import lineage as contract

MAX_FILES = 1000  # of one path


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
    file_ids = [row["id"] for row in files.history(conn, team_id, path)][:MAX_FILES]
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
            {"id": file_id, **descriptions[file_id], "tasks": writers.get(f"file:{file_id}", [])}
            for file_id in file_ids
        ],
    }


READS: Mapping[str, Operation] = by_name(history)
WRITES: Mapping[str, Operation] = {}
