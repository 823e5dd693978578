"""Rows of blobs, one a hash, and leases on them.

A blob is live, condemned (unreferenced when the garbage collector last ran) or damaged (its file was found broken). A
transaction that adds a row naming a hash calls `register` for an uploaded file, `acquire` for a blob that exists. Write
transactions are serialized, so a blob found here still exists at commit, and the collector, which checks again before
it deletes anything, sees the new row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, insert, select, update

from autoflow.server import timestamps
from autoflow.server.blobs import ReceivedBlob
from autoflow.server.db import clock
from autoflow.server.db.access import caller, visible_blobs
from autoflow.server.db.schema import blob_leases, blobs
from autoflow.server.paging import chunks

LIVE, CONDEMNED, DAMAGED = "live", "condemned", "damaged"
LEASE = 24 * 3600.0  # seconds that who brought bytes, or was told that they are there, has to name them


class NewBlob(NamedTuple):
    """A file to be named, and what it was found to be: ``mime``, ``width``, ``height``."""

    received: ReceivedBlob
    known: Mapping[str, Any] = {}


def register(conn: Connection, brought: Sequence[NewBlob]) -> set[str]:
    """Name received files, and give their hashes to the caller to name for a while.

    Returns:
        The generations that rows name now; the others are not needed, as their bytes were there already.
    """
    first: dict[str, NewBlob] = {}
    for one in brought:
        first.setdefault(one.received.hash, one)
    there = _states(conn, list(first))
    new = [one for content, one in first.items() if content not in there]
    moment = timestamps.now()
    values = [{**_NOTHING, **_row(one), "created_at": moment} for one in new]
    if values:
        conn.execute(insert(blobs), values)
    healed = [first[content] for content, row in there.items() if row["state"] == DAMAGED]
    learnt = [first[content] for content, row in there.items() if row["mime"] is None and first[content].known]
    for one, told in (*((one, {**_row(one), "state": LIVE}) for one in healed), *((one, one.known) for one in learnt)):
        conn.execute(update(blobs).where(blobs.c.hash == one.received.hash).values(**told))
    _revive(conn, there)
    _pin(conn, list(first))
    return {one.received.generation for one in (*new, *healed)}


_NOTHING = {"mime": None, "width": None, "height": None}


def _row(one: NewBlob) -> dict[str, Any]:
    received = one.received
    return {"hash": received.hash, "size": received.size, "generation": received.generation, **one.known}


def _states(conn: Connection, hashes: Sequence[str]) -> dict[str, RowMapping]:
    """The state and type of those hashes that have a row."""
    found: dict[str, RowMapping] = {}
    for part in chunks(hashes):
        query = select(blobs.c.hash, blobs.c.state, blobs.c.mime).where(blobs.c.hash.in_(part))
        found.update({row["hash"]: row for row in conn.execute(query).mappings()})
    return found


def _revive(conn: Connection, found: Mapping[str, RowMapping]) -> None:
    condemned = [content for content, row in found.items() if row["state"] == CONDEMNED]
    for part in chunks(condemned):
        conn.execute(update(blobs).where(blobs.c.hash.in_(part), blobs.c.state == CONDEMNED).values(state=LIVE))


def _pin(conn: Connection, hashes: Collection[str]) -> None:
    """Let the caller name these hashes until a lease is over; nothing collects them before."""
    mine = blob_leases.c.user_id == (user := caller(conn).user)
    until = clock.after(conn, LEASE)
    for part in chunks(list(hashes)):
        conn.execute(update(blob_leases).where(mine, blob_leases.c.hash.in_(part)).values(lease_until=until))
        had = set(conn.execute(select(blob_leases.c.hash).where(mine, blob_leases.c.hash.in_(part))).scalars())
        new = [{"hash": content, "user_id": user} for content in part if content not in had]
        if new:
            conn.execute(insert(blob_leases).values(lease_until=until), new)


def find(conn: Connection, hashes: Sequence[str]) -> dict[str, RowMapping]:
    """The rows of those hashes whose bytes are there, and that the caller may name: to read them."""
    found = {}
    wanted = (visible_blobs(conn), blobs.c.state != DAMAGED)
    for part in chunks(hashes):
        for row in conn.execute(select(blobs).where(blobs.c.hash.in_(part), *wanted)).mappings():
            found[row["hash"]] = row
    return found


def acquire(conn: Connection, hashes: Sequence[str]) -> dict[str, RowMapping]:
    """As `find`, for rows that this transaction will add: until it ends they are nobody's to collect."""
    found = find(conn, hashes)
    _revive(conn, found)
    return found


def acquire_with_lease(conn: Connection, hashes: Sequence[str]) -> dict[str, RowMapping]:
    """As `acquire`, for whoever is told that they are there, and will name them later: they stay for a lease."""
    found = acquire(conn, hashes)
    _pin(conn, found)
    return found
