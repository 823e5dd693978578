"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PATH = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "blobs",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("mime", sa.Text(), nullable=True),
        sa.Column("width", sa.BigInteger(), nullable=True),
        sa.Column("height", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "documents",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "entities",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "type", "entity"),
    )
    op.create_table("record_keys", sa.Column("key", sa.Text(), nullable=False), sa.PrimaryKeyConstraint("key"))
    op.create_table(
        "teams",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("description", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "users",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("login", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "apps",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("team_id", NUMBER, nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"],
            ["teams.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("team_id", "name", name="apps_by_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "files",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("team_id", NUMBER, nullable=False),
        sa.Column("path", PATH, nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mime", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hash"],
            ["blobs.hash"],
        ),
        sa.ForeignKeyConstraint(
            ["team_id"],
            ["teams.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "files_by_path",
        "files",
        ["team_id", "path"],
        unique=True,
        sqlite_where=sa.text("current"),
        postgresql_where=sa.text("current"),
    )
    op.create_table(
        "workspaces",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("team_id", NUMBER, nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("description", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"],
            ["teams.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("team_id", "name", name="workspaces_by_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "projects",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("workspace_id", NUMBER, nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("description", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("readme", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("type", sa.Text(), server_default=sa.text("'images'"), nullable=False),
        sa.Column("custom_data", sa.Text(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("settings", sa.Text(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("import_settings", sa.Text(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_by", NUMBER, nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("last_v", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("change_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("digest", sa.Text(), server_default=sa.text("'0'"), nullable=False),
        sa.Column("items_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("size", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'active'"), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["users.id"],
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspaces.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "projects_by_name",
        "projects",
        ["workspace_id", "name"],
        unique=True,
        sqlite_where=sa.text("state != 'removed'"),
        postgresql_where=sa.text("state != 'removed'"),
    )
    op.create_table(
        "tasks",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("origin", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("app_id", NUMBER, nullable=True),
        sa.Column("team_id", NUMBER, nullable=False),
        sa.Column("workspace_id", NUMBER, nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'running'"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("facts", sa.Text(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("node", sa.Text(), nullable=True),
        sa.Column("started_at", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_id"],
            ["apps.id"],
        ),
        sa.ForeignKeyConstraint(
            ["team_id"],
            ["teams.id"],
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspaces.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("origin", "number", name="tasks_by_number"),
        sqlite_autoincrement=True,
    )
    op.create_index("tasks_by_workspace", "tasks", ["workspace_id", "id"], unique=False)
    op.create_table(
        "datasets",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("project_id", NUMBER, nullable=False),
        sa.Column("parent_id", NUMBER, nullable=True),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("description", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("custom_data", sa.Text(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_by", NUMBER, nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.Column("f", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["users.id"],
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["datasets.id"],
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "datasets_at_top",
        "datasets",
        ["project_id", "name"],
        unique=True,
        sqlite_where=sa.text("parent_id IS NULL"),
        postgresql_where=sa.text("parent_id IS NULL"),
    )
    op.create_index("datasets_by_epoch", "datasets", ["project_id", "f"], unique=False)
    op.create_index("datasets_by_name", "datasets", ["parent_id", "name"], unique=True)
    op.create_table(
        "edges",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("task_id", NUMBER, nullable=False),
        sa.Column("direction", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("origin", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("type", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("entity", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("card", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("meta", sa.Text(), nullable=True),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("touched", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["tasks.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("task_id", "direction", "origin", "type", "entity", name="edges_once"),
        sqlite_autoincrement=True,
    )
    op.create_index("edges_by_card", "edges", ["card"], unique=False)
    op.create_table(
        "logs",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("task_id", NUMBER, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["tasks.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("logs_by_task", "logs", ["task_id", "id"], unique=False)
    op.create_table(
        "project_meta",
        sa.Column("project_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("f", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
        ),
        sa.PrimaryKeyConstraint("project_id"),
    )
    op.create_table(
        "runs",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("task_id", NUMBER, nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["tasks.id"],
        ),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("runs_by_task", "runs", ["task_id"], unique=False)
    op.create_table(
        "versions",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("project_id", NUMBER, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("change_seq", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'committed'"), nullable=False),
        sa.Column("created_by", NUMBER, nullable=False),
        sa.Column("team_file_id", NUMBER, nullable=True),
        sa.Column("preview_project_id", NUMBER, nullable=True),
        sa.Column("project_updated_at", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["users.id"],
        ),
        sa.ForeignKeyConstraint(
            ["preview_project_id"],
            ["projects.id"],
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
        ),
        sa.ForeignKeyConstraint(
            ["team_file_id"],
            ["files.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "number", name="versions_by_number"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "items",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("project_id", NUMBER, nullable=False),
        sa.Column("dataset_id", NUMBER, nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("hash", sa.Text(), nullable=True),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("mime", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("width", sa.BigInteger(), nullable=True),
        sa.Column("height", sa.BigInteger(), nullable=True),
        sa.Column("meta", sa.Text(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("tags", sa.Text(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("annotation", sa.Text(), nullable=True),
        sa.Column("labels", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("description", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_by", NUMBER, nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.Column("f", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["annotation"],
            ["documents.hash"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["users.id"],
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["datasets.id"],
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dataset_id", "name", name="items_by_name"),
        sqlite_autoincrement=True,
    )
    op.create_index("items_by_epoch", "items", ["project_id", "f"], unique=False)
    op.create_index("items_by_hash", "items", ["hash"], unique=False)
