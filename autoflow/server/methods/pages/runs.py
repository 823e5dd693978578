"""A run's page: the facts it was recorded with, what it read and wrote, and its log a part at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select

from autoflow.server.db import jobs, json_codec, tasks, teams
from autoflow.server.db.access import visible
from autoflow.server.db.schema import edges, logs, runs, workspaces
from autoflow.server.methods.pages.links import LARGEST, edge_counts, entity, limit, named, run
from autoflow.server.operations import Operation
from autoflow.server.request_parser import RequestParser

OTHER_FACTS = 20  # shown
CHUNKS = 100  # of a log, as they were recorded


def _linked(conn: Connection, task_id: int, direction: str) -> list[dict[str, Any]]:
    """What a run read or wrote, in the order recorded, as far as a page shows it."""
    of = (edges.c.task_id == task_id, edges.c.direction == direction, visible(conn, edges))
    found = conn.execute(select(edges).where(*of).order_by(edges.c.id).limit(LARGEST)).mappings().all()
    shown = named(conn, [entity(row) for row in found])
    logins = jobs.logins(conn)
    return [
        {**told, "at": row["at"], "createdBy": logins.get(row["created_by"])}
        for told, row in zip(shown, found, strict=True)
    ]


def _other_facts(conn: Connection, task_id: int) -> list[dict[str, Any]]:
    """What was said of a run after it ended, and facts of earlier runs of its number, the latest first."""
    logins = jobs.logins(conn)
    return [
        {"at": row["at"], "createdBy": logins.get(row["created_by"]), "facts": json_codec.load(row["facts"])}
        for row in tasks.other_facts(conn, task_id, OTHER_FACTS)
    ]


def one(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.overview.run`` by the task's id."""
    row = tasks.get(conn, request.number("id"))
    place = teams.get(conn, workspaces, "workspace", row["workspace_id"])
    counts = edge_counts(conn, [row["id"]])
    kept = conn.execute(select(func.count()).select_from(logs).where(logs.c.task_id == row["id"])).scalar_one()
    keys = select(runs.c.key, runs.c.parent).where(runs.c.task_id == row["id"]).order_by(runs.c.created_at)
    return {
        **run(row),
        "number": row["number"],
        "origin": row["origin"],
        "app": {"id": row["app_id"], "name": row["app_name"]} if row["app_id"] is not None else None,
        "workspace": {"id": place["id"], "name": place["name"]},
        "error": row["error"],
        "seenAt": tasks.last_records(conn, [row["id"]]).get(row["id"]),
        "facts": json_codec.load(row["facts"]),
        "otherFacts": _other_facts(conn, row["id"]),
        "createdBy": jobs.logins(conn).get(row["created_by"]),
        "createdAt": row["created_at"],
        "attempts": conn.execute(select(func.count()).select_from(keys.subquery())).scalar_one(),
        "inputs": _linked(conn, row["id"], "input"),
        "outputs": _linked(conn, row["id"], "output"),
        "inputsTotal": counts.get((row["id"], "input"), 0),
        "outputsTotal": counts.get((row["id"], "output"), 0),
        "log": kept,
    }


def log(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.overview.log`` of a run: ``{"parts": [{"id", "at", "lines"}], "earlier", "state"}``.

    Without more the end of it; with ``before`` what stands before that part, with ``after`` what came since.
    ``earlier`` says whether there is more before the first part given.
    """
    row = tasks.get(conn, request.number("id"))
    size = limit(request, CHUNKS)
    query = select(logs.c.id, logs.c.at, logs.c.lines).where(logs.c.task_id == row["id"])
    if (after := request.optional_number("after")) is not None:
        found = conn.execute(query.where(logs.c.id > after).order_by(logs.c.id).limit(size)).mappings().all()
        earlier = True
    else:
        if (before := request.optional_number("before")) is not None:
            query = query.where(logs.c.id < before)
        last = conn.execute(query.order_by(logs.c.id.desc()).limit(size + 1)).mappings().all()
        found, earlier = last[:size][::-1], len(last) > size
    return {"parts": [dict(part) for part in found], "earlier": earlier, "state": row["state"]}


READS: Mapping[str, Operation] = {"autoflow.overview.run": one, "autoflow.overview.log": log}
