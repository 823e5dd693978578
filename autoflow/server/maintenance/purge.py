"""Deletion of rows that no version, project or client needs, in bounded steps.

That is: history that no remaining version sees, rows of removed projects that none sees, annotation documents that no
item has, abandoned restores, and expired reservations. The rows of removed projects and deleted versions themselves are
kept, so that references to them stay resolvable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import ColumnElement, Connection, Table, and_, bindparam, delete, exists, not_, select, update

from autoflow.server.db import clock
from autoflow.server.db.schema import (
    datasets,
    datasets_history,
    documents,
    items,
    items_history,
    project_meta,
    project_meta_history,
    projects,
    versions,
)
from autoflow.server.maintenance.unused_blobs import Step
from autoflow.server.versions import reservations, snapshot
from autoflow.server.versions.versions import LIVE

PROJECT_BATCH = 200  # projects that a step examines


def purge(conn: Connection, limit: int, cursor: str | None = None) -> Step:
    """Delete unneeded rows, in a write transaction.

    Args:
        conn: the transaction.
        limit: the most rows to delete or examine: some thousands take less than 100 ms.
        cursor: that of the previous step, None at the start.
    """
    names = list(_STAGES)
    stage, _, position = (cursor or f"{names[0]}:").partition(":")
    removed, after = _STAGES[stage](conn, limit, position)
    if after is not None:
        return Step(removed, f"{stage}:{after}")
    following = names[names.index(stage) + 1 :]
    return Step(removed, f"{following[0]}:" if following else None)


def release_expired(conn: Connection, limit: int) -> int:
    """Delete reservations and unfinished projects whose lease has expired; return how many rows."""
    expired = and_(versions.c.status == "reserved", ~clock.is_active(conn, versions.c.lease_until, reservations.LEASE))
    reserved = conn.execute(select(versions.c.id, versions.c.project_id).where(expired).limit(limit)).all()
    for row in reserved:
        reservations.release(conn, row.project_id, row.id)
    unfinished = and_(
        projects.c.state == "restoring", ~clock.is_active(conn, projects.c.lease_until, reservations.LEASE)
    )
    conn.execute(update(projects).where(unfinished).values(state="removed", lease_until=""))
    abandoned = and_(projects.c.state == "removed", projects.c.lease_until.is_not(None))
    removed = len(reserved)
    for number in conn.execute(select(projects.c.id).where(abandoned).order_by(projects.c.id)).scalars().all():
        removed += _empty(conn, number, 0, limit - removed)
        if removed >= limit:
            break
        removed += conn.execute(delete(projects).where(projects.c.id == number)).rowcount
    return removed


def _remove(conn: Connection, table: Table, condition: ColumnElement[bool], limit: int) -> int:
    """Delete up to `limit` of the rows that meet a condition; return how many."""
    key = list(table.primary_key.columns)
    keys = conn.execute(select(*key).where(condition).limit(max(limit, 0))).all()
    if keys:
        names = [f"key_{column.name}" for column in key]
        same_key = and_(*(column == bindparam(name) for column, name in zip(key, names, strict=True)))
        conn.execute(delete(table).where(same_key), [dict(zip(names, row, strict=True)) for row in keys])
    return len(keys)


def _empty(conn: Connection, project: int, low: int, limit: int) -> int:
    """Delete the current rows of a project that are newer than an epoch; datasets after their content."""
    newer_items = and_(items.c.project_id == project, snapshot.newer_than(items, low))
    removed = _remove(conn, items, newer_items, limit)
    inner = datasets.alias("inner")
    empty = and_(
        *(datasets.c.project_id == project, snapshot.newer_than(datasets, low)),
        not_(exists(select(items.c.id).where(items.c.dataset_id == datasets.c.id))),
        not_(exists(select(inner.c.id).where(inner.c.parent_id == datasets.c.id))),
    )
    while removed < limit and (part := _remove(conn, datasets, empty, limit - removed)):
        removed += part
    newer_meta = and_(project_meta.c.project_id == project, project_meta.c.valid_from > low)
    return removed + _remove(conn, project_meta, newer_meta, limit - removed)


def _expired(conn: Connection, limit: int, _after: str) -> tuple[int, str | None]:
    removed = release_expired(conn, limit)
    return removed, "" if removed >= limit else None


def _projects(conn: Connection, condition: ColumnElement[bool], after: str) -> list[tuple[int, list[int]]]:
    """Return the next projects, each with the epochs of its versions in order and its current epoch."""
    query = select(projects.c.id, projects.c.epoch).where(projects.c.id > int(after or 0), condition)
    page = conn.execute(query.order_by(projects.c.id).limit(PROJECT_BATCH)).all()
    epochs: dict[int, list[int]] = {number: [] for number, _ in page}
    query = select(versions.c.project_id, versions.c.epoch).where(versions.c.project_id.in_(epochs), LIVE)
    for number, epoch in conn.execute(query.order_by(versions.c.epoch)):
        epochs[number].append(epoch)
    return [(number, [*epochs[number], epoch]) for number, epoch in page]


def _each(
    conn: Connection, limit: int, after: str, condition: ColumnElement[bool], work: _Work
) -> tuple[int, str | None]:
    """Call `work` for the next projects, until `limit` rows are deleted."""
    page, removed = _projects(conn, condition, after), 0
    for number, epochs in page:
        removed += work(conn, number, epochs, limit - removed)
        if removed >= limit:
            return removed, str(number - 1)
    return removed, str(page[-1][0]) if len(page) == PROJECT_BATCH else None


def _history(conn: Connection, limit: int, after: str) -> tuple[int, str | None]:
    """Delete history that began and ended between two versions, so that none sees it."""

    def work(conn: Connection, project: int, epochs: list[int], limit: int) -> int:
        removed = 0
        for low, high in zip([0, *epochs], epochs, strict=False):
            if high - low < 2:
                continue
            for table in _HISTORIES:
                unseen = and_(table.c.project_id == project, snapshot.newer_than(table, low), table.c.valid_to <= high)
                removed += _remove(conn, table, unseen, limit - removed)
        return removed

    return _each(conn, limit, after, projects.c.epoch > 1, work)


def _removed(conn: Connection, limit: int, after: str) -> tuple[int, str | None]:
    """Delete rows of removed projects that are newer than their last version."""

    def work(conn: Connection, project: int, epochs: list[int], limit: int) -> int:
        return _empty(conn, project, max(epochs[:-1], default=0), limit)

    return _each(conn, limit, after, and_(projects.c.state == "removed", projects.c.lease_until.is_(None)), work)


def _documents(conn: Connection, limit: int, after: str) -> tuple[int, str | None]:
    """Delete annotation documents that no item has, nor its history."""
    following = documents.c.id > int(after or 0)
    page = select(documents.c.id).where(following).order_by(documents.c.id)
    last: int | None = conn.execute(page.offset(limit - 1).limit(1)).scalar()
    unused = [following, *([documents.c.id <= last] if last is not None else [])]
    for table in (items, items_history):
        unused.append(not_(exists(select(table.c.document_id).where(table.c.document_id == documents.c.id))))
    return _remove(conn, documents, and_(*unused), limit), None if last is None else str(last)


_Work = Callable[[Connection, int, list[int], int], int]
_HISTORIES = (items_history, datasets_history, project_meta_history)
_STAGES: Mapping[str, Callable[[Connection, int, str], tuple[int, str | None]]] = {
    "expired": _expired,
    "history": _history,
    "removed": _removed,
    "documents": _documents,
}
