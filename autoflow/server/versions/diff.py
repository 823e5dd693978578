"""The differences between two snapshots of a project; the cost depends on the number of changes, not of items.

A row changed between two epochs if its validity ended or began in between: two index range scans each over current rows
and history. An item that was removed counts as changed if one was added to the same dataset under the same name, and as
renamed or moved if one with the same bytes was added elsewhere.
"""

from __future__ import annotations

import functools
import operator
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, RowMapping, Select, Table, and_, case, or_, select

from autoflow.server.db import item_content
from autoflow.server.db.schema import items, items_history
from autoflow.server.paging import chunks
from autoflow.server.versions import snapshot
from autoflow.server.versions.snapshot import SnapshotRef
from autoflow.wire.contract.versions import Aspect, ChangeStatus

# The aspects of an item that can change, and the columns of each.
ASPECTS: Mapping[Aspect, tuple[str, ...]] = {
    "bytes": ("hash", "link"),
    "name": ("name",),
    "dataset": ("dataset_id",),
    "meta": ("meta",),
    "tags": ("tags",),
    "labels": ("annotation",),
    "description": ("description",),
}
_COLUMNS = ("id", "dataset_id", "name", "labels", "hash")


class ItemChange(NamedTuple):
    """A difference in one item.

    Args:
        status: added, removed or changed.
        before, after: its ids, which differ if it was removed and added again; None where it does not exist.
        aspects: the changed aspects (`ASPECTS`), empty for an added or removed item.
        labels: its numbers of labels before and after.
    """

    status: ChangeStatus
    before: int | None
    after: int | None
    aspects: tuple[Aspect, ...]
    labels: tuple[int, int]

    @property
    def number(self) -> int:
        """The id that changes are ordered by."""
        return self.after or self.before or 0


class EpochRange(NamedTuple):
    """Two epochs of a project, the later one last."""

    project: int
    low: int
    high: int

    @property
    def first(self) -> SnapshotRef:
        """The earlier snapshot."""
        return SnapshotRef(self.project, self.low)

    @property
    def last(self) -> SnapshotRef:
        """The later snapshot."""
        return SnapshotRef(self.project, self.high)

    def ended(self, table: FromClause) -> ColumnElement[bool]:
        """Return the condition that a row of history is valid in the first snapshot and not in the last."""
        return and_(
            table.c.project_id == self.project,
            table.c.valid_to > self.low,
            table.c.valid_to <= self.high,
            table.c.valid_from <= self.low,
        )

    def begun(self, table: FromClause) -> ColumnElement[bool]:
        """Return the condition that a row of either table is valid in the last snapshot and not in the first."""
        between = and_(
            table.c.project_id == self.project, snapshot.newer_than(table, self.low), table.c.valid_from <= self.high
        )
        return and_(between, table.c.valid_to > self.high) if "valid_to" in table.c else between


def _changed(span: EpochRange, tables: Iterable[Table]) -> Iterable[Any]:
    """Return queries for items with another row: a bit for each differing aspect, and their tags if those differ."""
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
    bits: list[ColumnElement[int]] = [
        case((condition, 1 << index), else_=0) for index, condition in enumerate(conditions)
    ]
    return functools.reduce(operator.add, bits)


@functools.cache
def _aspects_of_bits(bits: int) -> tuple[Aspect, ...]:
    return tuple(aspect for index, aspect in enumerate(ASPECTS) if bits >> index & 1)


def _removed(span: EpochRange) -> Iterable[Select[Any]]:
    """Return queries for items that are valid in the first snapshot and have no row in the last."""
    was = items_history.alias("was")
    query = select(*(was.c[name] for name in _COLUMNS)).where(span.ended(was))
    for table in (items, items_history):
        now = table.alias("now")
        query = query.where(~select(now.c.id).where(now.c.id == was.c.id, span.begun(now)).exists())
    yield query


def _added(span: EpochRange, tables: Iterable[Table]) -> Iterable[Select[Any]]:
    """Return queries for items that are valid in the last snapshot and have no older row: ids are not reused."""
    was = items_history.alias("was")
    for table in tables:
        now = table.alias("now")
        before = select(was.c.id).where(
            was.c.project_id == span.project, was.c.id == now.c.id, was.c.valid_from <= span.low
        )
        yield select(*(now.c[name] for name in _COLUMNS)).where(span.begun(now), ~before.exists())


def _ids(conn: Connection, table: Table, condition: ColumnElement[bool]) -> set[int]:
    return set(conn.execute(select(table.c.id).where(condition)).scalars().all())


def _rows(conn: Connection, queries: Iterable[Select[Any]]) -> list[Any]:
    return [row for query in queries for row in conn.execute(query).all()]


def items_by_id(conn: Connection, ref: SnapshotRef, numbers: Sequence[int]) -> dict[int, RowMapping]:
    """Return items of a snapshot by id."""
    by_id: dict[int, RowMapping] = {}
    for part in chunks(numbers):
        for query, table in zip(snapshot.current_and_history(items, ref), (items, items_history), strict=True):
            by_id.update((row["id"], row) for row in conn.execute(query.where(table.c.id.in_(part))).mappings())
    return by_id


