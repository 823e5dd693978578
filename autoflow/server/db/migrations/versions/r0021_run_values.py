"""Index the results and the parameters of runs, by which runs are searched."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from autoflow.server.db.migrations.versions.r0001_first import NUMBER
from autoflow.server.db.run_values import values_of

revision = "0021"
down_revision = "0020"

_BATCH = 500


def upgrade() -> None:
    """Create the table, and fill it from the facts of the runs that there are."""
    table = op.create_table(
        "run_values",
        sa.Column("task_id", NUMBER, sa.ForeignKey("tasks.id"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.Float(53)),
        sa.Column("text", sa.Text()),
        sa.PrimaryKeyConstraint("task_id", "name"),
    )
    op.create_index("run_values_by_number", "run_values", ["name", "number"])
    op.create_index("run_values_by_text", "run_values", ["name", "text"])
    conn = op.get_bind()
    next_tasks = sa.text("SELECT id, facts FROM tasks WHERE id > :after AND facts <> '{}' ORDER BY id LIMIT :size")
    after = 0
    while rows := conn.execute(next_tasks, {"after": after, "size": _BATCH}).all():
        values = [{"task_id": row.id, **value} for row in rows for value in values_of(row.facts)]
        if values:
            op.bulk_insert(table, values)
        after = rows[-1].id
