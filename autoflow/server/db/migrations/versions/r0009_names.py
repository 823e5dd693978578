"""Rename columns, tables and triggers to the terms that the code uses. No row is copied."""

from __future__ import annotations

from alembic import op

from autoflow.server.db.history_triggers import statements
from autoflow.server.db.migrations.versions.r0004_history import DATASETS, ITEMS, META

revision = "0009"
down_revision = "0008"

_VERSIONED = {"datasets": DATASETS, "items": ITEMS, "project_meta": META}
_COLUMNS = (
    *((table, "f", "valid_from") for name in _VERSIONED for table in (name, f"{name}_history")),
    *((f"{name}_history", "t", "valid_to") for name in _VERSIONED),
    ("projects", "last_v", "last_version_epoch"),
    ("tasks", "node", "card_settings"),
)
_TABLES = (("sessions", "upload_leases"), ("uploads", "blob_leases"), ("unknown_methods", "unsupported_methods"))


def upgrade() -> None:
    """Rename; the triggers are created again, as their code names the columns."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    for table in _VERSIONED:
        if sqlite:
            op.execute(f"DROP TRIGGER {table}_UPDATEd")
            op.execute(f"DROP TRIGGER {table}_DELETEd")
        else:
            op.execute(f"DROP TRIGGER {table}_kept ON {table}")
            op.execute(f"DROP FUNCTION {table}_keep()")
    for table, old, new in _COLUMNS:
        # SQLite's own statement: Alembic would copy the table
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")
    for old, new in _TABLES:
        op.rename_table(old, new)
    for table, columns in _VERSIONED.items():
        for statement in statements("sqlite" if sqlite else "postgresql", table, [*columns, "valid_from"]):
            op.execute(statement)
