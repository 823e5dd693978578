"""The rows of a moment, copied into a new project a batch at a time: what `restoring` does in each of its steps.

Annotation documents are shared, classes keep their numbers, and the numbers of tags on items are new. Times stay, and
so does who made a row.
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
)
from sqlalchemy import literal as constant

from autoflow.server.db.blobs import DAMAGED
from autoflow.server.db.item_content import original_id
from autoflow.server.db.schema import blobs, datasets, datasets_history, items, items_history, project_meta
from autoflow.server.versions import renumbering, snapshot
from autoflow.server.versions.snapshot import SnapshotRef

FIRST_EPOCH = 1
_END = 2**53
_KEPT = ("description", "custom_data", "created_by", "created_at", "updated_at")
_OWN = {"id", "project_id", "dataset_id", "tags", "valid_from"}  # what a copied item has of its own


class Window(NamedTuple):
    """Some items of a moment: those whose ids are above one number and up to another.

    Args:
        after, upto: the bounds; `upto` is None when these are the last.
        tags: the lowest and the highest number of a tag on them, None when they have none.
    """

    after: int
    upto: int | None
    tags: tuple[int, int] | None = None

    def has(self, number: ColumnElement[int]) -> ColumnElement[bool]:
        """The condition that an item's id is within."""
        return and_(number > self.after, number <= (self.upto or _END))


def next_window(conn: Connection, moment: SnapshotRef, after: int, limit: int) -> Window:
    """The next items of a moment: about `limit`, fewer where the project has items of other moments between them."""
    ends = []
    for table in (items, items_history):  # an index tells the ids; the rows are looked at when they are copied
        query = select(table.c.id).where(table.c.project_id == moment.project, table.c.id > after)
        ends.append(conn.execute(query.order_by(table.c.id).offset(limit - 1).limit(1)).scalar())
    return Window(after, min((end for end in ends if end is not None), default=None))


def with_tag_ids(conn: Connection, moment: SnapshotRef, these: Window) -> Window:
    """The window, with the numbers of the tags in it."""
    texts = []
    for half, table in zip(snapshot.current_and_history(items, moment, "tags"), (items, items_history), strict=True):
        query = half.where(these.has(table.c.id), table.c.tags != "[]")
        texts.append(conn.execute(query.with_only_columns(func.aggregate_strings(table.c.tags, " "))).scalar() or "")
    return these._replace(tags=renumbering.tag_id_range(texts))


def content_is_missing(table: Table) -> ColumnElement[bool]:
    """The condition that an item's content should be kept here, and is not, or is known to be broken."""
    broken = select(blobs.c.id).where(blobs.c.state == bindparam(None, DAMAGED, literal_execute=True))  # for its index
    nowhere = and_(table.c.blob_id.is_(None), table.c.hash.is_not(None))
    return and_(table.c.link.is_(None), or_(nowhere, and_(table.c.blob_id.is_not(None), table.c.blob_id.in_(broken))))


def items_without_content(conn: Connection, moment: SnapshotRef, after: int, limit: int) -> list[Any]:
    """The next items of a moment whose content is missing, by their ids."""
    found: list[Any] = []
    for half, table in zip(snapshot.current_and_history(items, moment), (items, items_history), strict=True):
        query = half.where(table.c.id > after, content_is_missing(table))
        found += conn.execute(query.order_by(table.c.id).limit(limit)).mappings()
    return sorted(found, key=lambda row: row["id"])[:limit]


def copy_datasets(conn: Connection, project: int, part: Sequence[Any], known: dict[int, int]) -> None:
    """Copy datasets, each after the one it stands in.

    Args:
        conn: a write transaction.
        project: where to.
        part: their rows at the moment.
        known: what all datasets of the moment are told by (`store.content`), by their ids.
    """
    query = select(datasets.c.original_id, datasets.c.id).where(datasets.c.project_id == project)
    made: dict[int, int] = {row[0]: row[1] for row in conn.execute(query)}
    statement = insert(datasets).returning(datasets.c.id, sort_by_parameter_order=True)
    new: list[dict[str, Any]] = []

    def put() -> None:
        numbers = conn.execute(statement, new).scalars().all() if new else ()
        made.update(zip((one["original_id"] for one in new), numbers, strict=True))
        new.clear()

    for row in part:
        parent = row["parent_id"]
        if parent is not None and known[parent] not in made:
            put()
        new.append(
            {
                "project_id": project,
                "parent_id": None if parent is None else made[known[parent]],
                "original_id": original_id(row),
                "name": row["name"],
                "valid_from": FIRST_EPOCH,
                **{name: row[name] for name in _KEPT},
            }
        )
    put()


def copy_meta(conn: Connection, project: int, moment: SnapshotRef) -> None:
    """Copy the classes and tags."""
    for row in snapshot.meta_rows(conn, moment):
        conn.execute(insert(project_meta).values(project_id=project, document=row["document"], valid_from=FIRST_EPOCH))


def _place(project: int, source: int, dataset: ColumnElement[int]) -> ScalarSelect[int]:
    """Which dataset of the new project one of the source's has become."""
    told = [
        select(func.coalesce(table.c.original_id, table.c.id))
        .where(table.c.project_id == source, table.c.id == dataset)
        .limit(1)
        .correlate_except(table)
        .scalar_subquery()
        for table in (datasets, datasets_history)
    ]
    new = datasets.alias("new")
    made = select(new.c.id).where(new.c.project_id == project, new.c.original_id == func.coalesce(*told))
    return made.scalar_subquery()


def copy_items(conn: Connection, project: int, moment: SnapshotRef, these: Window, *, skip: bool) -> int:
    """Copy the items of a window, in order; gives how many.

    Args:
        conn: a write transaction.
        project: where to; its datasets are there.
        moment: where from.
        these: which.
        skip: whether those whose content is missing are left out.
    """
    by = renumbering.reserve_shift(conn, these.tags)
    statement = _copying(project, moment, conn.dialect.name if by else None, skip=skip)
    values = {"after": these.after, "upto": these.upto or _END, **({"by": by} if by else {})}
    return conn.execute(statement, values).rowcount


@functools.lru_cache(maxsize=8)  # building it takes as long as copying hundreds of rows, and there are many windows
def _copying(project: int, moment: SnapshotRef, moving: str | None, *, skip: bool) -> Insert:
    """The statement that copies the items above `after` and up to `upto`.

    Args:
        project, moment, skip: see `copy_items`.
        moving: the database in whose words the numbers of tags are moved, by `by`; None leaves them as they are.
    """
    after, upto = bindparam("after", type_=BigInteger), bindparam("upto", type_=BigInteger)
    halves = [
        half.where(table.c.id > after, table.c.id <= upto, *([not_(content_is_missing(table))] if skip else []))
        for half, table in zip(snapshot.current_and_history(items, moment), (items, items_history), strict=True)
    ]
    was = snapshot.union_of(*halves).subquery("was")
    tags = (
        was.c.tags
        if moving is None
        else renumbering.shift_tag_ids(was.c.tags, bindparam("by", type_=BigInteger), moving)
    )
    same = [column.name for column in items.c if column.name not in _OWN]
    place = _place(project, moment.project, was.c.dataset_id)
    source = select(constant(project), place, tags, constant(FIRST_EPOCH), *(was.c[name] for name in same))
    statement = insert(items).from_select(
        ["project_id", "dataset_id", "tags", "valid_from", *same], source.order_by(was.c.id)
    )
    return statement.execution_options(preserve_rowcount=True)
