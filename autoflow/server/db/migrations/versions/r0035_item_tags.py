"""Index the ids of tags on items."""

from __future__ import annotations

from alembic import op

from autoflow.server.db.tag_index import statements

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    """Create the index, and fill it with the items that there are."""
    bind = op.get_bind()
    for statement in statements(bind.dialect.name):
        bind.exec_driver_sql(statement)
