"""Store pieces of contents that the facts of runs name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from autoflow.server.db.migrations.versions.r0001_first import NUMBER

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Create the table; runs recorded before have no contents."""
    op.create_table(
        "run_contents",
        sa.Column("team_id", NUMBER, sa.ForeignKey("teams.id"), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "hash"),
    )
