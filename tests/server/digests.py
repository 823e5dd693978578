"""The digest of a project computed from all of its rows, to compare with the one that the server maintains."""

from __future__ import annotations

from sqlalchemy import select

from autoflow.server.db.item_content import format_digest, original_id, sum_row_hashes
from autoflow.server.db.schema import datasets, items, project_meta


def compute_digest(conn, project_id):
    """Return a project's digest."""
    own = select(datasets.c.id, datasets.c.original_id).where(datasets.c.project_id == project_id)
    originals = {row["id"]: original_id(row) for row in conn.execute(own).mappings()}
    tables = (datasets, items, project_meta)
    rows = {table: conn.execute(select(table).where(table.c.project_id == project_id)).mappings() for table in tables}
    return format_digest(sum(sum_row_hashes(table, rows[table], originals) for table in tables))
