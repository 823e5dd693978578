"""Copies a snapshot's rows into a new project, a batch at a time: the steps of `restore`.

Annotation documents are shared, classes keep their ids, and tags on items get new ids. Timestamps and authors are kept.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Insert,
    ScalarSelect,
    Table,
    and_,
    bindparam,
    func,
    insert,
    not_,
    or_,
    select,
    union_all,
)
from sqlalchemy import literal as constant

from autoflow.server.db import tombstones
from autoflow.server.db.blobs import DAMAGED
from autoflow.server.db.item_content import original_id
from autoflow.server.db.schema import blobs, datasets, datasets_history, items, items_history, project_meta
from autoflow.server.versions import renumbering, snapshot
from autoflow.server.versions.snapshot import SnapshotRef

FIRST_EPOCH = 1
_END = 2**53
_COPIED = ("description", "custom_data", "created_by", "created_at", "updated_at")
_NEW = {"id", "project_id", "dataset_id", "tags", "valid_from"}  # columns in which a copied item differs


class Window(NamedTuple):
    """The items of a snapshot in a range of ids.

    Args:
        after, upto: the bounds, the first one excluded; `upto` is None for the last items.
        tags: the lowest and the highest id of their tags, None if they have none.
    """

    after: int
    upto: int | None
    tags: tuple[int, int] | None = None

    def has(self, number: ColumnElement[int]) -> ColumnElement[bool]:
        """Return the condition that an item's id is in the range."""
        return and_(number > self.after, number <= (self.upto or _END))


def next_window(conn: Connection, ref: SnapshotRef, after: int, limit: int) -> Window:
    """Return the range of the next items: about `limit`, fewer if the project has other items between them."""
    ends = []
    for table in (items, items_history):  # ids are read from an index; rows are read when they are copied
        query = select(table.c.id).where(table.c.project_id == ref.project, table.c.id > after)
        ends.append(conn.execute(query.order_by(table.c.id).offset(limit - 1).limit(1)).scalar())
    return Window(after, min((end for end in ends if end is not None), default=None))


def with_tag_ids(conn: Connection, ref: SnapshotRef, window: Window) -> Window:
    """Return the window with the ids of the tags in it."""
    texts = []
    for rows, table in zip(snapshot.current_and_history(items, ref, "tags"), (items, items_history), strict=True):
        query = rows.where(window.has(table.c.id), table.c.tags != "[]", tombstones.has_content(table))
        texts.append(conn.execute(query.with_only_columns(func.aggregate_strings(table.c.tags, " "))).scalar() or "")
    return window._replace(tags=renumbering.tag_id_range(texts))


def content_is_missing(table: Table) -> ColumnElement[bool]:
    """Return the condition that an item's content should be stored here, and is missing or damaged."""
    damaged = select(blobs.c.id).where(blobs.c.state == bindparam(None, DAMAGED, literal_execute=True))  # for its index
    unknown = and_(table.c.blob_id.is_(None), table.c.hash.is_not(None))
    return and_(table.c.link.is_(None), or_(unknown, and_(table.c.blob_id.is_not(None), table.c.blob_id.in_(damaged))))


def items_without_content(conn: Connection, ref: SnapshotRef, after: int, limit: int) -> list[Any]:
    """Return the next items of a snapshot whose content is missing, by id."""
    item_rows: list[Any] = []
    for rows, table in zip(snapshot.current_and_history(items, ref), (items, items_history), strict=True):
        query = rows.where(table.c.id > after, content_is_missing(table))
        item_rows += conn.execute(query.order_by(table.c.id).limit(limit)).mappings()
    return sorted(item_rows, key=lambda row: row["id"])[:limit]


def erased_items(conn: Connection, ref: SnapshotRef) -> list[Any]:
    """Return the tombstones of a snapshot."""
    _, history_rows = snapshot.current_and_history(items, ref)
    return list(conn.execute(history_rows.where(not_(tombstones.has_content(items_history)))).mappings())


