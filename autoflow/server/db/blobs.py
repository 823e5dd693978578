"""Rows of blobs, one a hash, and leases on them.

A blob is live, condemned (unreferenced when the garbage collector last ran) or damaged (its file was found broken). A
transaction that adds a row naming a hash calls `register` for an uploaded file, `acquire` for a blob that exists. The
collector's transactions exclude all other writes, so a blob found here still exists at commit, and the collector, which
checks again before it deletes anything, sees the new row.

Blobs are in no scope (`scopes`): writes beside this one may register the same hashes. So rows are inserted unless they
exist, and rows are locked in the order of their hashes, those of blobs before those of leases.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, select, update

from autoflow.server import timestamps
from autoflow.server.blobs import ReceivedBlob
from autoflow.server.db import clock, erased_contents
from autoflow.server.db.access import caller, visible_blobs
from autoflow.server.db.schema import blob_leases, blobs
from autoflow.server.db.upsert import insert_or_ignore_many, insert_or_update
from autoflow.server.paging import chunks

LIVE, CONDEMNED, DAMAGED = "live", "condemned", "damaged"
LEASE = 24 * 3600.0  # seconds to reference a blob after uploading it or being told that it exists


class NewBlob(NamedTuple):
    """A received file, and its known properties: ``mime``, ``width``, ``height``."""

    received: ReceivedBlob
    known: Mapping[str, Any] = {}


def register(conn: Connection, uploads: Sequence[NewBlob]) -> set[str]:
    """Insert rows for received files, and give the caller a lease on them.

    Returns:
        The generations of the files that rows name; the other files are not needed, as their bytes are stored already.

    Raises:
        Conflict: the caller's teams had one of the contents erased.
    """
    by_hash: dict[str, NewBlob] = {}
    for upload in sorted(uploads, key=lambda upload: upload.received.hash):
        by_hash.setdefault(upload.received.hash, upload)
    erased_contents.check_of_caller(conn, by_hash)
    now = timestamps.now()
    values = [{**_UNKNOWN, **_row(upload), "created_at": now} for upload in by_hash.values()]
    insert_or_ignore_many(conn, blobs, values)
    blob_rows = _states(conn, list(by_hash))
    in_need = [
        blob_hash
        for blob_hash, row in blob_rows.items()
        if row["state"] != LIVE or (row["mime"] is None and by_hash[blob_hash].known)
    ]
    locked = _states(conn, in_need, lock=True)
    named = {row["generation"] for row in blob_rows.values()}
    for blob_hash, row in locked.items():
        upload = by_hash[blob_hash]
        if row["state"] == DAMAGED:
            _update(conn, upload, {**_row(upload), "state": LIVE})
            named.add(upload.received.generation)
        elif row["mime"] is None and upload.known:
            _update(conn, upload, upload.known)
    _revive(conn, locked)
    _lease(conn, list(by_hash))
    return named & {upload.received.generation for upload in by_hash.values()}


_UNKNOWN = {"mime": None, "width": None, "height": None}


def _row(upload: NewBlob) -> dict[str, Any]:
    received = upload.received
    return {"hash": received.hash, "size": received.size, "generation": received.generation, **upload.known}


def _update(conn: Connection, upload: NewBlob, values: Mapping[str, Any]) -> None:
    conn.execute(update(blobs).where(blobs.c.hash == upload.received.hash).values(**values))


def _states(conn: Connection, hashes: Sequence[str], *, lock: bool = False) -> dict[str, RowMapping]:
    """Return the state, generation and media type of the blobs with these hashes, by hash; in their order if locked."""
    states: dict[str, RowMapping] = {}
    for part in chunks(sorted(hashes)):
        query = select(blobs.c.hash, blobs.c.state, blobs.c.generation, blobs.c.mime).where(blobs.c.hash.in_(part))
        if lock:
            query = query.order_by(blobs.c.hash).with_for_update(key_share=True)
        states.update({row["hash"]: row for row in conn.execute(query).mappings()})
    return states


def _revive(conn: Connection, blob_rows: Mapping[str, RowMapping]) -> None:
    """Make condemned blobs live."""
    condemned = [blob_hash for blob_hash, row in blob_rows.items() if row["state"] == CONDEMNED]
    _states(conn, condemned, lock=True)
    for part in chunks(condemned):
        conn.execute(update(blobs).where(blobs.c.hash.in_(part), blobs.c.state == CONDEMNED).values(state=LIVE))


def _lease(conn: Connection, hashes: Collection[str]) -> None:
    """Give the caller a lease on blobs, or renew it: until it ends they may reference them, and none is collected."""
    new = [{"hash": blob_hash, "user_id": caller(conn).user} for blob_hash in sorted(hashes)]
    if new:
        conn.execute(insert_or_update(conn, blob_leases, lease_until=clock.after(conn, LEASE)), new)


def find(conn: Connection, hashes: Sequence[str]) -> dict[str, RowMapping]:
    """Return the undamaged blobs with these hashes that the caller may reference, by hash; for reading them."""
    by_hash = {}
    usable = (visible_blobs(conn), blobs.c.state != DAMAGED)
    for part in chunks(hashes):
        for row in conn.execute(select(blobs).where(blobs.c.hash.in_(part), *usable)).mappings():
            by_hash[row["hash"]] = row
    return by_hash


def find_of_rows(conn: Connection, hashes: Sequence[str]) -> dict[str, RowMapping]:
    """Return the undamaged blobs with the hashes of rows that the caller sees, those of versions included, by hash."""
    by_hash = {}
    for part in chunks(hashes):
        for row in conn.execute(select(blobs).where(blobs.c.hash.in_(part), blobs.c.state != DAMAGED)).mappings():
            by_hash[row["hash"]] = row
    return by_hash


def acquire(conn: Connection, hashes: Sequence[str]) -> dict[str, RowMapping]:
    """Find blobs that rows of this transaction will reference: condemned ones become live; see `find`."""
    by_hash = find(conn, hashes)
    _revive(conn, by_hash)
    return by_hash


def acquire_with_lease(conn: Connection, hashes: Sequence[str]) -> dict[str, RowMapping]:
    """Find blobs that the caller will reference later, and give the caller a lease on them; see `acquire`."""
    by_hash = acquire(conn, hashes)
    _lease(conn, by_hash)
    return by_hash


def set_descriptions(conn: Connection, texts: Mapping[str, str]) -> None:
    """Set what is known of files, by hash, with the caller's leases on them."""
    own = blob_leases.c.user_id == caller(conn).user
    for blob_hash, text in texts.items():
        conn.execute(update(blob_leases).where(own, blob_leases.c.hash == blob_hash).values(description=text))


def descriptions(conn: Connection, hashes: Sequence[str]) -> dict[str, str]:
    """Return what is known of files by the caller's leases, by hash."""
    texts: dict[str, str] = {}
    known = (blob_leases.c.user_id == caller(conn).user, blob_leases.c.description.is_not(None))
    for part in chunks(hashes):
        query = select(blob_leases.c.hash, blob_leases.c.description).where(blob_leases.c.hash.in_(part), *known)
        texts.update((row.hash, row.description) for row in conn.execute(query))
    return texts
