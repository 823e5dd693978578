"""``autoflow.trace``: everything a thing came from, as `Trace.to_json`; ``autoflow.reproductions`` of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from autoflow.graph.graph import Graph
from autoflow.graph.trace import Trace
from autoflow.model.entity import EntityRef
from autoflow.model.reference import KINDS, Reference, parse
from autoflow.server.db import files, json_codec, tasks, teams
from autoflow.server.db.access import visible
from autoflow.server.db.edges import check_exists
from autoflow.server.db.schema import edges
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.db.schema import versions as version_table
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.lineage import details
from autoflow.server.lineage.cards import draw_cards
from autoflow.server.lineage.upstream import Upstream
from autoflow.server.operations import Operation
from autoflow.server.request_parser import RequestParser
from autoflow.server.versions import versions
from autoflow.wire import methods

CAP = 500  # cards of one trace: each run comes with its packages
MOST = 1000  # reproductions of one run


def _path(conn: Connection, named: Reference, request: RequestParser) -> EntityRef:
    """The current file at a path, the last that was there, or a folder that some run used."""
    path = files.normalize_path(named.path)
    found = files.history(conn, request.optional_number("teamId") or teams.default_team(conn), path)
    if found:
        return EntityRef("", "file", found[0]["id"])
    folder = EntityRef("", "folder", path.rstrip("/") or "/")
    used = select(edges.c.id).where(edges.c.card == folder.key, visible(conn, edges)).limit(1)
    if conn.execute(used).first() is None:
        raise NotFound("file", path)
    return folder


def _numbered(conn: Connection, named: Reference) -> EntityRef:
    if named.version is not None:
        query = versions.listing(conn).where(version_table.c.project_id == named.id)
        found = conn.execute(query.where(version_table.c.number == named.version)).mappings().one_or_none()
        if found is None:
            raise NotFound("version", str(named))
        return EntityRef("", "project_version", found["id"])
    ref = EntityRef("", KINDS[named.kind], named.id)
    if ref.type in {"task", "app_session"}:
        row = tasks.get(conn, named.id)
        return EntityRef(row["origin"], ref.type, row["number"])
    check_exists(conn, ref)
    return ref


def trace(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """What ``ref`` (`model.reference`) came from: at most `CAP` cards, the nearest ones.

    Of the runs that wrote a thing the latest is followed, with ``every`` all of them.
    """
    try:
        named = parse(request.text("ref"))
    except ValueError as error:
        raise Invalid(f'"ref": {error}', {"field": "ref"}) from error
    entry = _path(conn, named, request) if named.path else _numbered(conn, named)
    upstream = Upstream(conn, CAP, every=request.flag("every", default=False))
    found = upstream.trace(entry)
    cards, arrows = draw_cards(conn, found)
    runs, touched = details.runs(conn, found.tasks)
    known = {ref.key: ref for ref in [*found.cards.values(), *touched] if ref.type != "task"}
    known.update((ref.key, ref) for ref in touched if ref.type == "model_weight")
    told = details.data(conn, list(known.values()))
    graph = Graph(cards, arrows, entry.key, f"Trace of {named}")
    return Trace(details.reference(entry), graph, runs, told, complete=not upstream.cut).to_json()


def reproductions(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``{"tasks": [...]}``: those that repeated a ``task``, or are of one ``attempt`` at that; the first one first."""
    if request.has("task"):
        row = tasks.get(conn, request.number("task"))
        name, value = "reproduces", details.reference(EntityRef(row["origin"], "task", row["number"]))
    else:
        name, value = "attempt", request.text("attempt")
    query = tasks.listing(conn).where(task_table.c.facts.contains(json_codec.dump(value), autoescape=True))
    found = conn.execute(query.order_by(task_table.c.id)).mappings()
    return {"tasks": [row["id"] for row in found if json_codec.load(row["facts"]).get(name) == value][:MOST]}


READS: Mapping[str, Operation] = {methods.TRACE: trace, methods.REPRODUCTIONS: reproductions}
WRITES: Mapping[str, Operation] = {}
