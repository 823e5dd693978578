"""What the collector does in the database: whatever nothing names is condemned, and later, if that is still so, gone.

A blob is named by an item, by an item that a version sees, by a team file, or by the lease of whoever brought its
bytes or was told that they are there. Each step is one short write transaction over a bounded number of rows. Writes
follow one another on either database, so what a step sees is so when it commits; a file is removed only after the
row that named it is gone, by the row's own generation, which no later upload of the same bytes has.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Exists, Text, cast, delete, func, or_, select, update

from autoflow.server.db import clock
from autoflow.server.db.blobs import CONDEMNED, LEASE, LIVE
from autoflow.server.db.schema import blob_leases, blobs, edges, files, items, items_history, upload_leases, versions
from autoflow.server.paging import chunks


class Step(NamedTuple):
    """A step: how many rows it removed or condemned, and where the next one begins; None when all was looked at."""

    removed: int
    place: str | int | None


class UnusedBlob(NamedTuple):
    """A file whose row is gone."""

    hash: str
    generation: str
    size: int


def _leased(conn: Connection, content: ColumnElement[str]) -> Exists:
    query = select(blob_leases.c.hash).where(
        blob_leases.c.hash == content, clock.is_active(conn, blob_leases.c.lease_until, LEASE)
    )
    return query.correlate(blobs, files).exists()


def is_referenced(conn: Connection) -> ColumnElement[bool]:
    """The condition that something names a row of `blobs`."""
    naming = (select(column).where(column == blobs.c.id) for column in (items.c.blob_id, items_history.c.blob_id))
    kept = select(files.c.hash).where(files.c.hash == blobs.c.hash)
    named = (query.correlate(blobs).exists() for query in (*naming, kept))
    return or_(*named, _leased(conn, blobs.c.hash))


def delete_files(conn: Connection, after: int, limit: int) -> Step:
    """Forget team files that were replaced or removed, but those that an edge or a version names, or whose uploader
    may be about to.
    """
    old = select(files.c.id).where(~files.c.current, files.c.id > after).order_by(files.c.id).limit(limit)
    page = list(conn.execute(old).scalars())
    drawn = select(edges.c.id).where(edges.c.card == "file:" + cast(files.c.id, Text)).correlate(files).exists()
    archived = select(versions.c.id).where(versions.c.team_file_id == files.c.id).correlate(files).exists()
    dropped = 0
    for part in chunks(page):
        query = delete(files).where(files.c.id.in_(part), ~drawn, ~archived, ~_leased(conn, files.c.hash))
        dropped += conn.execute(query).rowcount
    return Step(dropped, page[-1] if len(page) == limit else None)


def condemn(conn: Connection, after: str, limit: int) -> Step:
    """Condemn live blobs that nothing names, among the next ones by their hashes."""
    page = _page(conn, after, limit)
    condemned = 0
    for part in chunks(page):
        query = update(blobs).where(blobs.c.hash.in_(part), blobs.c.state == LIVE, ~is_referenced(conn))
        condemned += conn.execute(query.values(state=CONDEMNED)).rowcount
    return Step(condemned, page[-1] if len(page) == limit else None)


def delete_condemned(conn: Connection, after: str, limit: int) -> tuple[list[UnusedBlob], Step]:
    """Remove the rows of blobs that were condemned or are damaged, and that still nothing names; gives their files.

    A condemned one that is named after all is live again.
    """
    page = _page(conn, after, limit)
    gone: list[UnusedBlob] = []
    for part in chunks(page):
        lost = blobs.c.hash.in_(part) & (blobs.c.state != LIVE)
        query = select(blobs.c.hash, blobs.c.generation, blobs.c.size).where(lost, ~is_referenced(conn))
        found = [UnusedBlob(*row) for row in conn.execute(query)]
        hashes = [one.hash for one in found]
        conn.execute(delete(blob_leases).where(blob_leases.c.hash.in_(hashes)))
        conn.execute(delete(blobs).where(blobs.c.hash.in_(hashes)))
        conn.execute(update(blobs).where(lost, blobs.c.state == CONDEMNED).values(state=LIVE))
        gone += found
    return gone, Step(len(gone), page[-1] if len(page) == limit else None)


def _page(conn: Connection, after: str, limit: int) -> list[str]:
    query = select(blobs.c.hash).where(blobs.c.hash > after).order_by(blobs.c.hash).limit(limit)
    return list(conn.execute(query).scalars())


def count_condemned(conn: Connection) -> tuple[int, int]:
    """Return how many blobs are condemned, and how many there are."""
    query = select(func.count(), func.count().filter(blobs.c.state == CONDEMNED)).select_from(blobs)
    count, condemned = conn.execute(query).one()
    return condemned, count


def delete_expired_leases(conn: Connection) -> int:
    """Forget the leases on uploads that are over."""
    return conn.execute(delete(blob_leases).where(~clock.is_active(conn, blob_leases.c.lease_until, LEASE))).rowcount


def active_leases(conn: Connection, keys: Collection[str]) -> set[str]:
    """Those sessions that are not over."""
    found: set[str] = set()
    for part in chunks(sorted(keys)):
        found.update(conn.execute(select(upload_leases.c.key).where(upload_leases.c.key.in_(part))).scalars())
    return found


def generations(conn: Connection, hashes: Sequence[str]) -> dict[str, str]:
    """The generations that rows name for these hashes."""
    found: dict[str, str] = {}
    for part in chunks(hashes):
        for row in conn.execute(select(blobs.c.hash, blobs.c.generation).where(blobs.c.hash.in_(part))):
            found[row.hash] = row.generation
    return found
