"""Store where the backup of an archived project is."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the column; the projects that exist have no backup."""
    op.execute("ALTER TABLE projects ADD COLUMN backup_archive TEXT NOT NULL DEFAULT '{}'")
