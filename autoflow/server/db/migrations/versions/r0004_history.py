"""Rows that a version sees are kept when they change; what a collector must know of kept files; items name them, and
their documents, by number.
"""

# ruff: noqa: S608 - what is put together here are names of this package's own

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

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
    "blob_id": NUMBER,
    "document_id": NUMBER,
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


# What rows name by its hash gets numbers.
NAMED: Mapping[str, Mapping[str, sa.Column[Any]]] = {
    table: {column.name: column for column in columns}
    for table, columns in {
        "blobs": (
            sa.Column("hash", sa.Text(), nullable=False),
            sa.Column("size", sa.BigInteger(), nullable=False),
            sa.Column("generation", sa.Text(), server_default=sa.text("''"), nullable=False),
            sa.Column("mime", sa.Text()),
            sa.Column("width", sa.BigInteger()),
            sa.Column("height", sa.BigInteger()),
            sa.Column("created_at", sa.Text(), nullable=False),
        ),
        "documents": (
            sa.Column("hash", sa.Text(), nullable=False),
            sa.Column("body", sa.LargeBinary(), nullable=False),
        ),
    }.items()
}


def _given(name: str, kind: TypeEngine[Any], default: str) -> sa.Column[Any]:
    return sa.Column(name, kind, server_default=sa.text(default), nullable=False)


def _number_sqlite(table: str, columns: Mapping[str, sa.Column[Any]]) -> None:
    """Make a table anew, as SQLite gives no other key to one that is there; rows that name it stay."""
    names = ", ".join(columns)
    op.execute("PRAGMA defer_foreign_keys = ON")  # until this transaction ends
    op.execute(f"CREATE TEMP TABLE kept AS SELECT {names} FROM {table} ORDER BY rowid")
    op.drop_table(table)
    op.create_table(
        table,
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        *columns.values(),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash", name=f"{table}_by_hash"),
        sqlite_autoincrement=True,
    )
    op.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM kept ORDER BY rowid")
    op.execute("DROP TABLE kept")


def _number_postgresql(table: str, _columns: Mapping[str, sa.Column[Any]]) -> None:
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey CASCADE")  # and what refers to it
    op.execute(f"ALTER TABLE {table} ADD COLUMN id BIGSERIAL PRIMARY KEY")
    op.create_unique_constraint(f"{table}_by_hash", table, ["hash"])


def _number() -> None:
    """Give what is named by hash a number too, and the items that name it."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    for table, columns in NAMED.items():
        (_number_sqlite if sqlite else _number_postgresql)(table, columns)
    if sqlite:
        given = op.get_bind().execute(sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'items'")).scalar()
        convention = {"fk": "%(table_name)s_%(column_0_name)s_fkey"}  # the names that PostgreSQL gives
        kept: dict[str, Any] = {"sqlite_autoincrement": True}
        with op.batch_alter_table("items", None, "always", naming_convention=convention, table_kwargs=kept) as items:
            items.drop_constraint("items_annotation_fkey", type_="foreignkey")
            items.drop_index("items_by_hash")
            items.add_column(sa.Column("blob_id", NUMBER))
            items.add_column(sa.Column("document_id", NUMBER))
            items.create_foreign_key("items_blob_id_fkey", "blobs", ["blob_id"], ["id"])
            items.create_foreign_key("items_document_id_fkey", "documents", ["document_id"], ["id"])
        op.execute(f"UPDATE sqlite_sequence SET seq = {given or 0} WHERE name = 'items'")  # no number is given twice
    else:
        for table in ("uploads", "files"):
            op.create_foreign_key(f"{table}_hash_fkey", table, "blobs", ["hash"], ["hash"])
        op.drop_index("items_by_hash", "items")
        op.add_column("items", sa.Column("blob_id", NUMBER, sa.ForeignKey("blobs.id")))
        op.add_column("items", sa.Column("document_id", NUMBER, sa.ForeignKey("documents.id")))
    op.execute(
        "UPDATE items SET blob_id = (SELECT id FROM blobs WHERE blobs.hash = items.hash), "
        "document_id = (SELECT id FROM documents WHERE documents.hash = items.annotation)"
    )


def _find_by_number(table: str) -> None:
    elsewhere = sa.text("blob_id IS NULL AND hash IS NOT NULL")
    op.create_index(f"{table}_by_blob", table, ["blob_id"])
    op.create_index(f"{table}_by_document", table, ["document_id"])
    op.create_index(f"{table}_elsewhere", table, ["hash"], sqlite_where=elsewhere, postgresql_where=elsewhere)


_STALE = "a row that a version sees was changed, and not given the epoch being written"


def _sqlite_triggers(table: str, columns: Sequence[str]) -> list[str]:
    owner = "(SELECT {} FROM projects WHERE id = old.project_id)"
    seen, ended = owner.format("last_v"), owner.format("epoch")
    keep = (
        f"INSERT INTO {table}_history ({', '.join(columns)}, t) "
        f"VALUES ({', '.join(f'old.{column}' for column in columns)}, {ended});"
    )
    refuse = f"SELECT RAISE(ABORT, '{_STALE}') WHERE new.f <= {seen};"
    return [
        f"CREATE TRIGGER {table}_{event_name}d BEFORE {event_name} ON {table} WHEN old.f <= {seen} BEGIN {body} END"
        for event_name, body in (("UPDATE", f"{refuse} {keep}"), ("DELETE", keep))
    ]


def _postgresql_triggers(table: str, columns: Sequence[str]) -> list[str]:
    keep = (
        f"INSERT INTO {table}_history ({', '.join(columns)}, t) "
        f"VALUES ({', '.join(f'old.{column}' for column in columns)}, owner.epoch);"
    )
    return [
        f"CREATE FUNCTION {table}_keep() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE owner record; BEGIN "
        "SELECT last_v, epoch INTO owner FROM projects WHERE id = old.project_id; "
        "IF old.f <= owner.last_v THEN "
        f"IF TG_OP = 'UPDATE' THEN IF new.f <= owner.last_v THEN RAISE EXCEPTION '{_STALE}'; END IF; END IF; "
        f"{keep} END IF; "
        "IF TG_OP = 'DELETE' THEN RETURN old; END IF; RETURN new; END $$",
        f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_keep()",
    ]


def upgrade() -> None:
    """Add what is new; of versions there were, only rows that have not changed since are still there."""
    op.add_column("projects", sa.Column("lease_until", sa.Text()))
    op.add_column("datasets", sa.Column("original_id", NUMBER))
    op.create_index("datasets_by_original", "datasets", ["project_id", "original_id"])
    _number()
    _find_by_number("items")
    op.create_index("items_by_project", "items", ["project_id", "id"])
    op.create_index("files_of_path", "files", ["team_id", "path"])
    op.add_column("versions", _given("items_count", sa.BigInteger(), "0"))
    op.add_column("versions", _given("size", sa.BigInteger(), "0"))
    op.execute(_COUNTS)
    op.add_column("blobs", _given("state", sa.Text(), "'live'"))
    damaged = sa.text("state = 'damaged'")
    op.create_index("blobs_damaged", "blobs", ["id"], sqlite_where=damaged, postgresql_where=damaged)
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
        triggers = _sqlite_triggers if op.get_bind().dialect.name == "sqlite" else _postgresql_triggers
        for statement in triggers(table, [*columns, "f"]):
            op.execute(statement)
    _find_by_number("items_history")
