"""Store erasures, the contents that teams had erased, and rules of retention."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from autoflow.server.db.migrations.versions.r0001_first import NUMBER

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Create the tables; nothing could be erased before."""
    team = sa.ForeignKey("teams.id")
    op.create_table(
        "erasures",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("team_id", NUMBER, team, nullable=False),
        sa.Column("created_by", NUMBER, sa.ForeignKey("users.id")),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("finished_at", sa.Text()),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text()),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("report", sa.Text()),
        sqlite_autoincrement=True,
    )
    unfinished = sa.text("finished_at IS NULL")
    op.create_index(
        "erasures_unfinished", "erasures", ["team_id"], sqlite_where=unfinished, postgresql_where=unfinished
    )
    op.create_table(
        "erasure_targets",
        sa.Column("erasure_id", NUMBER, sa.ForeignKey("erasures.id"), nullable=False, autoincrement=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("erasure_id", "kind", "value"),
    )
    op.create_table(
        "erased_contents",
        sa.Column("team_id", NUMBER, sa.ForeignKey("teams.id"), nullable=False, autoincrement=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("erasure_id", NUMBER, sa.ForeignKey("erasures.id"), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "hash"),
    )
    op.create_table(
        "signing_keys",
        sa.Column("public", sa.Text(), primary_key=True),
        sa.Column("private", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
    )
    op.create_table(
        "retention_rules",
        sa.Column("team_id", NUMBER, sa.ForeignKey("teams.id"), nullable=False, autoincrement=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("days", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("team_id", "kind"),
    )
