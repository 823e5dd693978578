"""Triggers that keep a versioned row as it was, when it is changed or removed and a version sees it.

A row that no version sees leaves nothing behind, however often it is changed. Changing one that a version sees without
giving it the epoch being written is an error of the writer's, and refused: the row would be seen by versions older
than the change.
"""

# ruff: noqa: S608 - what is put together here are names of this package's own

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from autoflow.server.db.schema import datasets, items, project_meta

VERSIONED = (datasets, items, project_meta)
_STALE = "a row that a version sees was changed, and not given the epoch being written"


def _of_sqlite(table: str, columns: Sequence[str]) -> list[str]:
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


def _of_postgresql(table: str, columns: Sequence[str]) -> list[str]:
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


def statements(dialect: str, table: str, columns: Sequence[str]) -> list[str]:
    """What makes the triggers of a table with these columns, `f` among them."""
    return (_of_sqlite if dialect == "sqlite" else _of_postgresql)(table, columns)


def install(conn: Connection) -> None:
    """Make the triggers of a new store."""
    for table in VERSIONED:
        for statement in statements(conn.dialect.name, table.name, table.c.keys()):
            conn.exec_driver_sql(statement)
