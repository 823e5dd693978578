"""The cards within some hops of others, following the arrows' direction; what is left out is counted on either side.

As `walk`, but directed: what lies before is reached against the arrows only, what lies after along them only, so a
side branch, such as another input of a later run, is counted and not followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, func, select

from autoflow.model.entity import EntityRef
from autoflow.server.db.access import visible
from autoflow.server.db.schema import edges, tasks, versions
from autoflow.server.lineage.walk import Found, Walk, entity_of, used_versions
from autoflow.server.paging import chunks

Side = Literal["upstream", "downstream"]
SIDES: tuple[Side, Side] = ("upstream", "downstream")
# Which edges lead from a run to its neighbours on a side; for data it is the other way round.
_OF_RUNS = {"upstream": "input", "downstream": "output"}
_OF_DATA = {"upstream": "output", "downstream": "input"}


class Part(NamedTuple):
    """A part of the lineage.

    Args:
        found: its cards and arrows.
        more: how many neighbours were left out, by card key and side.
        cut: whether cards within reach were left out for want of room.
    """

    found: Found
    more: dict[str, dict[Side, int]]
    cut: bool


class Hops(Walk):
    """A part being found, step by step."""

    @property
    def cut(self) -> bool:
        """Whether there was no room for a card."""
        return self._cut

    def step(self, refs: Sequence[EntityRef], side: Side) -> list[EntityRef]:
        """Take in what stands one arrow away from any of these on one side; gives those that are new."""
        return self.take(self._beside(refs, side))

    def take(self, refs: Iterable[EntityRef]) -> list[EntityRef]:
        """Take cards in; gives those that are new."""
        new = self.visit(refs)
        self.resolve(new)
        return new

    def reach(self, refs: Sequence[EntityRef], side: Side, hops: int | None) -> None:
        """Take in all within `hops` steps on one side; None for all there is."""
        frontier = list(refs)
        seen = {ref.key for ref in frontier}
        while frontier and hops != 0 and not self._cut:
            # what was taken in before, from the other side or another card, is passed through once
            beside = {ref.key: ref for ref in self._beside(frontier, side) if ref.key not in seen}
            self.take(beside.values())
            frontier = [ref for key, ref in beside.items() if key in self.cards]
            seen.update(beside)
            hops = None if hops is None else hops - 1

    def _beside(self, refs: Sequence[EntityRef], side: Side) -> Iterator[EntityRef]:
        enough = self._cap + 1
        for part in chunks([self.tasks[ref.key] for ref in refs if ref.key in self.tasks]):
            query = select(edges.c.origin, edges.c.type, edges.c.entity, func.max(edges.c.id).label("last"))
            query = query.where(edges.c.task_id.in_(part), edges.c.direction == _OF_RUNS[side])
            query = query.group_by(edges.c.origin, edges.c.type, edges.c.entity).order_by(func.max(edges.c.id).desc())
            for row in self._rows.execute(query.limit(enough)).mappings():
                yield entity_of(row)
        for part in chunks([ref.key for ref in refs]):
            users = select(edges.c.task_id).where(edges.c.card.in_(part), edges.c.direction == _OF_DATA[side])
            runs = select(tasks.c.origin, tasks.c.number).where(tasks.c.id.in_(users), visible(self._rows, tasks))
            for origin, number in self._rows.execute(runs.order_by(tasks.c.id.desc()).limit(enough)):
                yield EntityRef(origin, "task", number)
        wanted = "project_version" if side == "upstream" else "project"
        for part in chunks([ref.id for ref in refs if ref.type == wanted and not ref.origin]):
            if side == "downstream":
                yield from used_versions(self._rows, part)
                continue
            query = select(versions.c.project_id).where(versions.c.id.in_(part), visible(self._rows, versions))
            for number in self._rows.execute(query).scalars():
                yield EntityRef("", "project", number)

    def widen(self, cap: int) -> None:
        """Make room for more cards."""
        self._cap = cap

    def alone(self) -> Found:
        """The cards with all edges that say how they look and since when, whether their other ends are here or not."""
        named: list[dict[str, Any]] = []
        for part in chunks(list(self.cards)):
            query = select(edges).where(edges.c.card.in_(part), visible(self._rows, edges)).order_by(edges.c.id)
            named += ({**row, "task_card": ""} for row in self._rows.execute(query).mappings())
        self._weigh(named)
        return Found(self.cards, self.tasks, named, [], {})

    def part(self) -> Part:
        """All that was taken in, with the arrows between and the counts of what was not."""
        found = self.found()
        shown: dict[tuple[str, Side], set[str]] = {}
        for row in found.edges:
            side: Side = "upstream" if row["direction"] == "input" else "downstream"
            other: Side = "downstream" if side == "upstream" else "upstream"
            shown.setdefault((row["task_card"], side), set()).add(row["card"])
            shown.setdefault((row["card"], other), set()).add(row["task_card"])
        for project, version in found.versions:
            shown.setdefault((project, "downstream"), set()).add(version)
            shown.setdefault((version, "upstream"), set()).add(project)
        more: dict[str, dict[Side, int]] = {}
        for (key, side), count in self._counts(found):
            left = count - len(shown.get((key, side), ()))
            if left > 0:
                more.setdefault(key, {})[side] = more.get(key, {}).get(side, 0) + left
        return Part(found, more, self._cut)

    def _counts(self, found: Found) -> list[tuple[tuple[str, Side], int]]:
        """How many neighbours every card has on either side, in the graph or not."""
        total: dict[tuple[str, Side], int] = {}
        keys = {number: key for key, number in found.tasks.items()}
        for side in SIDES:
            runs = self._counted(edges.c.task_id, edges.c.card, list(keys), _OF_RUNS[side])
            total.update({(keys[number], side): count for number, count in runs})
            data = self._counted(edges.c.card, edges.c.task_id, list(found.cards), _OF_DATA[side])
            for key, count in data:
                total[key, side] = total.get((key, side), 0) + count
        for project, count in self._used_versions(found):
            total[project, "downstream"] = total.get((project, "downstream"), 0) + count
        for key, ref in found.cards.items():
            if ref.type == "project_version" and not ref.origin:
                total[key, "upstream"] = total.get((key, "upstream"), 0) + 1
        return list(total.items())

    def _counted(
        self, column: ColumnElement[Any], other: ColumnElement[Any], values: Sequence[Any], direction: str
    ) -> Iterator[tuple[Any, int]]:
        for part in chunks(values):
            query = select(column, func.count(other.distinct())).where(
                column.in_(part), edges.c.direction == direction, visible(self._rows, edges)
            )
            for row in self._rows.execute(query.group_by(column)):
                yield row[0], row[1]

    def _used_versions(self, found: Found) -> Iterator[tuple[str, int]]:
        for key, ref in found.cards.items():
            if ref.type == "project" and not ref.origin:
                yield key, sum(1 for _ in used_versions(self._rows, [ref.id]))
