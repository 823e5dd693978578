"""Triggers that copy a versioned row to its history table before it is updated or deleted, if a version sees it.

A row that no version sees leaves no history, however often it changes. Updating a row that a version sees without
setting `valid_from` to the current epoch is a bug of the writer's and is refused: older versions would see the new row.
"""

# ruff: noqa: S608 - the statements are composed of this package's own names

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from autoflow.server.db.schema import datasets, items, project_meta

VERSIONED = (datasets, items, project_meta)
_STALE = "a row that a version sees was updated without setting valid_from to the current epoch"


def _sqlite_statements(table: str, columns: Sequence[str]) -> list[str]:
    project = "(SELECT {} FROM projects WHERE id = old.project_id)"
    last_seen, epoch = project.format("last_version_epoch"), project.format("epoch")
    copy = (
        f"INSERT INTO {table}_history ({', '.join(columns)}, valid_to) "
        f"VALUES ({', '.join(f'old.{column}' for column in columns)}, {epoch});"
    )
    refuse = f"SELECT RAISE(ABORT, '{_STALE}') WHERE new.valid_from <= {last_seen};"
    return [
        f"CREATE TRIGGER {table}_history_on_{event.lower()} BEFORE {event} ON {table} "
        f"WHEN old.valid_from <= {last_seen} BEGIN {body} END"
        for event, body in (("UPDATE", f"{refuse} {copy}"), ("DELETE", copy))
    ]


def _postgresql_statements(table: str, columns: Sequence[str]) -> list[str]:
    copy = (
        f"INSERT INTO {table}_history ({', '.join(columns)}, valid_to) "
        f"VALUES ({', '.join(f'old.{column}' for column in columns)}, project.epoch);"
    )
    refuse = f"IF new.valid_from <= project.last_version_epoch THEN RAISE EXCEPTION '{_STALE}'; END IF;"
    return [
        f"CREATE FUNCTION {table}_to_history() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE project record; BEGIN "
        "SELECT last_version_epoch, epoch INTO project FROM projects WHERE id = old.project_id; "
        f"IF old.valid_from <= project.last_version_epoch THEN IF TG_OP = 'UPDATE' THEN {refuse} END IF; {copy} "
        "END IF; IF TG_OP = 'DELETE' THEN RETURN old; END IF; RETURN new; END $$",
        f"CREATE TRIGGER {table}_to_history BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_to_history()",
    ]


def statements(dialect: str, table: str, columns: Sequence[str]) -> list[str]:
    """Return the statements that create a table's triggers.

    Args:
        dialect: SQLAlchemy's name of the database.
        table: the versioned table's name.
        columns: its columns, `valid_from` among them.
    """
    return (_sqlite_statements if dialect == "sqlite" else _postgresql_statements)(table, columns)


def install(conn: Connection) -> None:
    """Create the triggers in a new store."""
    for table in VERSIONED:
        for statement in statements(conn.dialect.name, table.name, table.c.keys()):
            conn.exec_driver_sql(statement)
