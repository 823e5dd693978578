"""Store what was copied from other stores."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from autoflow.server.db.migrations.versions.r0001_first import NUMBER

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "copies",
        sa.Column("team_id", NUMBER, sa.ForeignKey("teams.id"), autoincrement=False, nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("source_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("details", sa.Text(), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("created_by", NUMBER, sa.ForeignKey("users.id")),
        sa.PrimaryKeyConstraint("team_id", "store", "type", "source_id"),
    )
    op.create_index("copies_by_id", "copies", ["type", "id"])
