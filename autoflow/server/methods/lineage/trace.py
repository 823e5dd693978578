"""``autoflow.trace``: everything upstream of an entity, as `Trace.to_json`; ``autoflow.reproductions`` of a run."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from autoflow.graph.graph import Graph
from autoflow.graph.trace import Trace
from autoflow.model.entity import EntityRef
from autoflow.model.entity_types import ENTITY_TYPES
from autoflow.model.graph_json import TraceJson
from autoflow.server.db import json_codec, tasks
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.lineage import details
from autoflow.server.lineage.cards import draw_cards
from autoflow.server.lineage.upstream import UpstreamTraversal
from autoflow.server.methods.lineage.references import parse_reference, resolve
from autoflow.server.operations import Operation, by_name, implements
from autoflow.server.validation import required
from autoflow.wire.contract import lineage as contract

CAP = 500  # cards of one trace: each run comes with its packages
MAX_REPRODUCTIONS = 1000  # of one run


@implements(contract.TRACE)
def trace(conn: Connection, request: contract.TraceRequest) -> TraceJson:
    """Trace the entity ``ref`` (see `model.reference`): at most `CAP` cards, the nearest ones.

    Of the runs that wrote an entity the latest is followed, with ``every`` all of them.
    """
    reference = parse_reference(request.ref)
    entry = resolve(conn, reference, request.team_id)
    traversal = UpstreamTraversal(conn, CAP, every=request.every)
    rows = traversal.trace(entry)
    cards, arrows = draw_cards(conn, rows)
    runs, touched = details.describe_runs(conn, rows.tasks)
    data = {ref.key: ref for ref in [*rows.cards.values(), *touched] if ref.type != "task"}
    data.update((ref.key, ref) for ref in touched if ENTITY_TYPES[ref.type].is_specialized)
    descriptions = details.describe_data(conn, list(data.values()))
    graph = Graph(cards, arrows, entry.key, f"Trace of {reference}")
    return Trace(entry.reference, graph, runs, descriptions, complete=not traversal.truncated).to_json()


@implements(contract.REPRODUCTIONS)
def reproductions(conn: Connection, request: contract.ReproductionsRequest) -> contract.ReproductionsResponse:
    """List the ``tasks`` that reproduced a ``task``, or that belong to one ``attempt`` at it, the first one first."""
    if request.task is not None:
        row = tasks.get(conn, request.task)
        fact, value = "reproduces", EntityRef(row["origin"], "task", row["number"]).reference
    else:
        fact, value = "attempt", required(request.attempt, "attempt")
    query = tasks.listing(conn).where(task_table.c.facts.contains(json_codec.dump(value), autoescape=True))
    task_rows = conn.execute(query.order_by(task_table.c.id)).mappings()
    task_ids = [row["id"] for row in task_rows if json_codec.load(row["facts"]).get(fact) == value]
    return {"tasks": task_ids[:MAX_REPRODUCTIONS]}


READS: Mapping[str, Operation] = by_name(trace, reproductions)
WRITES: Mapping[str, Operation] = {}
