"""Store the descriptions of uploaded files with the leases on them, until items are made of the files."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0015"


def upgrade() -> None:
    """Add the column; a file without a description is read when it is needed."""
    op.execute("ALTER TABLE blob_leases ADD COLUMN description TEXT")
