"""Breadth-first traversal of the lineage, over edges in either direction and up to a cap of cards.

Each level is one indexed query for up to a few hundred cards. Nothing outside the graph is read, except to count the
neighbours that were left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import Connection, RowMapping, func, select, true

from autoflow.model.entity import EntityRef
from autoflow.model.entity_types import ENTITY_TYPES, Direction, WireType
from autoflow.server.db.access import visible
from autoflow.server.db.schema import edges, tasks
from autoflow.server.db.tasks import tasks_of_cards
from autoflow.server.lineage.containment import containers, contents
from autoflow.server.paging import CHUNK, chunks
from autoflow.server.request_parser import as_number


class LineageEdge(NamedTuple):
    """An edge of a graph.

    Args:
        id: its number, by which edges are in the order recorded.
        task_key: key of the run's card; empty where only the entity is shown.
        entity_key: key of the entity's card.
        type: the entity's type as the edge states it.
        at: when it was recorded, in ISO 8601.
        updated_ns: when its settings were set, in nanoseconds.
        meta: settings of both cards, as JSON text.
    """

    id: int
    task_key: str
    entity_key: str
    type: WireType
    direction: Direction
    at: str
    updated_ns: int
    meta: str | None

    @classmethod
    def of(cls, row: RowMapping, task_key: str) -> LineageEdge:
        """Return the edge of a row."""
        return cls(
            row["id"],
            task_key,
            row["entity_key"],
            row["type"],
            row["direction"],
            row["at"],
            row["updated_ns"],
            row["meta"],
        )


class LineageRows(NamedTuple):
    """The cards and edges that a traversal read.

    Args:
        cards: by key, in order of discovery; a file that any edge uses as a model weight is a ``model_weight``.
        tasks: ids of the tasks among them, by card key; a task known by an edge alone has none.
        edges: edges between cards of the graph, in the order recorded.
        containments: (container's key, key of what it contains), both in the graph (`lineage.containment`).
        more: how many neighbours of a card were left out, by key.
    """

    cards: dict[str, EntityRef]
    tasks: dict[str, int]
    edges: list[LineageEdge]
    containments: list[tuple[str, str]]
    more: dict[str, int]


def entity_of(row: RowMapping) -> EntityRef:
    """Return the entity that an edge's row names."""
    number = None if ENTITY_TYPES[row["type"]].by_path else as_number(row["entity"])
    return EntityRef(row["origin"], row["type"], row["entity"] if number is None else number)


def specialize(cards: dict[str, EntityRef], shown_edges: Iterable[LineageEdge]) -> None:
    """Give each card the most specific type that these edges state: a file is a model weight where one says so."""
    for edge in shown_edges:
        if ENTITY_TYPES[edge.type].is_specialized:
            cards[edge.entity_key] = cards[edge.entity_key]._replace(type=edge.type)


class Traversal:
    """The state of a traversal: the cards visited so far, and the tasks among them."""

    def __init__(self, conn: Connection, cap: int) -> None:
        self._conn = conn
        self._cap = cap
        self._truncated = False
        self.cards: dict[str, EntityRef] = {}
        self.tasks: dict[str, int] = {}
        self._task_keys: dict[int, str] = {}

    def visit(self, refs: Iterable[EntityRef]) -> list[EntityRef]:
        """Add cards up to the cap, and return those that are new."""
        new = []
        for ref in refs:
            if ref.key in self.cards:
                continue
            if len(self.cards) >= self._cap:
                self._truncated = True
                break
            self.cards[ref.key] = ref
            new.append(ref)
        return new

    def resolve(self, refs: Sequence[EntityRef]) -> None:
        """Look up the task ids of task cards."""
        for task_id, key in tasks_of_cards(self._conn, refs).items():
            self.tasks[key] = task_id
            self._task_keys[task_id] = key

    def neighbours(self, refs: Sequence[EntityRef]) -> Iterator[EntityRef]:
        """Yield the entities one edge away from any of these."""
        limit = 2 * (self._cap + 1)  # more than are in the graph already, a file counted twice
        task_ids = [self.tasks[ref.key] for ref in refs if ref.key in self.tasks]
        for chunk in chunks(task_ids):
            query = select(edges.c.origin, edges.c.type, edges.c.entity, func.max(edges.c.id).label("last"))
            query = query.where(edges.c.task_id.in_(chunk)).group_by(edges.c.origin, edges.c.type, edges.c.entity)
            for row in self._conn.execute(query.order_by(func.max(edges.c.id).desc()).limit(limit)).mappings():
                yield entity_of(row)
        for chunk in chunks([ref.key for ref in refs]):
            users = select(edges.c.task_id).where(edges.c.entity_key.in_(chunk))
            runs = select(tasks.c.origin, tasks.c.number).where(tasks.c.id.in_(users), visible(self._conn, tasks))
            for origin, number in self._conn.execute(runs.order_by(tasks.c.id.desc()).limit(limit)):
                yield EntityRef(origin, "task", number)
        yield from (source for source, _ in containers(self._conn, refs))
        yield from (target for _, target in contents(self._conn, refs))

    def rows(self, *, with_counts: bool = True) -> LineageRows:
        """Return the visited cards and the edges between them, with the counts of what the cap left out."""
        shown_edges = self._edges()
        specialize(self.cards, shown_edges)
        pairs = self._containments()
        more = self._omitted_counts(shown_edges) if self._truncated and with_counts else {}
        return LineageRows(self.cards, self.tasks, shown_edges, pairs, more)

    def _edges(self) -> list[LineageEdge]:
        # In a small graph, edges to other cards are filtered out by the database; in a large one that would take a
        # query for each pair of chunks.
        in_graph = edges.c.entity_key.in_(list(self.cards)) if len(self.cards) <= CHUNK else true()
        shown_edges: list[LineageEdge] = []
        # tuples: mappings would take longer than all else for a large graph
        columns = (edges.c[name] for name in ("task_id", "id", *LineageEdge._fields[2:]))
        query = select(*columns).where(in_graph)
        for chunk in chunks(list(self._task_keys)):
            rows = self._conn.execute(query.where(edges.c.task_id.in_(chunk)))
            for task_id, edge_id, entity_key, *others in map(tuple, rows):
                if entity_key in self.cards:
                    shown_edges.append(LineageEdge(edge_id, self._task_keys[task_id], entity_key, *others))
        return sorted(shown_edges, key=attrgetter("id"))

    def _containments(self) -> list[tuple[str, str]]:
        """Return the pairs of a container and what it contains that are both in the graph."""
        pairs = ((source.key, target.key) for source, target in containers(self._conn, list(self.cards.values())))
        return [pair for pair in pairs if pair[0] in self.cards]

    def _omitted_counts(self, shown_edges: list[LineageEdge]) -> dict[str, int]:
        """Count the neighbours of each card that are not in the graph."""
        included: dict[str, set[str]] = {}
        for edge in shown_edges:
            included.setdefault(edge.entity_key, set()).add(edge.task_key)
            included.setdefault(edge.task_key, set()).add(edge.entity_key)
        totals: dict[str, int] = {}
        for column, other, keys in (
            (edges.c.entity_key, edges.c.task_id, {key: key for key in self.cards}),
            (edges.c.task_id, edges.c.entity_key, self._task_keys),
        ):
            for chunk in chunks(list(keys)):
                query = select(column, func.count(other.distinct()))
                query = query.where(column.in_(chunk), visible(self._conn, edges))
                for value, count in self._conn.execute(query.group_by(column)):
                    key = keys[value]
                    totals[key] = totals.get(key, 0) + count
        return {key: omitted for key, total in totals.items() if (omitted := total - len(included.get(key, ()))) > 0}


def walk(
    conn: Connection, entry: EntityRef | None, seeds: Sequence[EntityRef], cap: int, *, with_counts: bool = True
) -> LineageRows:
    """Return a graph of at most `cap` cards around `seeds`, without seeds that no edge names.

    Args:
        conn: the transaction.
        entry: the card that the graph is shown for, included even if nothing used it.
        seeds: the cards to start from.
        cap: the largest number of cards.
        with_counts: whether each card says how many of its neighbours the cap left out.
    """
    traversal = Traversal(conn, cap)
    frontier = traversal.visit(used_seeds(conn, entry, seeds))
    while frontier:
        traversal.resolve(frontier)
        frontier = traversal.visit(traversal.neighbours(frontier))
    return traversal.rows(with_counts=with_counts)


def used_seeds(conn: Connection, entry: EntityRef | None, seeds: Sequence[EntityRef]) -> list[EntityRef]:
    """Return the seeds that are the entry, a task, or named by an edge."""
    named = {entry.key if entry else ""}
    for chunk in chunks([ref.key for ref in seeds if ref.type != "task"]):
        query = select(edges.c.entity_key).where(edges.c.entity_key.in_(chunk), visible(conn, edges)).distinct()
        named.update(conn.execute(query).scalars())
    return [ref for ref in seeds if ref.type == "task" or ref.key in named]
