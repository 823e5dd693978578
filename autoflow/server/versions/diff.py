"""What changed between two moments of a project: work in proportion to what changed, not to what there is.

A row changed between two epochs if it ended in between, or began in between: two ranges of an index each for the
current rows and for history. An item that was removed, and added again at the same place under the same name, changed.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, RowMapping, Select, Table, and_, case, or_, select

from autoflow.server.db import item_content
from autoflow.server.db.schema import items, items_history
from autoflow.server.paging import chunks
from autoflow.server.versions import snapshot
from autoflow.server.versions.snapshot import SnapshotRef

# What of an item may change, and the columns that tell.
ASPECTS: Mapping[str, tuple[str, ...]] = {
    "bytes": ("hash", "link"),
    "name": ("name",),
    "dataset": ("dataset_id",),
    "meta": ("meta",),
    "tags": ("tags",),
    "labels": ("annotation",),
    "description": ("description",),
}
_TOLD = ("id", "dataset_id", "name", "labels")


class ItemChange(NamedTuple):
    """An item that is not what it was.

    Args:
        status: added, removed or changed.
        before, after: its ids, which differ when it was removed and added again; None for what was or is not there.
        aspects: what of it changed (`ASPECTS`); none for one that was added or removed.
        labels: how many labels it had, and has.
    """

    status: str
    before: int | None
    after: int | None
    aspects: tuple[str, ...]
    labels: tuple[int, int]

    @property
    def number(self) -> int:
        """What changes are ordered by."""
        return self.after or self.before or 0


class EpochRange(NamedTuple):
    """From one epoch of a project to a later one."""

    project: int
    low: int
    high: int

    @property
    def first(self) -> SnapshotRef:
        """The earlier moment."""
        return SnapshotRef(self.project, self.low)

    @property
    def last(self) -> SnapshotRef:
        """The later moment."""
        return SnapshotRef(self.project, self.high)

    def ended(self, table: FromClause) -> ColumnElement[bool]:
        """The condition on a history's row to be seen at the first moment and not at the last."""
        return and_(
            table.c.project_id == self.project,
            table.c.valid_to > self.low,
            table.c.valid_to <= self.high,
            table.c.valid_from <= self.low,
        )

    def begun(self, table: FromClause) -> ColumnElement[bool]:
        """The condition on a row, current or history's, to be seen at the last moment and not at the first."""
        between = and_(
            table.c.project_id == self.project, snapshot.newer_than(table, self.low), table.c.valid_from <= self.high
        )
        return and_(between, table.c.valid_to > self.high) if "valid_to" in table.c else between


def _changed(span: EpochRange, tables: Iterable[Table]) -> Iterable[Any]:
    """Items whose rows are others: a bit for each aspect whose columns differ, and their tags where those do."""
    was = items_history.alias("was")
    for table in tables:
        now = table.alias("now")
        differs = {
            aspect: or_(*(was.c[name].is_distinct_from(now.c[name]) for name in names))
            for aspect, names in ASPECTS.items()
        }
        columns = [
            *(was.c.id, was.c.labels.label("labels_was"), now.c.labels.label("labels_now")),
            _bits(differs.values()).label("bits"),
            *(
                case((differs["tags"], side.c.tags)).label(name)
                for side, name in ((was, "tags_was"), (now, "tags_now"))
            ),
        ]
        joined = was.join(now, and_(now.c.id == was.c.id, span.begun(now)))
        yield select(*columns).select_from(joined).where(span.ended(was))


def _bits(conditions: Iterable[ColumnElement[bool]]) -> ColumnElement[int]:
    bits: list[ColumnElement[int]] = [case((one, 1 << place), else_=0) for place, one in enumerate(conditions)]
    return functools.reduce(operator.add, bits)


@functools.cache
def _named(bits: int) -> tuple[str, ...]:
    """The aspects of bits."""
    return tuple(aspect for place, aspect in enumerate(ASPECTS) if bits >> place & 1)


def _gone(span: EpochRange) -> Iterable[Select[Any]]:
    """Items that had a row and have none."""
    was = items_history.alias("was")
    query = select(*(was.c[name] for name in _TOLD)).where(span.ended(was))
    for table in (items, items_history):
        now = table.alias("now")
        query = query.where(~select(now.c.id).where(now.c.id == was.c.id, span.begun(now)).exists())
    yield query


