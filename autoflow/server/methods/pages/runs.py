"""The page of a run: its facts, its inputs and outputs, and its log a chunk at a time."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, func, select

from autoflow.server.db import jobs, json_codec, tasks, teams
from autoflow.server.db.access import visible
from autoflow.server.db.schema import edges, logs, runs, workspaces
from autoflow.server.lineage.walk import entity_of
from autoflow.server.methods.pages.links import MAX_SIZE, edge_counts, entity_links, page_size, run_summary
from autoflow.server.operations import Operation, by_name, implements
from autoflow.wire.contract import run_pages as contract

MAX_OTHER_FACTS = 20
LOG_CHUNKS = 100  # of one response, as they were recorded


def _linked(conn: Connection, task_id: int, direction: str) -> list[contract.LinkedEntity]:
    """Return the first `MAX_SIZE` inputs or outputs of a run as links, in the order recorded."""
    conditions = (edges.c.task_id == task_id, edges.c.direction == direction, visible(conn, edges))
    rows = conn.execute(select(edges).where(*conditions).order_by(edges.c.id).limit(MAX_SIZE)).mappings().all()
    links = entity_links(conn, [entity_of(row) for row in rows])
    logins = jobs.logins(conn)
    return [
        {**link, "at": row["at"], "createdBy": logins.get(row["created_by"])}
        for link, row in zip(links, rows, strict=True)
    ]


def _other_facts(conn: Connection, task_id: int) -> list[contract.RecordedFacts]:
    """Return facts recorded after a run ended, and facts of earlier runs of its number, the latest first."""
    logins = jobs.logins(conn)
    return [
        {"at": row["at"], "createdBy": logins.get(row["created_by"]), "facts": json_codec.load(row["facts"])}
        for row in tasks.other_facts(conn, task_id, MAX_OTHER_FACTS)
    ]


@implements(contract.RUN)
def run(conn: Connection, request: contract.RunPageRequest) -> contract.RunPage:
    """``autoflow.overview.run`` by the task's id."""
    row = tasks.get(conn, request.id)
    workspace = teams.get(conn, workspaces, "workspace", row["workspace_id"])
    counts = edge_counts(conn, [row["id"]])
    log_chunks = select(func.count()).select_from(logs).where(logs.c.task_id == row["id"])
    keys = select(runs.c.key, runs.c.parent).where(runs.c.task_id == row["id"]).order_by(runs.c.created_at)
    return {
        **run_summary(row),
        "number": row["number"],
        "origin": row["origin"],
        "app": {"id": row["app_id"], "name": row["app_name"]} if row["app_id"] is not None else None,
        "workspace": {"id": workspace["id"], "name": workspace["name"]},
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
        "log": conn.execute(log_chunks).scalar_one(),
    }


@implements(contract.LOG)
def log(conn: Connection, request: contract.RunLogRequest) -> contract.RunLog:
    """``autoflow.overview.log`` of a run.

    The parts are the last ones, those before the part ``before``, or those after the part ``after``. ``earlier`` says
    whether more parts precede the first one.
    """
    row = tasks.get(conn, request.id)
    size = page_size(request.limit, LOG_CHUNKS)
    query = select(logs.c.id, logs.c.at, logs.c.lines).where(logs.c.task_id == row["id"])
    if (after := request.after) is not None:
        rows = conn.execute(query.where(logs.c.id > after).order_by(logs.c.id).limit(size)).mappings().all()
        earlier = True
    else:
        if (before := request.before) is not None:
            query = query.where(logs.c.id < before)
        last = conn.execute(query.order_by(logs.c.id.desc()).limit(size + 1)).mappings().all()
        rows, earlier = last[:size][::-1], len(last) > size
    parts: list[contract.LogChunk] = [{"id": part["id"], "at": part["at"], "lines": part["lines"]} for part in rows]
    return {"parts": parts, "earlier": earlier, "state": row["state"]}


READS: Mapping[str, Operation] = by_name(run, log)
