"""A token may expire, and may be restricted to the reproduction of a task."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns; the tokens that exist never expire and are not restricted."""
    kind = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute("ALTER TABLE tokens ADD COLUMN expires_at TEXT")
    # Alembic cannot add a column with a foreign key to a table of SQLite; SQLite itself can
    op.execute(f"ALTER TABLE tokens ADD COLUMN task_id {kind} REFERENCES tasks (id)")
