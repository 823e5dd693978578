"""What the SDK's wire needs beside: reservations of versions, labeling jobs, hidden workspaces."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add what is new; all there was is visible, and committed."""
    op.add_column("workspaces", sa.Column("hidden", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("versions", sa.Column("token", sa.Text()))
    op.add_column("versions", sa.Column("lease_until", sa.Text()))
    op.create_index("versions_by_file", "versions", ["team_file_id"])
    op.create_table(
        "jobs",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("readme", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("description", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("project_id", NUMBER, nullable=False),
        sa.Column("dataset_id", NUMBER, nullable=False),
        sa.Column("created_by", NUMBER, nullable=False),
        sa.Column("assigned_to", NUMBER, nullable=False),
        sa.Column("reviewer_id", NUMBER),
        sa.Column("status", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("disabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("meta", sa.Text(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_data", sa.Text(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("started_at", sa.Text()),
        sa.Column("finished_at", sa.Text()),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"]),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"]),
        sa.ForeignKeyConstraint(["assigned_to"], ["users.id"]),
        sa.ForeignKeyConstraint(["reviewer_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("jobs_by_project", "jobs", ["project_id"])
