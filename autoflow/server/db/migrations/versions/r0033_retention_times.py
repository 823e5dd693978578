"""Store when rules of retention are applied next; those that exist, a day after the migration."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Add the column."""
    op.add_column("retention_rules", sa.Column("next_at", sa.Text(), nullable=False, server_default=sa.text("''")))
    tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
    next_at = f"{tomorrow:%Y-%m-%dT%H:%M:%S}.000Z"
    op.get_bind().execute(sa.text("UPDATE retention_rules SET next_at = :next_at"), {"next_at": next_at})