def _new(span: EpochRange, tables: Iterable[Table]) -> Iterable[Select[Any]]:
    """Items that have a row and had none: none older than the first moment, as a number lives once."""
    was = items_history.alias("was")
    for table in tables:
        now = table.alias("now")
        before = select(was.c.id).where(
            was.c.project_id == span.project, was.c.id == now.c.id, was.c.valid_from <= span.low
        )
        yield select(*(now.c[name] for name in _TOLD)).where(span.begun(now), ~before.exists())


def _numbers(conn: Connection, table: Table, condition: ColumnElement[bool]) -> set[int]:
    return set(conn.execute(select(table.c.id).where(condition)).scalars().all())


def _rows(conn: Connection, queries: Iterable[Select[Any]]) -> list[Any]:
    return [row for query in queries for row in conn.execute(query).all()]


def items_by_id(conn: Connection, moment: SnapshotRef, numbers: Sequence[int]) -> dict[int, RowMapping]:
    """Items of a moment by their ids."""
    found: dict[int, RowMapping] = {}
    for part in chunks(numbers):
        for half, table in zip(snapshot.current_and_history(items, moment), (items, items_history), strict=True):
            found.update((row["id"], row) for row in conn.execute(half.where(table.c.id.in_(part))).mappings())
    return found


def _aspects(bits: int, tags_was: str | None, tags_now: str | None) -> tuple[str, ...]:
    """What differs between two rows of an item: tags by their content, as their numbers are none."""
    differ = _named(bits)
    if (
        tags_was is not None
        and tags_now is not None
        and item_content.tags_content(tags_was) == item_content.tags_content(tags_now)
    ):
        return tuple(aspect for aspect in differ if aspect != "tags")
    return differ


def _between(before: RowMapping, after: RowMapping) -> tuple[str, ...]:
    """As `_aspects`, of an item that was removed and another that took its place."""
    names = {aspect: columns for aspect, columns in ASPECTS.items() if aspect != "dataset"}
    differ = {aspect for aspect, columns in names.items() if any(before[name] != after[name] for name in columns)}
    if item_content.tags_content(before["tags"]) == item_content.tags_content(after["tags"]):
        differ.discard("tags")
    return tuple(aspect for aspect in ASPECTS if aspect in differ)


def find_changes(conn: Connection, span: EpochRange) -> list[ItemChange]:
    """The items that are not what they were, by their numbers."""
    # numbers are read from indexes alone: they tell which of the rows have to be looked at
    ended = _numbers(conn, items_history, span.ended(items_history))
    begun = {table: _numbers(conn, table, span.begun(table)) for table in (items, items_history)}
    found = []
    both = _changed(span, [table for table, numbers in begun.items() if numbers & ended])
    for number, labels_was, labels_now, *told in _rows(conn, both):
        if aspects := _aspects(*told):
            found.append(ItemChange("changed", number, number, aspects, (labels_was, labels_now)))
    gone = _rows(conn, _gone(span)) if ended.difference(*begun.values()) else []
    new = _rows(conn, _new(span, [table for table, numbers in begun.items() if numbers - ended]))
    replaced = _replaced(conn, span, gone, new) if gone and new else []
    again = {change.before for change in replaced}, {change.after for change in replaced}
    found += [change for change in replaced if change.aspects]
    found += [ItemChange("removed", row.id, None, (), (row.labels, 0)) for row in gone if row.id not in again[0]]
    found += [ItemChange("added", None, row.id, (), (0, row.labels)) for row in new if row.id not in again[1]]
    return sorted(found, key=lambda change: change.number)


def _replaced(conn: Connection, span: EpochRange, gone: Sequence[Any], new: Sequence[Any]) -> list[ItemChange]:
    """Items that were removed, with those added at their places under their names."""
    places = [snapshot.dataset_paths(snapshot.datasets_at(conn, moment)) for moment in (span.first, span.last)]
    taken = {(places[1][row.dataset_id], row.name): row for row in new}
    pairs = [(row, taken[place]) for row in gone if (place := (places[0][row.dataset_id], row.name)) in taken]
    before = items_by_id(conn, span.first, [row.id for row, _ in pairs])
    after = items_by_id(conn, span.last, [row.id for _, row in pairs])
    return [
        ItemChange("changed", one.id, other.id, _between(before[one.id], after[other.id]), (one.labels, other.labels))
        for one, other in pairs
    ]
