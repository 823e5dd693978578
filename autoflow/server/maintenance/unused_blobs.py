"""The database side of garbage collection: unreferenced blobs are condemned, and deleted if still unreferenced later.

A blob is referenced by an item, by an item in the history, by a team file, or by a lease. Each step is one short write
transaction over a bounded number of rows. A step excludes all other writes, so what it reads still holds when it
commits. A file is deleted only after its row, by the row's own generation, which no later upload of the same bytes
has.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Exists, Text, cast, delete, func, or_, select, update

from autoflow.server.db import clock
from autoflow.server.db.blobs import CONDEMNED, LEASE, LIVE
from autoflow.server.db.model_tables import model_versions
from autoflow.server.db.schema import blob_leases, blobs, edges, files, items, items_history, upload_leases, versions
from autoflow.server.paging import chunks


class Step(NamedTuple):
    """The result of a step.

    Args:
        removed: how many rows it deleted or condemned.
        cursor: the position of the next step, None at the end.
    """

    removed: int
    cursor: str | int | None


class UnusedBlob(NamedTuple):
    """A deleted blob whose file is to be removed."""

    hash: str
    generation: str
    size: int


def _leased(conn: Connection, blob_hash: ColumnElement[str]) -> Exists:
    query = select(blob_leases.c.hash).where(
        blob_leases.c.hash == blob_hash, clock.is_active(conn, blob_leases.c.lease_until, LEASE)
    )
    return query.correlate(blobs, files).exists()


def is_referenced(conn: Connection) -> ColumnElement[bool]:
    """Return the condition that a row of `blobs` is referenced or leased."""
    by_items = (select(column).where(column == blobs.c.id) for column in (items.c.blob_id, items_history.c.blob_id))
    by_file = select(files.c.hash).where(files.c.hash == blobs.c.hash)
    referenced = (query.correlate(blobs).exists() for query in (*by_items, by_file))
    return or_(*referenced, _leased(conn, blobs.c.hash))


def delete_files(conn: Connection, after: int, limit: int) -> Step:
    """Delete the rows of team files that were replaced or removed, and that nothing refers to."""
    replaced = select(files.c.id).where(~files.c.current, files.c.id > after).order_by(files.c.id).limit(limit)
    page = list(conn.execute(replaced).scalars())
    on_graph = (
        select(edges.c.id).where(edges.c.entity_key == "file:" + cast(files.c.id, Text)).correlate(files).exists()
    )
    is_model = (
        select(model_versions.c.id)
        .where(model_versions.c.entity_key == "file:" + cast(files.c.id, Text))
        .correlate(files)
        .exists()
    )
    is_archive = select(versions.c.id).where(versions.c.team_file_id == files.c.id).correlate(files).exists()
    deleted = 0
    for part in chunks(page):
        query = delete(files).where(
            files.c.id.in_(part), ~on_graph, ~is_model, ~is_archive, ~_leased(conn, files.c.hash)
        )
        deleted += conn.execute(query).rowcount
    return Step(deleted, page[-1] if len(page) == limit else None)


def condemn(conn: Connection, after: str, limit: int) -> Step:
    """Condemn unreferenced live blobs among the next ones, by hash."""
    page = _page(conn, after, limit)
    condemned = 0
    for part in chunks(page):
        query = update(blobs).where(blobs.c.hash.in_(part), blobs.c.state == LIVE, ~is_referenced(conn))
        condemned += conn.execute(query.values(state=CONDEMNED)).rowcount
    return Step(condemned, page[-1] if len(page) == limit else None)


def delete_condemned(conn: Connection, after: str, limit: int) -> tuple[list[UnusedBlob], Step]:
    """Delete the rows of condemned and damaged blobs that are still unreferenced; return these blobs.

    A condemned blob that is referenced again becomes live.
    """
    page = _page(conn, after, limit)
    deleted: list[UnusedBlob] = []
    for part in chunks(page):
        not_live = blobs.c.hash.in_(part) & (blobs.c.state != LIVE)
        query = select(blobs.c.hash, blobs.c.generation, blobs.c.size).where(not_live, ~is_referenced(conn))
        unused = [UnusedBlob(*row) for row in conn.execute(query)]
        hashes = [blob.hash for blob in unused]
        conn.execute(delete(blob_leases).where(blob_leases.c.hash.in_(hashes)))
        conn.execute(delete(blobs).where(blobs.c.hash.in_(hashes)))
        conn.execute(update(blobs).where(not_live, blobs.c.state == CONDEMNED).values(state=LIVE))
        deleted += unused
    return deleted, Step(len(deleted), page[-1] if len(page) == limit else None)


def _page(conn: Connection, after: str, limit: int) -> list[str]:
    query = select(blobs.c.hash).where(blobs.c.hash > after).order_by(blobs.c.hash).limit(limit)
    return list(conn.execute(query).scalars())


def count_condemned(conn: Connection) -> tuple[int, int]:
    """Return the number of condemned blobs and of all blobs."""
    query = select(func.count(), func.count().filter(blobs.c.state == CONDEMNED)).select_from(blobs)
    count, condemned = conn.execute(query).one()
    return condemned, count


def delete_expired_leases(conn: Connection) -> int:
    """Delete expired leases on blobs; return how many."""
    return conn.execute(delete(blob_leases).where(~clock.is_active(conn, blob_leases.c.lease_until, LEASE))).rowcount


def active_leases(conn: Connection, keys: Collection[str]) -> set[str]:
    """Return those upload leases, by their keys, that exist."""
    active: set[str] = set()
    for part in chunks(sorted(keys)):
        active.update(conn.execute(select(upload_leases.c.key).where(upload_leases.c.key.in_(part))).scalars())
    return active


def generations(conn: Connection, hashes: Sequence[str]) -> dict[str, str]:
    """Return the generations of the blobs with these hashes, by hash."""
    by_hash: dict[str, str] = {}
    for part in chunks(hashes):
        for row in conn.execute(select(blobs.c.hash, blobs.c.generation).where(blobs.c.hash.in_(part))):
            by_hash[row.hash] = row.generation
    return by_hash
