"""Store the data of apps' own pages, which apps set and read by their tasks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from autoflow.server.db.migrations.versions.r0001_first import NUMBER

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the table; data that was set before had been discarded."""
    op.create_table(
        "task_data",
        sa.Column("task_id", NUMBER, sa.ForeignKey("tasks.id"), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("task_id"),
    )
