"""The rows that name kept files, one a hash, and the leases of who may name them.

A blob is live, condemned (nothing needed it when the collector last looked) or damaged (its file was found broken).
Whoever lets a row name a hash does it here, in the transaction that adds the row: `claim` for bytes that came with it,
`hold` for bytes that are there. Writes follow one another, so a blob that is found here is there when the transaction
commits, and the collector, which looks again before it removes anything, finds the row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, insert, select, update

from autoflow.server import timestamps
from autoflow.server.blobs import Received
from autoflow.server.db import clock
from autoflow.server.db.access import caller, visible_blobs
from autoflow.server.db.schema import blobs, uploads
from autoflow.server.paging import chunks

LIVE, CONDEMNED, DAMAGED = "live", "condemned", "damaged"
LEASE = 24 * 3600.0  # seconds that who brought bytes, or was told that they are there, has to name them


class Brought(NamedTuple):
    """A file to be named, and what it was found to be: ``mime``, ``width``, ``height``."""

    received: Received
    known: Mapping[str, Any] = {}


def claim(conn: Connection, brought: Sequence[Brought]) -> set[str]:
    """Name received files, and give their hashes to the caller to name for a while.

    Returns:
        The generations that rows name now; the others are not needed, as their bytes were there already.
    """
    first: dict[str, Brought] = {}
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


def _row(one: Brought) -> dict[str, Any]:
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
    mine = uploads.c.user_id == (user := caller(conn).user)
    until = clock.after(conn, LEASE)
    for part in chunks(list(hashes)):
        conn.execute(update(uploads).where(mine, uploads.c.hash.in_(part)).values(lease_until=until))
        had = set(conn.execute(select(uploads.c.hash).where(mine, uploads.c.hash.in_(part))).scalars())
        new = [{"hash": content, "user_id": user} for content in part if content not in had]
        if new:
            conn.execute(insert(uploads).values(lease_until=until), new)


def find(conn: Connection, hashes: Sequence[str]) -> dict[str, RowMapping]:
    """The rows of those hashes whose bytes are there, and that the caller may name: to read them."""
    found = {}
    wanted = (visible_blobs(conn), blobs.c.state != DAMAGED)
    for part in chunks(hashes):
        for row in conn.execute(select(blobs).where(blobs.c.hash.in_(part), *wanted)).mappings():
            found[row["hash"]] = row
    return found


def hold(conn: Connection, hashes: Sequence[str]) -> dict[str, RowMapping]:
    """As `find`, for rows that this transaction will add: until it ends they are nobody's to collect."""
    found = find(conn, hashes)
    _revive(conn, found)
    return found


def promise(conn: Connection, hashes: Sequence[str]) -> dict[str, RowMapping]:
    """As `hold`, for whoever is told that they are there, and will name them later: they stay for a lease."""
    found = hold(conn, hashes)
    _pin(conn, found)
    return found