def _aspects(bits: int, tags_was: str | None, tags_now: str | None) -> tuple[Aspect, ...]:
    """Return the differing aspects of two rows of an item; tags are compared by content, without their ids."""
    differing = _aspects_of_bits(bits)
    if (
        tags_was is not None
        and tags_now is not None
        and item_content.tags_content(tags_was) == item_content.tags_content(tags_now)
    ):
        return tuple(aspect for aspect in differing if aspect != "tags")
    return differing


def _between(before: RowMapping, after: RowMapping, *, is_moved: bool) -> tuple[Aspect, ...]:
    """Return the differing aspects of a removed item and the one that replaced it, in another dataset if it moved."""
    differing: set[Aspect] = {"dataset"} if is_moved else set()
    for aspect, columns in ASPECTS.items():
        if aspect != "dataset" and any(before[name] != after[name] for name in columns):
            differing.add(aspect)
    if item_content.tags_content(before["tags"]) == item_content.tags_content(after["tags"]):
        differing.discard("tags")
    return tuple(aspect for aspect in ASPECTS if aspect in differing)


def find_changes(conn: Connection, span: EpochRange) -> list[ItemChange]:
    """Return the items that differ between two snapshots, ordered by id."""
    # ids are read from indexes alone: they tell which of the rows have to be compared
    ended = _ids(conn, items_history, span.ended(items_history))
    begun = {table: _ids(conn, table, span.begun(table)) for table in (items, items_history)}
    changes = []
    in_both = _changed(span, [table for table, ids in begun.items() if ids & ended])
    for item_id, labels_was, labels_now, bits, tags_was, tags_now in _rows(conn, in_both):
        aspects = _aspects_of_bits(bits) if tags_was is None else _aspects(bits, tags_was, tags_now)
        if aspects:
            changes.append(ItemChange("changed", item_id, item_id, aspects, (labels_was, labels_now)))
    removed = _rows(conn, _removed(span)) if ended.difference(*begun.values()) else []
    added = _rows(conn, _added(span, [table for table, ids in begun.items() if ids - ended]))
    pairs = _pairs(conn, span, removed, added) if removed and added else []
    old_ids, new_ids = {old.id for old, _, _ in pairs}, {new.id for _, new, _ in pairs}
    changes += _between_pairs(conn, span, pairs)
    changes += [ItemChange("removed", row.id, None, (), (row.labels, 0)) for row in removed if row.id not in old_ids]
    changes += [ItemChange("added", None, row.id, (), (0, row.labels)) for row in added if row.id not in new_ids]
    return sorted(changes, key=lambda change: change.after or change.before or 0)


_Pair = tuple[Any, Any, bool]  # a removed row, the added row that replaced it, and whether their datasets differ


def _pairs(conn: Connection, span: EpochRange, removed: Sequence[Any], added: Sequence[Any]) -> list[_Pair]:
    """Pair removed items with added ones: of the same dataset and name, else of the same bytes, renamed or moved."""
    paths_before, paths_after = (
        snapshot.dataset_paths(snapshot.datasets_at(conn, ref)) for ref in (span.first, span.last)
    )
    keys: Sequence[tuple[_Key, _Key]] = (
        (lambda row: (paths_before[row.dataset_id], row.name), lambda row: (paths_after[row.dataset_id], row.name)),
        (_hash_and_name, _hash_and_name),
        (_hash, _hash),
    )
    pairs: list[_Pair] = []
    old_rows, new_rows = sorted(removed, key=_by_id), sorted(added, key=_by_id)
    for key_before, key_after in keys:
        by_key: dict[Any, deque[Any]] = {}
        for row in new_rows:
            by_key.setdefault(key_after(row), deque()).append(row)
        for old in old_rows:
            key = key_before(old)
            if key is not None and by_key.get(key):
                new = by_key[key].popleft()
                pairs.append((old, new, paths_before[old.dataset_id] != paths_after[new.dataset_id]))
        old_ids, new_ids = {old.id for old, _, _ in pairs}, {new.id for _, new, _ in pairs}
        old_rows = [row for row in old_rows if row.id not in old_ids]
        new_rows = [row for row in new_rows if row.id not in new_ids]
    return pairs


_Key = Callable[[Any], Any]
_by_id = operator.attrgetter("id")
_hash = operator.attrgetter("hash")


def _hash_and_name(row: Any) -> tuple[str, str] | None:
    return (row.hash, row.name) if row.hash is not None else None


def _between_pairs(conn: Connection, span: EpochRange, pairs: Sequence[_Pair]) -> Iterator[ItemChange]:
    """Yield the changes of removed items that were replaced; of those that are equal there is none."""
    before = items_by_id(conn, span.first, [old.id for old, _, _ in pairs])
    after = items_by_id(conn, span.last, [new.id for _, new, _ in pairs])
    for old, new, is_moved in pairs:
        if aspects := _between(before[old.id], after[new.id], is_moved=is_moved):
            yield ItemChange("changed", old.id, new.id, aspects, (old.labels, new.labels))
