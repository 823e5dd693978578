"""Rename `edges.card`, `edges.touched` and `tokens.start`, and the index on the first, to say what they hold."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"

_COLUMNS = (
    ("edges", "card", "entity_key"),
    ("edges", "touched", "updated_ns"),
    ("tokens", "start", "prefix"),
)


def upgrade() -> None:
    """Rename; no row is copied, but SQLite, which cannot rename an index, builds it again."""
    for table, old, new in _COLUMNS:
        # SQLite's own statement: Alembic would copy the table
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index("edges_by_card", "edges")
        op.create_index("edges_by_entity_key", "edges", ["entity_key"])
    else:
        op.execute("ALTER INDEX edges_by_card RENAME TO edges_by_entity_key")
