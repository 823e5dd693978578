"""Who may do what: members, tokens, uploads; names of foreign entities by team; methods asked for in vain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables; all there was is the first team's and the first user's."""
    op.create_index("teams_by_name", "teams", ["name"], unique=True)
    op.create_index("users_by_login", "users", ["login"], unique=True)
    op.create_index("files_by_hash", "files", ["hash"])
    op.create_table(
        "members",
        sa.Column("team_id", NUMBER, nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("team_id", "user_id"),
    )
    op.execute("INSERT INTO members (team_id, user_id) SELECT teams.id, users.id FROM teams, users")
    op.create_table(
        "tokens",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("start", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "uploads",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["hash"], ["blobs.hash"]),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("hash", "user_id"),
    )
    op.execute("INSERT INTO uploads (hash, user_id) SELECT blobs.hash, users.id FROM blobs, users WHERE users.id = 1")
    op.create_table(
        "unknown_methods",
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("method"),
    )
    _own_entities()


def _own_entities() -> None:
    op.rename_table("entities", "entities_of_all")
    op.create_table(
        "entities",
        sa.Column("team_id", NUMBER, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.PrimaryKeyConstraint("team_id", "origin", "type", "entity"),
    )
    op.execute(
        "INSERT INTO entities (team_id, origin, type, entity, name, created_at) "
        "SELECT 1, origin, type, entity, name, created_at FROM entities_of_all"
    )
    op.drop_table("entities_of_all")
