"""Cards within some hops of others, following edges in their direction, with counts of what was left out.

Unlike `walk`, upstream cards are reached against the edges only and downstream cards along them only: a side branch,
such as another input of a later run, is counted but not followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, func, select

from autoflow.model.entity import EntityRef
from autoflow.server.db.access import visible
from autoflow.server.db.schema import edges, tasks
from autoflow.server.lineage.containment import containers, contents
from autoflow.server.lineage.walk import LineageEdge, LineageRows, Traversal, entity_of, specialize
from autoflow.server.paging import chunks

Side = Literal["upstream", "downstream"]
SIDES: tuple[Side, Side] = ("upstream", "downstream")
# The direction of the edges that lead from a run to its neighbours on a side; for data it is the other one.
_RUN_DIRECTIONS = {"upstream": "input", "downstream": "output"}
_DATA_DIRECTIONS = {"upstream": "output", "downstream": "input"}


class Neighbourhood(NamedTuple):
    """A part of the lineage around some cards.

    Args:
        rows: its cards and edges.
        more: how many neighbours were left out, by card key and side.
        truncated: whether the cap left out cards within reach.
    """

    rows: LineageRows
    more: dict[str, dict[Side, int]]
    truncated: bool


class DirectedTraversal(Traversal):
    """A traversal that follows one side at a time."""

    def add(self, refs: Iterable[EntityRef]) -> list[EntityRef]:
        """Add cards up to the cap, and return those that are new."""
        new = self.visit(refs)
        self.resolve(new)
        return new

    def add_neighbours(self, refs: Sequence[EntityRef], side: Side) -> list[EntityRef]:
        """Add the cards one edge away from any of these on one side, and return those that are new."""
        return self.add(self._neighbours(refs, side))

    def add_reachable(self, refs: Sequence[EntityRef], side: Side, hops: int | None) -> None:
        """Add all cards within `hops` edges on one side, without a limit when it is None."""
        frontier = list(refs)
        visited = {ref.key for ref in frontier}
        while frontier and hops != 0 and not self._truncated:
            # Cards added before, from the other side or another card, are still passed through once.
            neighbours = {ref.key: ref for ref in self._neighbours(frontier, side) if ref.key not in visited}
            self.add(neighbours.values())
            frontier = [ref for key, ref in neighbours.items() if key in self.cards]
            visited.update(neighbours)
            hops = None if hops is None else hops - 1

    def _neighbours(self, refs: Sequence[EntityRef], side: Side) -> Iterator[EntityRef]:
        limit = self._cap + 1
        for chunk in chunks([self.tasks[ref.key] for ref in refs if ref.key in self.tasks]):
            query = select(edges.c.origin, edges.c.type, edges.c.entity, func.max(edges.c.id).label("last"))
            query = query.where(edges.c.task_id.in_(chunk), edges.c.direction == _RUN_DIRECTIONS[side])
            query = query.group_by(edges.c.origin, edges.c.type, edges.c.entity).order_by(func.max(edges.c.id).desc())
            for row in self._conn.execute(query.limit(limit)).mappings():
                yield entity_of(row)
        for chunk in chunks([ref.key for ref in refs]):
            users = select(edges.c.task_id).where(
                edges.c.entity_key.in_(chunk), edges.c.direction == _DATA_DIRECTIONS[side]
            )
            runs = select(tasks.c.origin, tasks.c.number).where(tasks.c.id.in_(users), visible(self._conn, tasks))
            for origin, number in self._conn.execute(runs.order_by(tasks.c.id.desc()).limit(limit)):
                yield EntityRef(origin, "task", number)
        if side == "upstream":
            yield from (source for source, _ in containers(self._conn, refs))
        else:
            yield from (target for _, target in contents(self._conn, refs))

    def raise_cap(self, cap: int) -> None:
        """Allow more cards."""
        self._cap = cap

    def cards_alone(self) -> LineageRows:
        """Return the cards with all edges that style and date them, even edges whose other end was not visited."""
        shown_edges: list[LineageEdge] = []
        for chunk in chunks(list(self.cards)):
            query = select(edges).where(edges.c.entity_key.in_(chunk), visible(self._conn, edges)).order_by(edges.c.id)
            shown_edges += (LineageEdge.of(row, "") for row in self._conn.execute(query).mappings())
        specialize(self.cards, shown_edges)
        return LineageRows(self.cards, self.tasks, shown_edges, [], {})

    def neighbourhood(self) -> Neighbourhood:
        """Return the visited cards, the edges between them, and the counts of other neighbours."""
        rows = self.rows()
        included: dict[tuple[str, Side], set[str]] = {}
        for edge in rows.edges:
            side: Side = "upstream" if edge.direction == "input" else "downstream"
            opposite: Side = "downstream" if side == "upstream" else "upstream"
            included.setdefault((edge.task_key, side), set()).add(edge.entity_key)
            included.setdefault((edge.entity_key, opposite), set()).add(edge.task_key)
        for source, target in rows.containments:
            included.setdefault((source, "downstream"), set()).add(target)
            included.setdefault((target, "upstream"), set()).add(source)
        more: dict[str, dict[Side, int]] = {}
        for (key, side), total in self._neighbour_counts(rows):
            omitted = total - len(included.get((key, side), ()))
            if omitted > 0:
                more.setdefault(key, {})[side] = more.get(key, {}).get(side, 0) + omitted
        return Neighbourhood(rows, more, self._truncated)

    def _neighbour_counts(self, rows: LineageRows) -> list[tuple[tuple[str, Side], int]]:
        """Count the neighbours of every card on either side, in the graph or not."""
        totals: dict[tuple[str, Side], int] = {}
        task_keys = {task_id: key for key, task_id in rows.tasks.items()}
        for side in SIDES:
            of_runs = self._count_distinct(edges.c.task_id, edges.c.entity_key, list(task_keys), _RUN_DIRECTIONS[side])
            totals.update({(task_keys[task_id], side): count for task_id, count in of_runs})
            of_data = self._count_distinct(
                edges.c.entity_key, edges.c.task_id, list(rows.cards), _DATA_DIRECTIONS[side]
            )
            for key, count in of_data:
                totals[key, side] = totals.get((key, side), 0) + count
        refs = list(rows.cards.values())
        for source, target in {*containers(self._conn, refs), *contents(self._conn, refs)}:
            if source.key in rows.cards:
                totals[source.key, "downstream"] = totals.get((source.key, "downstream"), 0) + 1
            if target.key in rows.cards:
                totals[target.key, "upstream"] = totals.get((target.key, "upstream"), 0) + 1
        return list(totals.items())

    def _count_distinct(
        self, column: ColumnElement[Any], other: ColumnElement[Any], values: Sequence[Any], direction: str
    ) -> Iterator[tuple[Any, int]]:
        for chunk in chunks(values):
            query = select(column, func.count(other.distinct())).where(
                column.in_(chunk), edges.c.direction == direction, visible(self._conn, edges)
            )
            for row in self._conn.execute(query.group_by(column)):
                yield row[0], row[1]