def copy_datasets(conn: Connection, project: int, part: Sequence[Any], known: dict[int, int]) -> None:
    """Copy datasets, parents first.

    Args:
        conn: a write transaction.
        project: the target project's id.
        part: the datasets' rows.
        known: the original ids of all datasets of the snapshot (`db.item_content`), by id.
    """
    query = select(datasets.c.original_id, datasets.c.id).where(datasets.c.project_id == project)
    copies: dict[int, int] = {row[0]: row[1] for row in conn.execute(query)}
    statement = insert(datasets).returning(datasets.c.id, sort_by_parameter_order=True)
    new: list[dict[str, Any]] = []

    def insert_new() -> None:
        ids = conn.execute(statement, new).scalars().all() if new else ()
        copies.update(zip((values["original_id"] for values in new), ids, strict=True))
        new.clear()

    for row in part:
        parent = row["parent_id"]
        if parent is not None and known[parent] not in copies:
            insert_new()
        new.append(
            {
                "project_id": project,
                "parent_id": None if parent is None else copies[known[parent]],
                "original_id": original_id(row),
                "name": row["name"],
                "valid_from": FIRST_EPOCH,
                **{name: row[name] for name in _COPIED},
            }
        )
    insert_new()


def copy_meta(conn: Connection, project: int, ref: SnapshotRef) -> None:
    """Copy the classes and tags."""
    for row in snapshot.meta_rows(conn, ref):
        conn.execute(insert(project_meta).values(project_id=project, document=row["document"], valid_from=FIRST_EPOCH))


def _copy_of(project: int, source: int, dataset: ColumnElement[int]) -> ScalarSelect[int]:
    """Return SQL for the id of a dataset's copy in the new project."""
    originals = [
        select(func.coalesce(table.c.original_id, table.c.id))
        .where(table.c.project_id == source, table.c.id == dataset)
        .limit(1)
        .correlate_except(table)
        .scalar_subquery()
        for table in (datasets, datasets_history)
    ]
    new = datasets.alias("new")
    copy = select(new.c.id).where(new.c.project_id == project, new.c.original_id == func.coalesce(*originals))
    return copy.scalar_subquery()


def copy_items(conn: Connection, project: int, ref: SnapshotRef, window: Window, *, skip: bool) -> int:
    """Copy the items of a window, without erased ones, in order; return how many.

    Args:
        conn: a write transaction.
        project: the target project's id; its datasets have been copied.
        ref: the snapshot.
        window: the items.
        skip: whether to leave out items whose content is missing.
    """
    shift = renumbering.reserve_shift(conn, window.tags)
    statement = _copy_statement(project, ref, conn.dialect.name if shift else None, skip=skip)
    values = {"after": window.after, "upto": window.upto or _END, **({"shift": shift} if shift else {})}
    return conn.execute(statement, values).rowcount


@functools.lru_cache(maxsize=8)  # compiling it takes as long as copying hundreds of rows, and there are many windows
def _copy_statement(project: int, ref: SnapshotRef, shift_in: str | None, *, skip: bool) -> Insert:
    """Return the statement that copies the items from `after` (excluded) to `upto`.

    Args:
        project, ref, skip: see `copy_items`.
        shift_in: the database that adds `shift` to the ids of tags, None to leave them.
    """
    after, upto = bindparam("after", type_=BigInteger), bindparam("upto", type_=BigInteger)
    queries = [
        rows.where(
            *(table.c.id > after, table.c.id <= upto, tombstones.has_content(table)),
            *([not_(content_is_missing(table))] if skip else []),
        )
        for rows, table in zip(snapshot.current_and_history(items, ref), (items, items_history), strict=True)
    ]
    rows = union_all(*queries).subquery("source")
    tags: ColumnElement[Any] = rows.c.tags
    if shift_in is not None:
        tags = renumbering.shift_tag_ids(tags, bindparam("shift", type_=BigInteger), shift_in)
    same = [column.name for column in items.c if column.name not in _NEW]
    dataset_id = _copy_of(project, ref.project, rows.c.dataset_id)
    values = select(constant(project), dataset_id, tags, constant(FIRST_EPOCH), *(rows.c[name] for name in same))
    names = ["project_id", "dataset_id", "tags", "valid_from", *same]
    statement = insert(items).from_select(names, values.order_by(rows.c.id))
    return statement.execution_options(preserve_rowcount=True)
