"""Every row says who wrote it; numbers of tasks, keys of records and counts of unsupported methods are a team's own."""

# ruff: noqa: S608 - what is put together here are names of this package's own

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AUTHORED = ("apps", "runs", "entities", "edges", "logs")
OLD_KEYS = 0  # the team of keys from before they were a team's own: they count for all
FIRST_TEAM = 1

_TASKS = (
    *("id", "origin", "number", "name", "app_id", "team_id", "workspace_id", "state", "error", "facts", "node"),
    *("started_at", "finished_at", "created_at", "updated_at"),
)


def _author() -> sa.Column[int]:
    return sa.Column("created_by", NUMBER, sa.ForeignKey("users.id"))


def _add_author(table: str, kind: str) -> None:
    # Alembic adds no column with a constraint to a table of SQLite, which itself can
    op.execute(f"ALTER TABLE {table} ADD COLUMN created_by {kind} REFERENCES users (id)")


def _text(name: str, default: str | None = None) -> sa.Column[str]:
    if default is None:
        return sa.Column(name, sa.Text())
    return sa.Column(name, sa.Text(), server_default=sa.text(default), nullable=False)


def _tasks_sqlite() -> None:
    """Make the table anew, as SQLite drops no constraint of one that is there; rows that name tasks stay."""
    names = ", ".join(_TASKS)
    last = op.get_bind().execute(sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'tasks'")).scalar()
    op.execute("PRAGMA defer_foreign_keys = ON")  # until this transaction ends
    op.execute(f"CREATE TEMP TABLE kept AS SELECT {names} FROM tasks ORDER BY id")
    op.drop_table("tasks")
    op.create_table(
        "tasks",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        _text("origin", "''"),
        sa.Column("number", sa.BigInteger(), nullable=False),
        _text("name", "''"),
        sa.Column("app_id", NUMBER, sa.ForeignKey("apps.id")),
        sa.Column("team_id", NUMBER, sa.ForeignKey("teams.id"), nullable=False),
        sa.Column("workspace_id", NUMBER, sa.ForeignKey("workspaces.id"), nullable=False),
        _text("state", "'running'"),
        _text("error"),
        _text("facts", "'{}'"),
        _text("node"),
        _text("started_at"),
        _text("finished_at"),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        _author(),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("origin", "number", "team_id", name="tasks_by_number"),
        sqlite_autoincrement=True,
    )
    op.create_index("tasks_by_workspace", "tasks", ["workspace_id", "id"])
    op.execute(f"INSERT INTO tasks ({names}) SELECT {names} FROM kept ORDER BY id")
    op.execute("DROP TABLE kept")
    if last is not None:  # no number is given twice
        op.execute(f"UPDATE sqlite_sequence SET seq = {int(last)} WHERE name = 'tasks'")


def _tasks_postgresql() -> None:
    _add_author("tasks", "BIGINT")
    op.drop_constraint("tasks_by_number", "tasks")
    op.create_unique_constraint("tasks_by_number", "tasks", ["origin", "number", "team_id"])


def _by_team(table: str, team: int, *columns: sa.Column[object], refers: bool) -> None:
    """Make a table anew with its team in front of its key."""
    key, *others = (column.name for column in columns)
    names = ", ".join((key, *others))
    op.execute(f"CREATE TEMP TABLE kept AS SELECT {names} FROM {table}")
    op.drop_table(table)
    op.create_table(
        table,
        sa.Column("team_id", NUMBER, *([sa.ForeignKey("teams.id")] if refers else []), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("team_id", key),
    )
    op.execute(f"INSERT INTO {table} (team_id, {names}) SELECT {team}, {names} FROM kept")
    op.execute("DROP TABLE kept")


def upgrade() -> None:
    """Who wrote what there is stays unknown."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    (_tasks_sqlite if sqlite else _tasks_postgresql)()
    for table in AUTHORED:
        _add_author(table, "INTEGER" if sqlite else "BIGINT")
    op.create_table(
        "task_numbers",
        sa.Column("team_id", NUMBER, sa.ForeignKey("teams.id"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("task_id", NUMBER, sa.ForeignKey("tasks.id"), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "number"),
    )
    op.create_index("task_numbers_by_number", "task_numbers", ["number"])
    op.execute(  # what the counter has not come to was given from outside
        "INSERT INTO task_numbers (team_id, number, task_id) SELECT team_id, id, id FROM tasks "
        "WHERE origin = '' AND id > (SELECT value FROM counters WHERE name = 'task')"
    )
    op.create_table(
        "task_facts",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("task_id", NUMBER, sa.ForeignKey("tasks.id"), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        _author(),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("task_facts_by_task", "task_facts", ["task_id", "id"])
    _by_team("record_keys", OLD_KEYS, sa.Column("key", sa.Text(), nullable=False), refers=False)
    _by_team(
        "unknown_methods",
        FIRST_TEAM,
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.Text(), nullable=False),
        refers=True,
    )
