"""A store has an id, which its blobs are marked with, and counts its write transactions."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

from autoflow.server import timestamps

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the table with a new id; the blobs are marked when the store is opened."""
    identity = op.create_table(
        "identity",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("marked", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
    )
    op.bulk_insert(identity, [{"key": secrets.token_hex(16), "marked": False, "created_at": timestamps.now()}])
    op.execute("INSERT INTO counters (name, value) VALUES ('write', 0)")
