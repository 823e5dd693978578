"""The rows that name the files of the blob folder, one a hash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, select, update

from autoflow.platform import times
from autoflow.platform.blobs import Received
from autoflow.platform.paging import chunks
from autoflow.platform.store.access import caller, visible_blobs
from autoflow.platform.store.schema import blobs, uploads
from autoflow.platform.store.upsert import insert_new


def claim(rows: Connection, received: Received, **known: Any) -> bool:
    """Name a received file; False when these bytes are kept already, and the file is not needed.

    `known` is what the file was found to be: ``mime``, ``width``, ``height``.
    """
    if known:
        rows.execute(update(blobs).where(blobs.c.hash == received.hash, blobs.c.mime.is_(None)).values(**known))
    new = insert_new(
        rows,
        blobs,
        hash=received.hash,
        size=received.size,
        generation=received.generation,
        created_at=times.now(),
        **known,
    )
    insert_new(rows, uploads, hash=received.hash, user_id=caller(rows).user)
    return new


def find(rows: Connection, hashes: Sequence[str]) -> dict[str, RowMapping]:
    """The rows of those hashes that are kept, and that the caller may name."""
    found = {}
    for part in chunks(hashes):
        for row in rows.execute(select(blobs).where(blobs.c.hash.in_(part), visible_blobs(rows))).mappings():
            found[row["hash"]] = row
    return found
