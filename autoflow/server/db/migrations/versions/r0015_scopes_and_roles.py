"""A token has a scope and its last use, and a member of a team has a role."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0013"


def upgrade() -> None:
    """Add the columns; the tokens and members that exist keep their rights."""
    op.execute("ALTER TABLE tokens ADD COLUMN scope TEXT NOT NULL DEFAULT 'write'")
    op.execute("ALTER TABLE tokens ADD COLUMN last_used_at TEXT")
    op.execute("ALTER TABLE members ADD COLUMN role TEXT NOT NULL DEFAULT 'editor'")
