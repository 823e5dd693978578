"""What no version, project or client needs any more is removed, a bounded step at a time.

History that no remaining version sees, rows of removed projects that none sees, annotation documents that nothing
names, projects whose restoring was given up, reservations whose client is gone. A removed project and a deleted
version keep their own row, which says what they were.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

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
from autoflow.server.versions import reservations, snapshot
from autoflow.server.versions.versions import LIVE

PROJECT_BATCH = 200  # looked at in one step


class Purged(NamedTuple):
    """A step: how many rows it removed, and where the next one begins; None when all was looked at."""

    removed: int
    place: str | None


def purge(conn: Connection, limit: int, place: str | None = None) -> Purged:
    """Remove what nobody needs, in a write transaction.

    Args:
        conn: the transaction.
        limit: rows to remove or to look at, at the most: some thousands keep it under 100 ms.
        place: what the step before gave; None at the start.
    """
    names = list(_STAGES)
    stage, _, inside = (place or f"{names[0]}:").partition(":")
    removed, after = _STAGES[stage](conn, limit, inside)
    if after is not None:
        return Purged(removed, f"{stage}:{after}")
    following = names[names.index(stage) + 1 :]
    return Purged(removed, f"{following[0]}:" if following else None)


def release_expired(conn: Connection, limit: int) -> int:
    """Remove what was begun by clients that are gone: reservations and restores whose lease ran out; gives how many
    rows.
    """
    over = and_(versions.c.status == "reserved", ~clock.is_active(conn, versions.c.lease_until, reservations.LEASE))
    gone = conn.execute(select(versions.c.id, versions.c.project_id).where(over).limit(limit)).all()
    for row in gone:
        reservations.release(conn, row.project_id, row.id)
    late = and_(projects.c.state == "restoring", ~clock.is_active(conn, projects.c.lease_until, reservations.LEASE))
    conn.execute(update(projects).where(late).values(state="removed", lease_until=""))
    begun = and_(projects.c.state == "removed", projects.c.lease_until.is_not(None))
    removed = len(gone)
    for number in conn.execute(select(projects.c.id).where(begun).order_by(projects.c.id)).scalars().all():
        removed += _empty(conn, number, 0, limit - removed)
        if removed >= limit:
            break
        removed += conn.execute(delete(projects).where(projects.c.id == number)).rowcount
    return removed


def _remove(conn: Connection, table: Table, condition: ColumnElement[bool], limit: int) -> int:
    """Delete at most so many of the rows that meet a condition."""
    key = list(table.primary_key.columns)
    found = conn.execute(select(*key).where(condition).limit(max(limit, 0))).all()
    if found:
        these = and_(*(column == bindparam(f"the_{column.name}") for column in key))
        names = [f"the_{column.name}" for column in key]
        conn.execute(delete(table).where(these), [dict(zip(names, row, strict=True)) for row in found])
    return len(found)


def _empty(conn: Connection, project: int, low: int, limit: int) -> int:
    """Remove the current rows of a project that are younger than an epoch; a dataset after all that stands in it."""
    items_too = and_(items.c.project_id == project, snapshot.newer_than(items, low))
    removed = _remove(conn, items, items_too, limit)
    inner = datasets.alias("inner")
    bare = and_(
        *(datasets.c.project_id == project, snapshot.newer_than(datasets, low)),
        not_(exists(select(items.c.id).where(items.c.dataset_id == datasets.c.id))),
        not_(exists(select(inner.c.id).where(inner.c.parent_id == datasets.c.id))),
    )
    while removed < limit and (part := _remove(conn, datasets, bare, limit - removed)):
        removed += part
    meta_too = and_(project_meta.c.project_id == project, project_meta.c.valid_from > low)
    return removed + _remove(conn, project_meta, meta_too, limit - removed)


def _swept(conn: Connection, limit: int, _after: str) -> tuple[int, str | None]:
    removed = release_expired(conn, limit)
    return removed, "" if removed >= limit else None


def _projects(conn: Connection, condition: ColumnElement[bool], after: str) -> list[tuple[int, list[int]]]:
    """The next projects, each with the epochs that its versions see, its own last."""
    query = select(projects.c.id, projects.c.epoch).where(projects.c.id > int(after or 0), condition)
    found = conn.execute(query.order_by(projects.c.id).limit(PROJECT_BATCH)).all()
    seen: dict[int, list[int]] = {number: [] for number, _ in found}
    query = select(versions.c.project_id, versions.c.epoch).where(versions.c.project_id.in_(seen), LIVE)
    for number, epoch in conn.execute(query.order_by(versions.c.epoch)):
        seen[number].append(epoch)
    return [(number, [*seen[number], epoch]) for number, epoch in found]


def _each(
    conn: Connection, limit: int, after: str, condition: ColumnElement[bool], work: _Work
) -> tuple[int, str | None]:
    """Do something to the next projects, until so many rows are removed."""
    found, removed = _projects(conn, condition, after), 0
    for number, epochs in found:
        removed += work(conn, number, epochs, limit - removed)
        if removed >= limit:
            return removed, str(number - 1)
    return removed, str(found[-1][0]) if len(found) == PROJECT_BATCH else None


def _history(conn: Connection, limit: int, after: str) -> tuple[int, str | None]:
    """Rows that ended before the next version saw them: between two versions that are not neighbours."""

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
    """Rows of removed projects that came after their last version."""

    def work(conn: Connection, project: int, epochs: list[int], limit: int) -> int:
        return _empty(conn, project, max(epochs[:-1], default=0), limit)

    return _each(conn, limit, after, and_(projects.c.state == "removed", projects.c.lease_until.is_(None)), work)


def _documents(conn: Connection, limit: int, after: str) -> tuple[int, str | None]:
    """Annotation documents that no item has or had."""
    beyond = documents.c.id > int(after or 0)
    ahead = select(documents.c.id).where(beyond).order_by(documents.c.id)
    last: int | None = conn.execute(ahead.offset(limit - 1).limit(1)).scalar()
    unnamed = [beyond, *([documents.c.id <= last] if last is not None else [])]
    for table in (items, items_history):
        unnamed.append(not_(exists(select(table.c.document_id).where(table.c.document_id == documents.c.id))))
    return _remove(conn, documents, and_(*unnamed), limit), None if last is None else str(last)


_Work = Callable[[Connection, int, list[int], int], int]
_HISTORIES = (items_history, datasets_history, project_meta_history)
_STAGES: Mapping[str, Callable[[Connection, int, str], tuple[int, str | None]]] = {
    "begun": _swept,
    "history": _history,
    "removed": _removed,
    "documents": _documents,
}
