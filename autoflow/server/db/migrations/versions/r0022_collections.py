"""Store collections of items."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from autoflow.server.db.migrations.versions.r0001_first import NUMBER

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Create the tables; collections had been refused."""
    op.create_table(
        "collections",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("project_id", NUMBER, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("description", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("type", sa.Text(), nullable=False, server_default=sa.text("'default'")),
        sa.Column("meta", sa.Text(), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("created_by", NUMBER, sa.ForeignKey("users.id")),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.UniqueConstraint("project_id", "name", name="collections_by_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "collection_items",
        sa.Column("collection_id", NUMBER, sa.ForeignKey("collections.id"), autoincrement=False, nullable=False),
        sa.Column("item_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("meta", sa.Text(), nullable=False, server_default=sa.text("'{}'")),
        sa.PrimaryKeyConstraint("collection_id", "item_id"),
    )
