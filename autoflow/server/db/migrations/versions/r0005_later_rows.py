"""The indexes by epoch have what came after a project's first one alone: most rows never did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the indexes anew."""
    later = sa.text("f > 1")
    for table in ("datasets", "items", "datasets_history", "items_history"):
        columns = ["project_id", "f", *(["t"] if table.endswith("_history") else [])]
        op.drop_index(f"{table}_by_epoch", table)
        op.create_index(f"{table}_by_epoch", table, columns, sqlite_where=later, postgresql_where=later)
