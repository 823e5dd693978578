"""Stores as an older autoflow made them."""

from __future__ import annotations

import zlib

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, inspect, text

from autoflow.server.db import schema, setup
from autoflow.server.db.engine import make_engine

TIMESTAMP = "'2026-01-01T00:00:00.000Z'"
FILLING = (
    "INSERT INTO counters VALUES ('change', 3), ('task', 0), ('class', 0), ('tag', 0)",
    f"INSERT INTO teams (name, created_at, updated_at) VALUES ('Team', {TIMESTAMP}, {TIMESTAMP})",
    f"INSERT INTO users (login, name, created_at, updated_at) VALUES ('admin', 'Admin', {TIMESTAMP}, {TIMESTAMP})",
    f"INSERT INTO workspaces (team_id, name, created_at, updated_at) VALUES (1, 'Workspace', {TIMESTAMP}, {TIMESTAMP})",
    f"INSERT INTO projects (workspace_id, name, created_by, created_at, updated_at, epoch, last_v, change_seq, "
    f"items_count) VALUES (1, 'lemons', 1, {TIMESTAMP}, {TIMESTAMP}, 2, 1, 5, 1)",
    f"INSERT INTO datasets (project_id, name, created_by, created_at, updated_at, f) "
    f"VALUES (1, 'ds', 1, {TIMESTAMP}, {TIMESTAMP}, 1)",
    f"INSERT INTO items (project_id, dataset_id, name, link, created_by, created_at, updated_at, f) "
    f"VALUES (1, 1, 'a.png', 'http://x/a.png', 1, {TIMESTAMP}, {TIMESTAMP}, 1)",
    f"INSERT INTO blobs (hash, size, generation, created_at) VALUES ('h=', 1, 'g', {TIMESTAMP})",
    f"INSERT INTO files (team_id, path, hash, size, current, user_id, created_at, updated_at) "
    f"VALUES (1, '/b', 'h=', 1, true, 1, {TIMESTAMP}, {TIMESTAMP})",
    "INSERT INTO documents (hash, body) VALUES ('d', :body)",
    f"INSERT INTO items (project_id, dataset_id, name, hash, annotation, created_by, created_at, updated_at, f) "
    f"VALUES (1, 1, 'b.png', 'h=', 'd', 1, {TIMESTAMP}, {TIMESTAMP}, 1), "
    f"(1, 1, 'c.png', 'h=', NULL, 1, {TIMESTAMP}, {TIMESTAMP}, 1)",
    "DELETE FROM items WHERE name = 'c.png'",
    f"INSERT INTO versions (project_id, number, epoch, change_seq, digest, created_by, project_updated_at, created_at, "
    f"updated_at) VALUES (1, 1, 1, 5, 'aa', 1, {TIMESTAMP}, {TIMESTAMP}, {TIMESTAMP})",
)


def upgrade(url, revision):
    """Apply the migrations up to a revision."""
    engine = make_engine(url)
    config = Config()
    config.set_main_option("script_location", setup.__file__.replace("setup.py", "migrations"))
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, revision)
    engine.dispose()


def differences(conn):
    """Return the differences between a store and the tables of the code, without the index of words."""
    own = {"include_name": lambda name, *_: not str(name).startswith("search_")}
    return compare_metadata(MigrationContext.configure(conn, opts=own), schema.metadata)


def make_old(url, revision):
    """A store as an older autoflow made it, with a version of a project."""
    upgrade(url, revision)
    engine = make_engine(url)
    with engine.begin() as conn:
        for statement in FILLING:
            conn.execute(text(statement), {"body": zlib.compress(b'{"objects":[]}')})
    engine.dispose()


def numbered(rows):
    """The items, each with the hashes of the blob and the document that it names by number."""
    return rows.execute(
        text(
            "SELECT items.name, blobs.hash, documents.hash FROM items LEFT JOIN blobs ON blobs.id = blob_id "
            "LEFT JOIN documents ON documents.id = document_id ORDER BY items.id"
        )
    ).all()


