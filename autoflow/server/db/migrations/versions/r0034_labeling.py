"""Store labeling queues, issues and reports, and which users are disabled."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from autoflow.server.db.migrations.versions.r0001_first import NUMBER

revision = "0034"
down_revision = "0033"


def _text(name: str, default: str = "''") -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default=sa.text(default))


def _number(name: str, table: str | None = None, *, nullable: bool = True) -> sa.Column[int]:
    reference = (sa.ForeignKey(f"{table}.id"),) if table else ()
    return sa.Column(name, NUMBER, *reference, nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())


def _create(name: str, *columns: sa.Column[Any]) -> None:
    op.create_table(
        name,
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        *columns,
        _number("created_by", "users"),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )


def upgrade() -> None:
    """Create the tables, and add the columns that refer to them."""
    op.add_column("users", _flag("disabled"))
    op.add_column("jobs", _number("queue_id"))
    _create(
        "labeling_queues",
        _number("project_id", "projects", nullable=False),
        *map(_number, ("dataset_id", "collection_id")),
        *map(_text, ("name", "readme", "description")),
        _text("status", "'pending'"),
        _flag("disabled"),
        _text("labelers", "'[]'"),
        _text("reviewers", "'[]'"),
        _text("meta", "'{}'"),
        sa.Column("started_at", sa.Text()),
        sa.Column("finished_at", sa.Text()),
    )
    _create(
        "issues",
        _number("team_id", "teams", nullable=False),
        _number("parent_id", "issues"),
        _number("project_id", "projects"),
        *map(_number, ("dataset_id", "image_id")),
        _text("name"),
        _text("status", "'open'"),
        *map(_flag, ("pinned", "local")),
        _text("assignees", "'[]'"),
        _text("field"),
        _number("value"),
        _text("meta", "'{}'"),
    )
    _create("issue_comments", _number("issue_id", "issues", nullable=False), _text("comment"))
    _create(
        "reports",
        _number("team_id", "teams", nullable=False),
        *map(_text, ("name", "layout")),
        _text("widgets", "'[]'"),
    )
    for table, columns in (
        ("labeling_queues", ("project",)),
        ("issues", ("team", "parent", "project")),
        ("issue_comments", ("issue",)),
        ("reports", ("team",)),
    ):
        for column in columns:
            op.create_index(f"{table}_by_{column}", table, [f"{column}_id"])
    op.create_index("jobs_by_queue", "jobs", ["queue_id"])
