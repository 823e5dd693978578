"""Let writes of different scopes run side by side on PostgreSQL: ids from sequences, changes counted in shards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from autoflow.server.db import counters
from autoflow.server.db.migrations.versions.r0001_first import NUMBER

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create the shards, which begin empty, and the sequences after the counters' values."""
    op.create_table(
        "change_counts",
        sa.Column("team_id", NUMBER, nullable=False),
        sa.Column("shard", NUMBER, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "shard"),
    )
    counters.install_sequences(op.get_bind())
