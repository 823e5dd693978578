"""The numbers of the blobs and documents that items name by their hashes: what indexes find items by.

Numbers are given in the order things come, so a restored project's entries go where their neighbours are; in an index
of hashes each would go to a page of its own. What an item is stays its hashes: only they are content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select

from autoflow.server.db.schema import blobs, documents
from autoflow.server.paging import chunks

# the column of an item that holds a hash: the table that has it, and the column that holds its number there
_NAMED: Mapping[str, tuple[Table, str]] = {"hash": (blobs, "blob_id"), "annotation": (documents, "document_id")}


def with_content_ids(conn: Connection, values: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Values of items, each with the number of what it names; None for what is not kept here."""
    whole = [dict(one) for one in values]
    for name, (table, number) in _NAMED.items():
        naming = [one for one in whole if name in one]
        known = _known(conn, table, sorted({one[name] for one in naming} - {None}))
        for one in naming:
            one[number] = known.get(one[name])
    return whole


def _known(conn: Connection, table: Table, hashes: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in chunks(hashes):
        found.update(conn.execute(select(table.c.hash, table.c.id).where(table.c.hash.in_(part))).all())
    return found


def content_in(table: Table, hashes: Sequence[str]) -> ColumnElement[bool]:
    """The condition that the content of an item, of `items` or their history, is one of these; a chunk at the most."""
    kept = select(blobs.c.id).where(blobs.c.hash.in_(hashes))
    return or_(table.c.blob_id.in_(kept), and_(table.c.blob_id.is_(None), table.c.hash.in_(hashes)))
