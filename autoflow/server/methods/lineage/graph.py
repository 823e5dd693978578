"""``autoflow.graph``: the lineage around a project, a task or a file, or of a workspace, as `Graph.to_json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, or_, select

from autoflow.graph.graph import Graph
from autoflow.model.entity import EntityRef
from autoflow.server.db import files, projects, tasks, teams
from autoflow.server.db.access import visible
from autoflow.server.db.schema import datasets, edges, versions, workspaces
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.lineage.cards import draw_cards
from autoflow.server.lineage.walk import walk
from autoflow.server.operations import Operation
from autoflow.server.request_parser import RequestParser, as_number
from autoflow.wire import methods

CAP = 2000  # cards of one graph
LARGEST = 20_000  # runs a workspace is entered at; a scene shows as many cards


class Entry(NamedTuple):
    """Where a graph is entered: what it is named for, the card outlined, and the cards the walk begins at."""

    title: str
    card: EntityRef | None
    seeds: list[EntityRef]


def _project(conn: Connection, request: RequestParser) -> Entry:
    """A project, with those of its versions and datasets that any run used."""
    found = projects.get(conn, request.number("project"))
    card = EntityRef("", "project", found["id"])
    seeds = [card]
    for table, entity_type in ((versions, "project_version"), (datasets, "dataset")):
        query = select(table.c.id).where(table.c.project_id == found["id"]).order_by(table.c.id)
        seeds += [EntityRef("", entity_type, number) for number in conn.execute(query).scalars()]  # type: ignore[arg-type]
    return Entry(f'Workflow for project "{found["name"]}"', card, seeds)


def _task(conn: Connection, request: RequestParser) -> Entry:
    found = tasks.get(conn, request.number("task"))
    card = EntityRef(found["origin"], "task", found["number"])
    return Entry(f'Workflow for task "{found["app_name"] or found["id"]}"', card, [card])


def _file(conn: Connection, request: RequestParser) -> Entry:
    """A file by its number or path; a path that is no file is a folder that runs used."""
    number = as_number(request.fields["file"])
    if number is not None:
        card = EntityRef("", "file", files.get(conn, number)["id"])
        return Entry(f"Workflow for file {number}", card, [card])
    path = files.normalize_path(request.text("file"))
    team_id = request.optional_number("teamId") or teams.default_team(conn)
    found = files.current(conn, team_id, path)
    card = EntityRef("", "file", found["id"]) if found else EntityRef("", "folder", path.rstrip("/") or "/")
    if (
        not found
        and conn.execute(select(edges.c.id).where(edges.c.card == card.key, visible(conn, edges)).limit(1)).first()
        is None
    ):
        raise NotFound("file", path)
    return Entry(f'Workflow for file "{path}"', card, [card])


def _workspace(conn: Connection, request: RequestParser) -> Entry:
    """All runs of a workspace that recorded anything, the latest first; also one whose edges were all refused."""
    number = request.optional_number("workspace") or teams.first_workspace(conn, teams.default_team(conn)) or 0
    found = teams.get(conn, workspaces, "workspace", number)
    used = select(edges.c.id).where(edges.c.task_id == task_table.c.id).exists()
    began = task_table.c.facts != "{}"
    query = select(task_table.c.origin, task_table.c.number)
    query = query.where(task_table.c.workspace_id == number, or_(used, began))
    latest = conn.execute(query.order_by(task_table.c.id.desc()).limit(LARGEST))
    return Entry(
        f'Workflow for workspace "{found["name"]}"', None, [EntityRef(row[0], "task", row[1]) for row in latest]
    )


_ENTRIES: Mapping[str, Callable[[Connection, RequestParser], Entry]] = {
    "project": _project,
    "task": _task,
    "file": _file,
    "workspace": _workspace,
}


def entered(conn: Connection, request: RequestParser) -> Entry:
    """Where a graph is entered: at one of ``project``, ``task``, ``file``, ``workspace`` (the default).

    Raises:
        ServerRefused: more than one is given, or it is not there.
    """
    named = [name for name in _ENTRIES if request.has(name)]
    if len(named) > 1:
        raise Invalid(f"a graph is entered at one thing, not at {' and '.join(named)}")
    return _ENTRIES[named[0] if named else "workspace"](conn, request)


def graph(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """The graph of at most `CAP` cards around one thing, or of a workspace."""
    entry = entered(conn, request)
    found = walk(conn, entry.card, entry.seeds, CAP)
    cards, arrows = draw_cards(conn, found)
    return Graph(cards, arrows, entry.card.key if entry.card else None, entry.title).to_json()


READS: Mapping[str, Operation] = {methods.GRAPH: graph}
WRITES: Mapping[str, Operation] = {}
