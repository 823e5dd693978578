"""``autoflow.files.history``: the files a path has had; each keeps its number, its bytes and its place in the graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from autoflow.server.db import files, teams
from autoflow.server.db.access import visible
from autoflow.server.db.schema import edges
from autoflow.server.db.schema import teams as team_table
from autoflow.server.lineage import details
from autoflow.server.operations import Operation
from autoflow.server.paging import chunks
from autoflow.server.request_parser import RequestParser
from autoflow.wire import methods

MOST = 1000  # of one path


def history(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """The files at a ``path`` of a team, or at that of the file ``id``, the last one first.

    Each has its number, ``sha256``, ``size``, ``createdAt``, whether it is ``current``, which one of the path it is
    (``number``, from 1, of ``count``), and ``tasks``, those that wrote it.
    """
    if request.has("id"):
        one = files.get(conn, request.number("id"))
        team_id, path = one["team_id"], one["path"]
    else:
        team_id = request.optional_number("teamId") or teams.default_team(conn)
        team_id, path = teams.get(conn, team_table, "team", team_id)["id"], files.normalize_path(request.text("path"))
    numbers = [row["id"] for row in files.history(conn, team_id, path)][:MOST]
    told: dict[int, dict[str, Any]] = {}
    writers: dict[str, list[int]] = {}
    for part in chunks(numbers):
        told.update(details.of_files(conn, part))
        query = select(edges.c.card, edges.c.task_id).where(edges.c.card.in_([f"file:{number}" for number in part]))
        query = query.where(edges.c.direction == "output", visible(conn, edges)).distinct()
        for card, task_id in conn.execute(query.order_by(edges.c.task_id)):
            writers.setdefault(card, []).append(task_id)
    return {
        "teamId": team_id,
        "path": path,
        "files": [{"id": number, **told[number], "tasks": writers.get(f"file:{number}", [])} for number in numbers],
    }


READS: Mapping[str, Operation] = {methods.FILE_HISTORY: history}
WRITES: Mapping[str, Operation] = {}
