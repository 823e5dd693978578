"""A token of a reproduction sees the restored data in place of the recorded."""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Add the column; the tokens that exist see the present data."""
    op.execute("ALTER TABLE tokens ADD COLUMN view TEXT")
