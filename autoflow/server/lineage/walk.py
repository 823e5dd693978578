"""Which cards a graph has: those reached from its entry over edges in either direction, nearest first, up to a cap.

Every step is one indexed query for up to a few hundred cards; nothing is read that the graph does not show, but for
the counts of what was left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, Text, cast, func, literal, select, true

from autoflow.model.entity import EntityRef
from autoflow.server.db.access import visible
from autoflow.server.db.schema import edges, tasks, versions
from autoflow.server.db.tasks import tasks_of_cards
from autoflow.server.paging import CHUNK, chunks
from autoflow.server.request_parser import as_number


class Found(NamedTuple):
    """What was found.

    Args:
        cards: by key, in the order found; a file used as a model weight anywhere is a ``model_weight``.
        tasks: ids of the tasks among them, by card key; a task known by an edge alone is not here.
        edges: rows between cards of the graph, in the order recorded, with ``task_card``.
        versions: (project's key, version's key), both in the graph.
        more: how many neighbours of a card were left out, by key.
    """

    cards: dict[str, EntityRef]
    tasks: dict[str, int]
    edges: list[dict[str, Any]]
    versions: list[tuple[str, str]]
    more: dict[str, int]


def entity_of(row: RowMapping) -> EntityRef:
    """What an edge names."""
    number = None if row["type"] == "folder" else as_number(row["entity"])
    return EntityRef(row["origin"], row["type"], row["entity"] if number is None else number)


class Walk:
    """One graph being found."""

    def __init__(self, conn: Connection, cap: int) -> None:
        self._rows = conn
        self._cap = cap
        self._cut = False
        self.cards: dict[str, EntityRef] = {}
        self.tasks: dict[str, int] = {}
        self._keys: dict[int, str] = {}

    def visit(self, found: Iterable[EntityRef]) -> list[EntityRef]:
        """Take cards in, as many as there is room for; gives those that are new."""
        new = []
        for ref in found:
            if ref.key in self.cards:
                continue
            if len(self.cards) >= self._cap:
                self._cut = True
                break
            self.cards[ref.key] = ref
            new.append(ref)
        return new

    def resolve(self, refs: Sequence[EntityRef]) -> None:
        """Look up which task each task's card is."""
        for number, key in tasks_of_cards(self._rows, refs).items():
            self.tasks[key] = number
            self._keys[number] = key

    def neighbours(self, refs: Sequence[EntityRef]) -> Iterator[EntityRef]:
        """What stands one arrow away from any of these."""
        enough = 2 * (self._cap + 1)  # more than are in the graph already, a file counted twice
        numbers = [self.tasks[ref.key] for ref in refs if ref.key in self.tasks]
        for part in chunks(numbers):
            query = select(edges.c.origin, edges.c.type, edges.c.entity, func.max(edges.c.id).label("last"))
            query = query.where(edges.c.task_id.in_(part)).group_by(edges.c.origin, edges.c.type, edges.c.entity)
            for row in self._rows.execute(query.order_by(func.max(edges.c.id).desc()).limit(enough)).mappings():
                yield entity_of(row)
        for part in chunks([ref.key for ref in refs]):
            users = select(edges.c.task_id).where(edges.c.card.in_(part))
            runs = select(tasks.c.origin, tasks.c.number).where(tasks.c.id.in_(users), visible(self._rows, tasks))
            for origin, number in self._rows.execute(runs.order_by(tasks.c.id.desc()).limit(enough)):
                yield EntityRef(origin, "task", number)
        yield from self._version_neighbours(refs)

    def _version_neighbours(self, refs: Sequence[EntityRef]) -> Iterator[EntityRef]:
        """A version's project, and a project's versions that any run used."""
        for part in chunks([ref.id for ref in refs if ref.type == "project_version" and not ref.origin]):
            query = select(versions.c.project_id).where(versions.c.id.in_(part), visible(self._rows, versions))
            for number in self._rows.execute(query).scalars():
                yield EntityRef("", "project", number)
        for part in chunks([ref.id for ref in refs if ref.type == "project" and not ref.origin]):
            yield from used_versions(self._rows, part)

    def found(self) -> Found:
        """All that was found, with the arrows between."""
        arrows = self._edges()
        self._weigh(arrows)
        pairs = self._versions()
        return Found(self.cards, self.tasks, arrows, pairs, self._left_out(arrows) if self._cut else {})

    def _weigh(self, named: Iterable[dict[str, Any]]) -> None:
        """A file that any edge calls a model weight is one."""
        for key in {row["card"] for row in named if row["type"] == "model_weight"}:
            self.cards[key] = self.cards[key]._replace(type="model_weight")

    def _edges(self) -> list[dict[str, Any]]:
        # in a small graph a run's other edges are not read; in a large one that would be a query for each pair of parts
        few = edges.c.card.in_(list(self.cards)) if len(self.cards) <= CHUNK else true()
        found: list[dict[str, Any]] = []
        for numbers in chunks(list(self._keys)):
            for row in self._rows.execute(select(edges).where(edges.c.task_id.in_(numbers), few)).mappings():
                if row["card"] in self.cards:
                    found.append({**row, "task_card": self._keys[row["task_id"]]})
        return sorted(found, key=lambda row: row["id"])

    def _versions(self) -> list[tuple[str, str]]:
        numbers = [ref.id for ref in self.cards.values() if ref.type == "project_version" and not ref.origin]
        pairs = []
        for part in chunks(numbers):
            query = select(versions.c.id, versions.c.project_id).where(versions.c.id.in_(part))
            query = query.where(visible(self._rows, versions)).order_by(versions.c.id)
            for row in self._rows.execute(query):
                project = EntityRef("", "project", row.project_id).key
                if project in self.cards:
                    pairs.append((project, EntityRef("", "project_version", row.id).key))
        return pairs

    def _left_out(self, arrows: list[dict[str, Any]]) -> dict[str, int]:
        """How many neighbours of each card are not in the graph."""
        shown: dict[str, set[str]] = {}
        for row in arrows:
            shown.setdefault(row["card"], set()).add(row["task_card"])
            shown.setdefault(row["task_card"], set()).add(row["card"])
        more: dict[str, int] = {}
        for column, other, keys in (
            (edges.c.card, edges.c.task_id, {key: key for key in self.cards}),
            (edges.c.task_id, edges.c.card, self._keys),
        ):
            for part in chunks(list(keys)):
                query = select(column, func.count(other.distinct())).where(column.in_(part), visible(self._rows, edges))
                for value, count in self._rows.execute(query.group_by(column)):
                    key = keys[value]
                    more[key] = more.get(key, 0) + count
        return {key: left for key, count in more.items() if (left := count - len(shown.get(key, ()))) > 0}


