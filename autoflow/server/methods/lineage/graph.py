"""``autoflow.graph``: the lineage around a project, task or file, or of a workspace, as `Graph.to_json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, or_, select

from autoflow.graph.graph import Graph
from autoflow.model.entity import EntityRef
from autoflow.model.graph_json import GraphJson
from autoflow.server.db import files, projects, tasks, teams
from autoflow.server.db.access import visible
from autoflow.server.db.schema import datasets, edges, versions, workspaces
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.lineage.cards import draw_cards
from autoflow.server.lineage.walk import walk
from autoflow.server.methods.lineage.references import parse_reference, resolve
from autoflow.server.operations import Operation, by_name, implements
from autoflow.server.request_parser import as_number
from autoflow.wire.contract import lineage as contract

CAP = 2000  # cards of one graph
MAX_RUNS = 20_000  # latest runs that a workspace's graph starts from; also the most cards of a view


class Entry(NamedTuple):
    """The start of a graph.

    Args:
        title: the graph's title.
        card: the card outlined, None for a workspace.
        seeds: the cards that the traversal starts from.
    """

    title: str
    card: EntityRef | None
    seeds: list[EntityRef]


def _from_project(conn: Connection, project_id: int) -> Entry:
    """Start from a project, its versions and its datasets."""
    project_row = projects.get(conn, project_id)
    card = EntityRef("", "project", project_row["id"])
    seeds = [card]
    for table, entity_type in ((versions, "project_version"), (datasets, "dataset")):
        query = select(table.c.id).where(table.c.project_id == project_row["id"]).order_by(table.c.id)
        seeds += [EntityRef("", entity_type, entity_id) for entity_id in conn.execute(query).scalars()]  # type: ignore[arg-type]
    return Entry(f'Workflow for project "{project_row["name"]}"', card, seeds)


def _from_task(conn: Connection, task_id: int) -> Entry:
    task_row = tasks.get(conn, task_id)
    card = EntityRef(task_row["origin"], "task", task_row["number"])
    return Entry(f'Workflow for run "{task_row["app_name"] or task_row["id"]}"', card, [card])


def _from_file(conn: Connection, id_or_path: int | str, team_id: int) -> Entry:
    """Start from a file by its id or path, or from a folder that runs used."""
    file_id = as_number(id_or_path)
    if file_id is not None:
        row = files.get(conn, file_id)
        card = EntityRef("", "file", row["id"])
        return Entry(f'Workflow for file "{row["path"]}"', card, [card])
    if str(id_or_path).startswith("model:"):
        card = resolve(conn, parse_reference(str(id_or_path)), None)
        return Entry(f"Workflow for {id_or_path}", card, [card])
    path = files.normalize_path(str(id_or_path))
    file_row = files.current(conn, team_id, path)
    card = EntityRef("", "file", file_row["id"]) if file_row else EntityRef("", "folder", path.rstrip("/") or "/")
    uses = select(edges.c.id).where(edges.c.entity_key == card.key, visible(conn, edges)).limit(1)
    if file_row is None and conn.execute(uses).first() is None:
        raise NotFound("file", path)
    return Entry(f'Workflow for file "{path}"', card, [card])


def _from_workspace(conn: Connection, workspace_id: int) -> Entry:
    """Start from the runs of a workspace that recorded anything, the latest first."""
    workspace_row = teams.get(conn, workspaces, "workspace", workspace_id)
    has_edges = select(edges.c.id).where(edges.c.task_id == task_table.c.id).exists()
    has_facts = task_table.c.facts != "{}"  # a run whose edges were all refused counts too
    query = select(task_table.c.origin, task_table.c.number)
    query = query.where(task_table.c.workspace_id == workspace_id, or_(has_edges, has_facts))
    latest = conn.execute(query.order_by(task_table.c.id.desc()).limit(MAX_RUNS))
    return Entry(
        f'Workflow for workspace "{workspace_row["name"]}"', None, [EntityRef(row[0], "task", row[1]) for row in latest]
    )


def find_entry(conn: Connection, request: contract.EntryRequest) -> Entry:
    """Return the start of a graph.

    Raises:
        Invalid: the request names more than one entry.
        NotFound: the entry does not exist.
    """
    named = [name for name in ("project", "task", "file", "workspace") if getattr(request, name) is not None]
    if len(named) > 1:
        raise Invalid(f"a graph has one entry, not {' and '.join(named)}: send only one of them")
    if request.project is not None:
        return _from_project(conn, request.project)
    if request.task is not None:
        return _from_task(conn, request.task)
    if request.file is not None:
        return _from_file(conn, request.file, request.team_id or teams.default_team(conn))
    return _from_workspace(conn, request.workspace or teams.first_workspace(conn, teams.default_team(conn)) or 0)


@implements(contract.GRAPH)
def graph(conn: Connection, request: contract.GraphRequest) -> GraphJson:
    """Return a graph of at most `CAP` cards."""
    entry = find_entry(conn, request)
    cards, arrows = draw_cards(conn, walk(conn, entry.card, entry.seeds, CAP))
    return Graph(cards, arrows, entry.card.key if entry.card else None, entry.title).to_json()


READS: Mapping[str, Operation] = by_name(graph)
WRITES: Mapping[str, Operation] = {}
