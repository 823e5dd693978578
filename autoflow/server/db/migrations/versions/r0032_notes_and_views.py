"""Store notes on cards, with the index of their words, and saved views."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from autoflow.server.db.migrations.versions.r0001_first import NUMBER
from autoflow.server.db.search_index import table_statements

revision = "0032"
down_revision = "0031"


def _text(name: str, default: str | None = "''") -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default=sa.text(default) if default else None)


def _common() -> tuple[sa.Column[int], sa.Column[int]]:
    return (
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("team_id", NUMBER, sa.ForeignKey("teams.id"), nullable=False),
    )


def _author() -> sa.Column[int]:
    return sa.Column("created_by", NUMBER, sa.ForeignKey("users.id"))


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "notes",
        *_common(),
        _text("card"),
        _text("text"),
        _author(),
        _text("created_at", None),
        sqlite_autoincrement=True,
    )
    op.create_index("notes_by_card", "notes", ["card", "id"])
    op.create_table(
        "views",
        *_common(),
        _text("name"),
        _text("address"),
        sa.Column("shared", sa.Boolean(), nullable=False),
        _author(),
        _text("created_at", None),
        sqlite_autoincrement=True,
    )
    op.create_index("views_by_team", "views", ["team_id", "id"])
    bind = op.get_bind()
    for statement in table_statements(bind.dialect.name, {"notes": ("text",)}):
        bind.exec_driver_sql(statement)
