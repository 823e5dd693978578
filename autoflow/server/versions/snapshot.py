"""Queries on a snapshot of a project: the rows valid at an epoch, current or in the history tables.

The rows that a version sees do not change while the version exists, so that pages of items, by id, can be read in
separate transactions.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
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

from autoflow.server.db import attachments, json_codec
from autoflow.server.db.item_content import ContentRow, original_id
from autoflow.server.db.schema import (
    datasets,
    datasets_history,
    items,
    items_history,
    project_meta,
    project_meta_history,
)
from autoflow.wire.contract.labels import LabelDefinitions

HISTORY: Mapping[Table, Table] = {
    datasets: datasets_history,
    items: items_history,
    project_meta: project_meta_history,
}
EMPTY_META = '{"classes":[],"tags":[]}'


class SnapshotRef(NamedTuple):
    """A project at an epoch, as a version sees it."""

    project: int
    epoch: int

    @classmethod
    def of(cls, version: ContentRow) -> SnapshotRef:
        """Return the snapshot of a version, from its row."""
        return cls(version["project_id"], version["epoch"])


def current_and_history(table: Table, ref: SnapshotRef, *columns: str) -> tuple[Select[Any], Select[Any]]:
    """Return two queries for a snapshot's rows: those still current, and those in the history.

    Args:
        table: the versioned table.
        ref: the snapshot.
        columns: names of the columns to select, by default all.
    """
    history = HISTORY[table]
    names = columns or tuple(table.c.keys())
    current = select(*(table.c[name] for name in names))
    current = current.where(table.c.project_id == ref.project, table.c.valid_from <= ref.epoch)
    history_rows = select(*(history.c[name] for name in names)).where(
        history.c.project_id == ref.project, history.c.valid_from <= ref.epoch, history.c.valid_to > ref.epoch
    )
    return current, history_rows


def newer_than(table: FromClause, epoch: int) -> ColumnElement[bool]:
    """Return the condition that a row is newer than an epoch.

    Adds ``valid_from > 1`` as a literal, so that the partial index is used.
    """
    after: ColumnElement[bool] = table.c.valid_from > epoch
    return and_(after, table.c.valid_from > literal_column("1")) if epoch >= 1 else after


def all_rows(table: Table, ref: SnapshotRef, *columns: str) -> CompoundSelect[Any]:
    """Return one query for a snapshot's rows; see `current_and_history`."""
    return union_all(*current_and_history(table, ref, *columns))


def page(
    conn: Connection,
    ref: SnapshotRef,
    after: int,
    limit: int,
    dataset_id: int | None = None,
    *columns: str,
    ids: Sequence[int] | None = None,
) -> list[RowMapping]:
    """Return the next items of a snapshot, of a dataset or of some numbers if there are any, by id."""
    parts = []
    for select_rows, table in zip(current_and_history(items, ref, *columns), (items, items_history), strict=True):
        query = select_rows.where(table.c.id > after)
        if dataset_id is not None:
            query = query.where(table.c.dataset_id == dataset_id)
        if ids is not None:
            query = query.where(table.c.id.in_(ids))
        parts.append(conn.execute(query.order_by(table.c.id).limit(limit)).mappings().all())
    return list(heapq.merge(*parts, key=itemgetter("id")))[:limit]


def labeled_page(conn: Connection, ref: SnapshotRef, after: int, limit: int) -> list[RowMapping]:
    """Return the ids and annotations of a snapshot's next items that have labels, by id."""
    parts = []
    columns = ("id", "annotation")
    for select_rows, table in zip(current_and_history(items, ref, *columns), (items, items_history), strict=True):
        labeled = and_(table.c.id > after, table.c.labels > 0, attachments.is_item(table))
        parts.append(conn.execute(select_rows.where(labeled).order_by(table.c.id).limit(limit)).mappings().all())
    return list(heapq.merge(*parts, key=itemgetter("id")))[:limit]


