"""The ids of the blobs and documents that items name by hash, which indexes on items use instead of the hashes.

Ids are assigned in insertion order, so the index entries of a project share pages; in an index of hashes each entry
would be on a page of its own. An item's content is defined by the hashes alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select

from autoflow.server.db.schema import blobs, documents, items, items_history
from autoflow.server.paging import chunks

# By an item's column with a hash: the table that has the hash, and the item's column for its id there.
_REFERENCES: Mapping[str, tuple[Table, str]] = {"hash": (blobs, "blob_id"), "annotation": (documents, "document_id")}


def with_content_ids(conn: Connection, values: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the values of items with the ids of what they name by hash, None for content not stored here."""
    completed = [dict(item) for item in values]
    for hash_column, (table, id_column) in _REFERENCES.items():
        with_hash = [item for item in completed if hash_column in item]
        ids = _ids_by_hash(conn, table, sorted({item[hash_column] for item in with_hash} - {None}))
        for item in with_hash:
            item[id_column] = ids.get(item[hash_column])
    return completed


def _ids_by_hash(conn: Connection, table: Table, hashes: Sequence[str]) -> dict[str, int]:
    ids: dict[str, int] = {}
    for part in chunks(hashes):
        ids.update(conn.execute(select(table.c.hash, table.c.id).where(table.c.hash.in_(part))).all())
    return ids


def content_in(table: Table, hashes: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that the content of a row of `items` or their history is one of at most `CHUNK` hashes."""
    blob_ids = select(blobs.c.id).where(blobs.c.hash.in_(hashes))
    return or_(table.c.blob_id.in_(blob_ids), and_(table.c.blob_id.is_(None), table.c.hash.in_(hashes)))


def file_links(conn: Connection, hashes: Sequence[str]) -> dict[str, list[str]]:
    """Return the links to files by which any items, of now or of the past, have some contents, by hash."""
    links: dict[str, list[str]] = {}
    for part in chunks(hashes):
        for table in (items, items_history):
            query = select(table.c.hash, table.c.link).distinct()
            query = query.where(content_in(table, part), table.c.link.like("file://%"))
            for content_hash, link in conn.execute(query.order_by(table.c.link)):
                links.setdefault(content_hash, []).append(link)
    return links
