"""A project's rows as a version sees them: those valid at its epoch, whether they are current or history by now.

What a version sees never changes while the version is there, so that a reader may take a page at a time in
transactions of their own, by the items' ids.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    FromClause,
    RowMapping,
    Select,
    Table,
    and_,
    func,
    literal_column,
    select,
    union_all,
)

from autoflow.server.db import json_codec
from autoflow.server.db.item_content import ContentRow, original_id
from autoflow.server.db.schema import (
    datasets,
    datasets_history,
    items,
    items_history,
    project_meta,
    project_meta_history,
)

HISTORY: Mapping[Table, Table] = {
    datasets: datasets_history,
    items: items_history,
    project_meta: project_meta_history,
}
EMPTY_META = '{"classes":[],"tags":[]}'


class SnapshotRef(NamedTuple):
    """A project at an epoch: what a version sees."""

    project: int
    epoch: int

    @classmethod
    def of(cls, version: ContentRow) -> SnapshotRef:
        """What a row of `versions` sees."""
        return cls(version["project_id"], version["epoch"])


def current_and_history(table: Table, moment: SnapshotRef, *columns: str) -> tuple[Select[Any], Select[Any]]:
    """The rows of a moment that are current still, and those that are history; all columns or those named."""
    history = HISTORY[table]
    names = columns or tuple(table.c.keys())
    current = select(*(table.c[name] for name in names))
    current = current.where(table.c.project_id == moment.project, table.c.valid_from <= moment.epoch)
    past = select(*(history.c[name] for name in names)).where(
        history.c.project_id == moment.project, history.c.valid_from <= moment.epoch, history.c.valid_to > moment.epoch
    )
    return current, past


def newer_than(table: FromClause, epoch: int) -> ColumnElement[bool]:
    """The condition on a row to have come after an epoch; said so that the index of what is no first epoch's serves."""
    after: ColumnElement[bool] = table.c.valid_from > epoch
    return and_(after, table.c.valid_from > literal_column("1")) if epoch >= 1 else after


def union_of(current: Select[Any], past: Select[Any]) -> CompoundSelect[Any]:
    """Both halves as one query."""
    return union_all(current, past)


def all_rows(table: Table, moment: SnapshotRef, *columns: str) -> CompoundSelect[Any]:
    """The rows of a moment as one query."""
    return union_of(*current_and_history(table, moment, *columns))


def page(
    conn: Connection, moment: SnapshotRef, after: int, limit: int, dataset_id: int | None = None, *columns: str
) -> list[RowMapping]:
    """The next items of a moment, by their ids."""
    parts = []
    for half, table in zip(current_and_history(items, moment, *columns), (items, items_history), strict=True):
        query = half.where(table.c.id > after)
        if dataset_id is not None:
            query = query.where(table.c.dataset_id == dataset_id)
        parts.append(conn.execute(query.order_by(table.c.id).limit(limit)).mappings().all())
    return list(heapq.merge(*parts, key=itemgetter("id")))[:limit]


def datasets_at(conn: Connection, moment: SnapshotRef) -> list[RowMapping]:
    """The datasets of a moment, each after the one it stands in."""
    found = sorted(conn.execute(all_rows(datasets, moment)).mappings(), key=itemgetter("id"))
    within: dict[int | None, list[RowMapping]] = {}
    for row in found:
        within.setdefault(row["parent_id"], []).append(row)
    ordered = list(within.get(None, ()))
    for row in ordered:
        ordered.extend(within.get(row["id"], ()))
    return ordered


def original_ids(found: list[RowMapping]) -> dict[int, int]:
    """What datasets are told by (`store.content`), by their ids."""
    return {row["id"]: original_id(row) for row in found}


def dataset_paths(found: list[RowMapping]) -> dict[int, tuple[str, ...]]:
    """The names that lead to each dataset, by its id; `found` has each after the one it stands in."""
    names: dict[int | None, tuple[str, ...]] = {None: ()}
    for row in found:
        names[row["id"]] = (*names[row["parent_id"]], row["name"])
    return {number: place for number, place in names.items() if number is not None}


def meta_text(conn: Connection, moment: SnapshotRef) -> str:
    """The classes and tags of a moment, as they are kept."""
    found: str | None = conn.execute(all_rows(project_meta, moment, "document")).scalar()
    return EMPTY_META if found is None else found


def meta_rows(conn: Connection, moment: SnapshotRef) -> list[RowMapping]:
    """The row of classes and tags of a moment, if there was one."""
    return list(conn.execute(all_rows(project_meta, moment)).mappings())


def meta_at(conn: Connection, moment: SnapshotRef) -> dict[str, Any]:
    """``{"classes": [...], "tags": [...]}`` of a moment."""
    found: dict[str, Any] = json_codec.load(meta_text(conn, moment))
    return found


def item_counts(conn: Connection, moment: SnapshotRef) -> dict[int, int]:
    """How many items each dataset of a moment has, by its id; those that have none are left out."""
    counted: dict[int, int] = {}
    for half in current_and_history(items, moment, "dataset_id"):
        place = half.selected_columns.dataset_id
        for number, count in conn.execute(half.add_columns(func.count()).group_by(place)):
            counted[number] = counted.get(number, 0) + count
    return counted