RECORDED = (
    "INSERT INTO apps (team_id, name) VALUES (1, 'Train')",
    f"INSERT INTO tasks (number, name, app_id, team_id, workspace_id, state, facts, created_at, updated_at) "
    f"VALUES (1, 'Train', 1, 1, 1, 'finished', '{{\"a\": 1}}', {TIMESTAMP}, {TIMESTAMP})",
    f"INSERT INTO runs (key, task_id, created_at) VALUES ('r', 1, {TIMESTAMP})",
    f"INSERT INTO edges (task_id, direction, type, entity, card, at, touched) "
    f"VALUES (1, 'input', 'folder', '/in', 'folder:/in', {TIMESTAMP}, 1)",
    f"INSERT INTO tokens (user_id, hash, start, created_at) VALUES (1, 'digest', '0a1b2c', {TIMESTAMP})",
    "INSERT INTO record_keys (key) VALUES ('j.1')",
    f"INSERT INTO unknown_methods (method, count, last_at) VALUES ('a.b', 3, {TIMESTAMP})",
    "UPDATE counters SET value = 1 WHERE name = 'task'",
    f"INSERT INTO tasks (id, number, team_id, workspace_id, created_at, updated_at) "
    f"VALUES (700, 700, 1, 1, {TIMESTAMP}, {TIMESTAMP})",
)


def make_recorded(url, revision):
    """As `make_old`, with a run that was recorded at revision 0005 at the latest, and a token."""
    first = min(revision, "0005")
    make_old(url, first)
    record(url)
    upgrade(url, revision)


def record(url):
    """Insert a run, and a token."""
    engine = make_engine(url)
    with engine.begin() as conn:
        for statement in RECORDED:
            conn.exec_driver_sql(statement)
    engine.dispose()


def check_recorded(server):
    """The run is there, nobody wrote it, its records are known, and the next one has the next number."""
    response = server.call("tasks.info", {"id": 1})
    assert (response["createdBy"], response["autoflow"]["facts"]) == (1, {"a": 1})
    run = server.call("autoflow.overview.run", {"id": 1})
    assert (run["createdBy"], [entry["id"] for entry in run["inputs"]]) == (None, ["/in"])
    record = {"key": "j.1", "type": "facts", "run": "r", "facts": {"b": 1}}
    again = server.call("autoflow.records.add", {"records": [record, {**record, "key": "j.2"}]})["results"]
    assert [entry["status"] for entry in again] == ["duplicate", "applied"]
    assert server.call("autoflow.unknown_methods", {})["methods"][0]["count"] == 3
    assert server.call("autoflow.runs.ensure", {"run": "next"})["task"] == 2
    assert [token.prefix for token in server.tokens.list()] == ["0a1b2c"]
    other = server.tokens.caller(server.tokens.create("ann", ["oranges"]))
    assert server.call("autoflow.tasks.ensure", {"id": 700}, other)["id"] not in {1, 2, 700}


# The tables that revision 0009 renamed.
RENAMED = {"sessions": "upload_leases", "uploads": "blob_leases", "unknown_methods": "unsupported_methods"}
# Tables whose rows a migration converts, or that are an index of others.
CONVERTED = ("alembic_version", "counters", "search_", "sqlite_")


def migrations():
    """Return all migrations, the oldest first."""
    config = Config()
    config.set_main_option("script_location", setup.__file__.replace("setup.py", "migrations"))
    return list(ScriptDirectory.from_config(config).walk_revisions())[::-1]


def migrate(conn, migration):
    """Apply one migration as Alembic does, without loading all others each time."""
    with Operations.context(MigrationContext.configure(conn, opts={"render_as_batch": True})):
        migration.module.upgrade()
    conn.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": migration.revision})


def fill_new_tables(conn, known):
    """Insert a row into each table that is not known: numbers are 1, as the ids of the rows that it may refer to."""
    names = {*inspect(conn).get_table_names()}
    new = names - known - {now for before, now in RENAMED.items() if before in known}
    tables = MetaData()
    tables.reflect(conn, only=[name for name in new if not name.startswith(CONVERTED)])
    for table in tables.sorted_tables:
        if table.name in new:
            row = {column.name: _value(column) for column in table.columns if column.server_default is None}
            conn.execute(table.insert().values(**row))
    return names


def _value(column):
    python_type = column.type.python_type
    if python_type is str:
        return TIMESTAMP.strip("'") if column.name.endswith("_at") else "{}"
    return b"{}" if python_type is bytes else python_type(1)


def count_rows(conn):
    """Return the number of rows of each table that a migration keeps, by the table's present name."""
    names = [name for name in inspect(conn).get_table_names() if not name.startswith(CONVERTED)]
    return {RENAMED.get(name, name): conn.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar() for name in names}
