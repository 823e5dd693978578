"""Index the words of names, paths and messages, which searches had read row by row."""

from __future__ import annotations

from alembic import op

from autoflow.server.db.search_index import statements

revision = "0023"
down_revision = "0022"

_COLUMNS = {
    "projects": ("name", "description"),
    "datasets": ("name",),
    "tasks": ("name", "error"),
    "files": ("path",),
    "versions": ("name", "description"),
    "jobs": ("name",),
}


def upgrade() -> None:
    """Create the index; on a large store that reads every row of these tables."""
    bind = op.get_bind()
    for statement in statements(bind.dialect.name, _COLUMNS):
        bind.exec_driver_sql(statement)
