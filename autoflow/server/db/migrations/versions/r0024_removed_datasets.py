"""Remember the ids of removed datasets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from autoflow.server.db.migrations.versions.r0001_first import NUMBER

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Create the table; what was removed before is not in it, and removing that again is an error."""
    op.create_table(
        "removed_datasets",
        sa.Column("dataset_id", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("project_id", NUMBER, sa.ForeignKey("projects.id"), nullable=False),
    )
