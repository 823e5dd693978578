"""Store webhooks, and the events that are to be delivered to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from autoflow.server.db.migrations.versions.r0001_first import NUMBER

revision = "0030"
down_revision = "0029"


def _text(name: str, default: str | None = None) -> sa.Column[str]:
    if default is None:
        return sa.Column(name, sa.Text(), nullable=False)
    return sa.Column(name, sa.Text(), nullable=False, server_default=sa.text(default))


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "webhooks",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("team_id", NUMBER, sa.ForeignKey("teams.id"), nullable=False),
        _text("action", "''"),
        _text("url", "''"),
        _text("meta", "'{}'"),
        _text("secret", "''"),
        _text("state", "'active'"),
        sa.Column("created_by", NUMBER, sa.ForeignKey("users.id")),
        _text("created_at"),
        _text("updated_at"),
        sqlite_autoincrement=True,
    )
    op.create_index("webhooks_by_action", "webhooks", ["team_id", "action"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("webhook_id", NUMBER, sa.ForeignKey("webhooks.id"), nullable=False),
        _text("event", "''"),
        _text("action", "''"),
        _text("payload", "''"),
        _text("state", "'waiting'"),
        sa.Column("attempts", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        _text("next_at"),
        sa.Column("error", sa.Text()),
        _text("created_at"),
        _text("updated_at"),
        sqlite_autoincrement=True,
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "webhook_deliveries_due",
        "webhook_deliveries",
        ["next_at"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_index("webhook_deliveries_by_webhook", "webhook_deliveries", ["webhook_id", "id"])