def used_versions(conn: Connection, project_ids: Sequence[Any]) -> Iterator[EntityRef]:
    """The versions of projects that any run read or wrote."""
    name = literal("project_version:", Text) + cast(versions.c.id, Text)
    used = select(edges.c.id).where(edges.c.card == name, visible(conn, edges)).exists()
    query = select(versions.c.id).where(versions.c.project_id.in_(project_ids), used, visible(conn, versions))
    query = query.order_by(versions.c.id)
    for number in conn.execute(query).scalars():
        yield EntityRef("", "project_version", number)


def walk(conn: Connection, entry: EntityRef | None, seeds: Sequence[EntityRef], cap: int) -> Found:
    """Find a graph of at most `cap` cards around `seeds`; of these, ones that no edge names are left out.

    `entry`, the card the viewer came from, is in the graph even when nothing used it.
    """
    found = Walk(conn, cap)
    frontier = found.visit(used(conn, entry, seeds))
    while frontier:
        found.resolve(frontier)
        frontier = found.visit(found.neighbours(frontier))
    return found.found()


def used(conn: Connection, entry: EntityRef | None, seeds: Sequence[EntityRef]) -> list[EntityRef]:
    """The seeds that are the entry, a task, or named by an edge."""
    named = {entry.key if entry else ""}
    for part in chunks([ref.key for ref in seeds if ref.type != "task"]):
        query = select(edges.c.card).where(edges.c.card.in_(part), visible(conn, edges)).distinct()
        named.update(conn.execute(query).scalars())
    return [ref for ref in seeds if ref.type == "task" or ref.key in named]
