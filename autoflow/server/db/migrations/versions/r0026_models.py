"""Store names of models: their versions, and the moves of their aliases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from autoflow.server.db.migrations.versions.r0001_first import NUMBER

revision = "0026"
down_revision = "0025"


def _text(name: str, default: str | None = None) -> sa.Column[str]:
    if default is None:
        return sa.Column(name, sa.Text(), nullable=False)
    return sa.Column(name, sa.Text(), nullable=False, server_default=sa.text(default))


def _id() -> sa.Column[int]:
    return sa.Column("id", NUMBER, primary_key=True, autoincrement=True)


def _author() -> sa.Column[int]:
    return sa.Column("created_by", NUMBER, sa.ForeignKey("users.id"))


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "models",
        _id(),
        sa.Column("team_id", NUMBER, sa.ForeignKey("teams.id"), nullable=False),
        _text("name"),
        _author(),
        _text("created_at"),
        _text("updated_at"),
        sa.UniqueConstraint("team_id", "name", name="models_by_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "model_versions",
        _id(),
        sa.Column("model_id", NUMBER, sa.ForeignKey("models.id"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        _text("origin", "''"),
        _text("entity"),
        _text("entity_key"),
        _text("sha256", "''"),
        sa.Column("task_id", NUMBER, sa.ForeignKey("tasks.id")),
        _author(),
        _text("created_at"),
        sa.UniqueConstraint("model_id", "number", name="model_versions_by_number"),
        sa.UniqueConstraint("model_id", "entity_key", name="model_versions_by_file"),
        sqlite_autoincrement=True,
    )
    op.create_index("model_versions_by_entity_key", "model_versions", ["entity_key"])
    op.create_table(
        "alias_moves",
        _id(),
        sa.Column("model_id", NUMBER, sa.ForeignKey("models.id"), nullable=False),
        _text("alias"),
        sa.Column("before", NUMBER),
        sa.Column("number", NUMBER),
        _text("reason", "''"),
        _text("at"),
        _text("who", "''"),
        _author(),
        sqlite_autoincrement=True,
    )
    op.create_index("alias_moves_by_alias", "alias_moves", ["model_id", "alias", "id"])
