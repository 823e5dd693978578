"""Lines that tell versions apart: how many items each added, removed and changed since the version before it.

A version never changes, so that the counts are cached.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from autoflow.process.lru_cache import LruCache
from autoflow.server.db.access import visible
from autoflow.server.db.schema import items, items_history, versions
from autoflow.server.paging import chunks
from autoflow.server.versions.diff import EpochRange, find_changes

CACHED_VERSIONS = 20_000
MAX_COUNTED = 100  # versions that one call counts anew
MAX_COMPARED = 5_000  # rows up to which items are compared; above, each row written counts as an item


class _Saved(NamedTuple):
    """A version, and the epoch of the one before it; its digest tells it from another store's."""

    id: int
    digest: str
    span: EpochRange


def summarize_versions(conn: Connection, version_ids: Sequence[int]) -> dict[int, str]:
    """Return the lines by version id, as ``+46 -12 ±20``; the first version of a project has none."""
    lines: dict[int, str] = {}
    counted = 0
    for saved in _saved(conn, version_ids):
        line = _cache.get(saved)
        if line is None and counted < MAX_COUNTED:
            counted += 1
            line = _line(conn, saved.span)
            _cache.put(saved, line)
        if line:
            lines[saved.id] = line
    return lines


def _saved(conn: Connection, version_ids: Sequence[int]) -> list[_Saved]:
    shown = set(version_ids)
    saved = []
    for chunk in chunks(list(version_ids)):
        of_projects: Select[Any] = select(versions.c.project_id).where(versions.c.id.in_(chunk))
        query = select(versions.c.id, versions.c.project_id, versions.c.epoch, versions.c.digest)
        query = query.where(versions.c.project_id.in_(of_projects), visible(conn, versions))
        query = query.where(versions.c.status == "committed").order_by(versions.c.project_id, versions.c.number)
        before = None
        for row in conn.execute(query):
            if before is not None and before.project_id == row.project_id and row.id in shown:
                saved.append(_Saved(row.id, row.digest, EpochRange(row.project_id, before.epoch, row.epoch)))
            before = row
    return list(dict.fromkeys(saved))


def _line(conn: Connection, span: EpochRange) -> str:
    """Count the changes of a version."""
    ended = set(conn.execute(select(items_history.c.id).where(span.ended(items_history))).scalars())
    begun: set[int] = set()
    for table in (items, items_history):
        begun.update(conn.execute(select(table.c.id).where(span.begun(table))).scalars())
    added, removed, changed = len(begun - ended), len(ended - begun), len(ended & begun)
    if 0 < len(ended | begun) <= MAX_COMPARED:
        statuses = [change.status for change in find_changes(conn, span)]
        added, removed, changed = (statuses.count(status) for status in ("added", "removed", "changed"))
    counts = (("+", added), ("-", removed), ("±", changed))
    return " ".join(f"{sign}{count:,}" for sign, count in counts if count) or "no items changed"


_cache: LruCache[_Saved, str] = LruCache(CACHED_VERSIONS)
