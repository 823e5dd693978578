"""Store an audit log, whose rows are neither updated nor deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from autoflow.server.db.audit import statements
from autoflow.server.db.migrations.versions.r0001_first import NUMBER

revision = "0025"
down_revision = "0024"

_PATH = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''"))


def upgrade() -> None:
    """Create the table and its triggers."""
    op.create_table(
        "audit_log",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("team_id", NUMBER, sa.ForeignKey("teams.id")),
        sa.Column("user_id", NUMBER, sa.ForeignKey("users.id"), nullable=False),
        _text("who"),
        _text("action"),
        sa.Column("entity", _PATH, nullable=False),
        _text("name"),
        sa.Column("before", sa.Text()),
        sa.Column("after", sa.Text()),
        _text("reason"),
        sqlite_autoincrement=True,
    )
    op.create_index("audit_log_by_team", "audit_log", ["team_id", "id"])
    op.create_index("audit_log_by_entity", "audit_log", ["entity", "id"])
    bind = op.get_bind()
    for statement in statements(bind.dialect.name):
        bind.exec_driver_sql(statement)
