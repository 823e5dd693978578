"""Rows that a version sees are kept when they change; what a collector must know of kept files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

from autoflow.platform.store.history import statements

revision = "0004"
down_revision = "0003"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

Kinds = Mapping[str, TypeEngine[Any]]

DATASETS: Kinds = {
    "id": NUMBER,
    "project_id": NUMBER,
    "parent_id": NUMBER,
    "original_id": NUMBER,
    "name": sa.Text(),
    "description": sa.Text(),
    "custom_data": sa.Text(),
    "created_by": NUMBER,
    "created_at": sa.Text(),
    "updated_at": sa.Text(),
}
ITEMS: Kinds = {
    "id": NUMBER,
    "project_id": NUMBER,
    "dataset_id": NUMBER,
    "name": sa.Text(),
    "hash": sa.Text(),
    "link": sa.Text(),
    "mime": sa.Text(),
    "size": sa.BigInteger(),
    "width": sa.BigInteger(),
    "height": sa.BigInteger(),
    "meta": sa.Text(),
    "tags": sa.Text(),
    "annotation": sa.Text(),
    "labels": sa.BigInteger(),
    "description": sa.Text(),
    "created_by": NUMBER,
    "created_at": sa.Text(),
    "updated_at": sa.Text(),
}
META: Kinds = {"project_id": NUMBER, "document": sa.Text()}


# Of a version that its project has changed since, rows are missing: it has no number of items.
_COUNTS = """
UPDATE versions SET
  items_count = coalesce((SELECT items_count FROM projects WHERE projects.id = versions.project_id
    AND projects.change_seq = versions.change_seq), -1),
  size = coalesce((SELECT size FROM projects WHERE projects.id = versions.project_id
    AND projects.change_seq = versions.change_seq), 0)
"""


def _given(name: str, kind: TypeEngine[Any], default: str) -> sa.Column[Any]:
    return sa.Column(name, kind, server_default=sa.text(default), nullable=False)


def upgrade() -> None:
    """Add what is new; of versions there were, only rows that have not changed since are still there."""
    op.add_column("projects", sa.Column("lease_until", sa.Text()))
    op.add_column("datasets", sa.Column("original_id", NUMBER))
    op.create_index("items_by_annotation", "items", ["annotation"])
    op.create_index("items_by_project", "items", ["project_id", "id"])
    op.create_index("files_of_path", "files", ["team_id", "path"])
    op.add_column("versions", _given("items_count", sa.BigInteger(), "0"))
    op.add_column("versions", _given("size", sa.BigInteger(), "0"))
    op.execute(_COUNTS)
    op.add_column("blobs", _given("state", sa.Text(), "'live'"))
    op.add_column("uploads", _given("lease_until", sa.Text(), "''"))
    op.create_table(
        "sessions",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("lease_until", sa.Text(), nullable=False),
    )
    for table, columns in (("datasets", DATASETS), ("items", ITEMS), ("project_meta", META)):
        key = next(iter(columns))
        op.create_table(
            f"{table}_history",
            *(sa.Column(name, kind, nullable=name not in {"project_id", key}) for name, kind in columns.items()),
            sa.Column("f", sa.BigInteger(), nullable=False),
            sa.Column("t", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint(*dict.fromkeys(("project_id", key, "f"))),
        )
        if key != "project_id":
            op.create_index(f"{table}_history_by_end", f"{table}_history", ["project_id", "t", "f"])
            op.create_index(f"{table}_history_by_epoch", f"{table}_history", ["project_id", "f", "t"])
        for statement in statements(op.get_bind().dialect.name, table, [*columns, "f"]):
            op.execute(statement)
    op.create_index("items_history_by_hash", "items_history", ["hash"])
    op.create_index("items_history_by_annotation", "items_history", ["annotation"])