class Changes(NamedTuple):
    """Items that differ between two snapshots of a project, in a range of ids.

    Args:
        items: the rows of the later one that the earlier one does not have.
        removed: the names, with their datasets, that items of the earlier one had and have no more.
        upto: the last id of the range.
        is_last: whether there are no further changes.
    """

    items: list[RowMapping]
    removed: list[RowMapping]
    upto: int
    is_last: bool


def changes_page(conn: Connection, base: SnapshotRef, ref: SnapshotRef, after: int, limit: int) -> Changes:
    """Return the next changes of items from one snapshot to a later one, by id."""
    new: list[RowMapping] = []
    for select_rows, table in zip(current_and_history(items, ref), (items, items_history), strict=True):
        query = select_rows.where(table.c.id > after, newer_than(table, base.epoch))
        new += conn.execute(query.order_by(table.c.id).limit(limit)).mappings()
    old_table = items_history
    ended = select(old_table.c.id, old_table.c.dataset_id, old_table.c.name).where(
        old_table.c.project_id == ref.project,
        old_table.c.id > after,
        old_table.c.valid_from <= base.epoch,
        old_table.c.valid_to > base.epoch,
        old_table.c.valid_to <= ref.epoch,
    )
    old = list(conn.execute(ended.order_by(old_table.c.id).limit(limit)).mappings())
    ids = sorted({row["id"] for row in (*new, *old)})[:limit]
    upto = ids[-1] if ids else after
    new = sorted((row for row in new if row["id"] <= upto), key=itemgetter("id"))
    present = {(row["dataset_id"], row["name"]) for row in new}
    removed = [row for row in old if row["id"] <= upto and (row["dataset_id"], row["name"]) not in present]
    return Changes(new, removed, upto, len(ids) < limit)


def datasets_at(conn: Connection, ref: SnapshotRef) -> list[RowMapping]:
    """Return the datasets of a snapshot, parents first."""
    rows = sorted(conn.execute(all_rows(datasets, ref)).mappings(), key=itemgetter("id"))
    children: dict[int | None, list[RowMapping]] = {}
    for row in rows:
        children.setdefault(row["parent_id"], []).append(row)
    ordered = list(children.get(None, ()))
    for row in ordered:
        ordered.extend(children.get(row["id"], ()))
    return ordered


def original_ids(dataset_rows: list[RowMapping]) -> dict[int, int]:
    """Return the original ids of datasets (`db.item_content`), by id."""
    return {row["id"]: original_id(row) for row in dataset_rows}


def dataset_paths(dataset_rows: list[RowMapping]) -> dict[int, tuple[str, ...]]:
    """Return the names from the top to each dataset, by its id; the rows must have parents first."""
    paths: dict[int | None, tuple[str, ...]] = {None: ()}
    for row in dataset_rows:
        paths[row["id"]] = (*paths[row["parent_id"]], row["name"])
    return {number: path for number, path in paths.items() if number is not None}


def meta_text(conn: Connection, ref: SnapshotRef) -> str:
    """Return the classes and tags of a snapshot, as JSON."""
    text: str | None = conn.execute(all_rows(project_meta, ref, "document")).scalar()
    return EMPTY_META if text is None else text


def meta_rows(conn: Connection, ref: SnapshotRef) -> list[RowMapping]:
    """Return the row of classes and tags of a snapshot, if there is one."""
    return list(conn.execute(all_rows(project_meta, ref)).mappings())


def meta_at(conn: Connection, ref: SnapshotRef) -> LabelDefinitions:
    """Return the classes and tags of a snapshot."""
    document: LabelDefinitions = json_codec.load(meta_text(conn, ref))
    return document


def item_counts(conn: Connection, ref: SnapshotRef) -> dict[int, int]:
    """Return the number of items of each dataset of a snapshot, by its id; empty datasets are left out."""
    counts: dict[int, int] = {}
    for query in current_and_history(items, ref, "dataset_id"):
        dataset_id = query.selected_columns.dataset_id
        query = query.where(attachments.is_item(dataset_id.table))
        for number, count in conn.execute(query.add_columns(func.count()).group_by(dataset_id)):
            counts[number] = counts.get(number, 0) + count
    return counts
