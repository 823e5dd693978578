"""Rows of items: current ones are deleted, those that versions see become tombstones (`db.tombstones`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, delete, select, update

from autoflow.server.db import hidden_projects, issues, tombstones
from autoflow.server.db.access import visible
from autoflow.server.db.app_tables import collection_items
from autoflow.server.db.change_tracking import ProjectEdit, original_ids_of
from autoflow.server.db.item_content import row_hash
from autoflow.server.db.schema import blobs, datasets, datasets_history, documents, items, items_history, projects
from autoflow.server.maintenance.erasure import targets
from autoflow.server.paging import chunks

BATCH = 500  # rows of a transaction


def delete_current(conn: Connection, images: Sequence[int], hashes: Sequence[str]) -> list[RowMapping]:
    """Delete the next current rows of items that are targets; return them, none at the end.

    Rows that a version sees are copied to the history by its triggers.
    """
    rows = _next_rows(conn, items, images, hashes)
    for project_id in sorted({row["project_id"] for row in rows}):
        query = select(projects).where(projects.c.id == project_id).with_for_update(key_share=True)
        edit = ProjectEdit(conn, dict(conn.execute(query).mappings().one()))
        edit.delete_many(items, [row for row in rows if row["project_id"] == project_id])
        edit.close()
        hidden_projects.abandon(conn, project_id)  # one that is being restored or cloned would lack the items
    for part in chunks(sorted({row["id"] for row in rows})):
        conn.execute(delete(collection_items).where(collection_items.c.item_id.in_(part)))
        issues.forget_images(conn, part)
    return rows


def bury(conn: Connection, images: Sequence[int], hashes: Sequence[str], key: str) -> list[RowMapping]:
    """Replace the next rows of the history that are targets by tombstones; return the rows, none at the end.

    Args:
        conn: a write transaction.
        images, hashes: the targets.
        key: the secret of the erasure.
    """
    rows = _next_rows(conn, items_history, images, hashes)
    dataset_ids = sorted({row["dataset_id"] for row in rows})
    originals = {**original_ids_of(conn, datasets_history, dataset_ids), **original_ids_of(conn, datasets, dataset_ids)}
    table = items_history.c
    for row in rows:
        content_hash = row_hash(items, row, {row["dataset_id"]: row["dataset_id"], **originals})
        same = (table.project_id == row["project_id"], table.id == row["id"], table.valid_from == row["valid_from"])
        conn.execute(update(items_history).where(*same).values(**tombstones.tombstone_of(row, content_hash, key)))
    return rows


def _next_rows(conn: Connection, table: Table, images: Sequence[int], hashes: Sequence[str]) -> list[RowMapping]:
    own = table.c.project_id.in_(select(projects.c.id).where(visible(conn, projects)))
    for condition in targets.conditions(table, images, hashes):
        query = (
            select(table).where(condition, own, tombstones.has_content(table)).order_by(table.c.project_id, table.c.id)
        )
        rows = conn.execute(query.limit(BATCH)).mappings().all()
        if rows:
            return list(rows)
    return []


def document_ids(rows: Iterable[RowMapping]) -> set[int]:
    """Return the ids of the annotation documents of some rows."""
    return {row["document_id"] for row in rows if row["document_id"] is not None}


def delete_documents(conn: Connection, ids: Sequence[int]) -> int:
    """Delete annotation documents that no item has any more, nor its history; return how many."""
    deleted = 0
    for part in chunks(ids):
        used = (
            select(table.c.id).where(table.c.document_id == documents.c.id).correlate(documents).exists()
            for table in (items, items_history)
        )
        deleted += conn.execute(delete(documents).where(documents.c.id.in_(part), *(~query for query in used))).rowcount
    return deleted


def hashes_of_blobs(conn: Connection, blob_ids: Sequence[Any]) -> list[str]:
    """Return the hashes of blobs by their ids."""
    hashes: list[str] = []
    for part in chunks(blob_ids):
        hashes += conn.execute(select(blobs.c.hash).where(blobs.c.id.in_(part))).scalars()
    return hashes
