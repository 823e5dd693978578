"""The tables, in SQLAlchemy Core, for SQLite and PostgreSQL.

Versioned rows (datasets, items, a project's classes and tags) form temporal tables: `valid_from` is the epoch that a
row is valid from; a project's `epoch` is the current one and `last_version_epoch` that of its last version. When a row
that a version sees is updated or deleted, triggers (`db.history_triggers`) copy it to its ``*_history`` table with
`valid_to`, the first epoch that does not see it any more. Every write maintains `change_seq` and `digest`
(`db.change_tracking`), so that one comparison tells whether a project has changed. Ids are never reused.

`REVISION` is the migration that ends in this schema; a test compares the two.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    and_,
    false,
    text,
)

from autoflow.server.db.columns import Number, Path
from autoflow.server.db.columns import author as _author
from autoflow.server.db.columns import foreign_key as _foreign_key
from autoflow.server.db.columns import identifier as _id
from autoflow.server.db.columns import text_column as _text
from autoflow.server.db.columns import timestamps as _timestamps

REVISION = "0035"

metadata = MetaData()


def _table(name: str, *parts: Any) -> Table:
    return Table(name, metadata, *parts, sqlite_autoincrement=bool(parts[0].name == "id"))


def _index_by_epoch(table: Table) -> None:
    """Index the rows that are newer than a project's first epoch; most are not, and no query by epoch needs those."""
    epochs = [table.c[name] for name in ("valid_from", "valid_to") if name in table.c]
    newer = table.c.valid_from > text("1")
    Index(f"{table.name}_by_epoch", table.c.project_id, *epochs, sqlite_where=newer, postgresql_where=newer)


counters = _table("counters", Column("name", Text, primary_key=True), Column("value", BigInteger, nullable=False))

# On PostgreSQL: the write transactions of each team, in as many shards as there were at a time (`db.counters`).
change_counts = _table(
    "change_counts",
    Column("team_id", Number, nullable=False),
    Column("shard", Number, nullable=False),
    Column("value", BigInteger, nullable=False),
    PrimaryKeyConstraint("team_id", "shard"),
)

# One row: the random id of this store, and whether it was written to the blob store, too (`db.identity`).
identity = _table(
    "identity",
    Column("key", Text, primary_key=True),
    Column("marked", Boolean, nullable=False, server_default=false()),
    Column("created_at", Text, nullable=False),
)

teams = _table("teams", _id(), _text("name"), _text("description"), *_timestamps())
users = _table(
    "users",
    _id(),
    _text("login"),
    _text("name"),
    Column("oidc_subject", Text),  # issuer and subject of the account that signs in as this user
    Column("disabled", Boolean, nullable=False, server_default=false()),
    *_timestamps(),
)
Index("teams_by_name", teams.c.name, unique=True)
Index("users_by_login", users.c.login, unique=True)
Index("users_by_oidc_subject", users.c.oidc_subject, unique=True)
members = _table(
    "members",
    Column("team_id", Number, ForeignKey("teams.id"), nullable=False),
    Column("user_id", Number, ForeignKey("users.id"), nullable=False),
    _text("role", "'editor'"),
    PrimaryKeyConstraint("team_id", "user_id"),
)

# Access tokens: only the sha256 of a token is stored, and its first characters (`prefix`) to recognize it by. A token
# with a task is restricted to a reproduction of that task (`methods.admin.reproduction_tokens`).
tokens = _table(
    "tokens",
    _id(),
    _foreign_key("user_id", "users"),
    Column("hash", Text, nullable=False, unique=True),
    Column("prefix", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("expires_at", Text),
    _foreign_key("task_id", "tasks", nullable=True),
    _text("scope", "'write'"),
    Column("last_used_at", Text),
    Column("view", Text),
)
workspaces = _table(
    "workspaces",
    _id(),
    _foreign_key("team_id", "teams"),
    _text("name"),
    _text("description"),
    Column("hidden", Boolean, nullable=False, server_default=false()),
    *_timestamps(),
    UniqueConstraint("team_id", "name", name="workspaces_by_name"),
)

projects = _table(
    "projects",
    _id(),
    _foreign_key("workspace_id", "workspaces"),
    _text("name"),
    _text("description"),
    _text("readme"),
    _text("type", "'images'"),
    _text("custom_data", "'{}'"),
    _text("settings", "'{}'"),
    _text("import_settings", "'{}'"),
    _text("backup_archive", "'{}'"),
    _foreign_key("created_by", "users"),
    *_timestamps(),
    Column("epoch", BigInteger, nullable=False, server_default=text("1")),
    Column("last_version_epoch", BigInteger, nullable=False, server_default=text("0")),
    Column("change_seq", BigInteger, nullable=False, server_default=text("0")),
    _text("digest", "'0'"),
    Column("items_count", BigInteger, nullable=False, server_default=text("0")),
    Column("size", BigInteger, nullable=False, server_default=text("0")),
    _text("state", "'active'"),
    Column("lease_until", Text),
)
Index(
    "projects_by_name",
    projects.c.workspace_id,
    projects.c.name,
    unique=True,
    sqlite_where=projects.c.state != "removed",
    postgresql_where=projects.c.state != "removed",
)

project_meta = _table(
    "project_meta",
    Column("project_id", Number, ForeignKey("projects.id"), primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
    Column("valid_from", BigInteger, nullable=False),
)

# `original_id` is the dataset that this one was first restored from, over any number of restores; NULL for none.
datasets = _table(
    "datasets",
    _id(),
    _foreign_key("project_id", "projects"),
    _foreign_key("parent_id", "datasets", nullable=True),
    Column("original_id", Number),
    _text("name"),
    _text("description"),
    _text("custom_data", "'{}'"),
    _foreign_key("created_by", "users"),
    *_timestamps(),
    Column("valid_from", BigInteger, nullable=False),
)
Index("datasets_by_name", datasets.c.parent_id, datasets.c.name, unique=True)
Index(
    "datasets_at_top",
    datasets.c.project_id,
    datasets.c.name,
    unique=True,
    sqlite_where=datasets.c.parent_id.is_(None),
    postgresql_where=datasets.c.parent_id.is_(None),
)
_index_by_epoch(datasets)
Index("datasets_by_original", datasets.c.project_id, datasets.c.original_id)

# Annotations: a canonical JSON document an image, deflated; equal documents share a row.
documents = _table(
    "documents",
    _id(),
    Column("hash", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("hash", name="documents_by_hash"),
)

# `hash` and `annotation` are an item's content; `blob_id` and `document_id` are the ids of the rows with these hashes
# (`db.content_ids`), NULL for content that is not stored here.
items = _table(
    "items",
    _id(),
    _foreign_key("project_id", "projects"),
    _foreign_key("dataset_id", "datasets"),
    _text("name"),
    Column("hash", Text),
    Column("link", Text),
    Column("mime", Text),
    Column("size", BigInteger),
    Column("width", BigInteger),
    Column("height", BigInteger),
    _text("meta", "'{}'"),
    _text("tags", "'[]'"),
    Column("annotation", Text),
    _foreign_key("blob_id", "blobs", nullable=True),
    _foreign_key("document_id", "documents", nullable=True),
    Column("labels", BigInteger, nullable=False, server_default=text("0")),
    _text("description"),
    _foreign_key("created_by", "users"),
    *_timestamps(),
    Column("valid_from", BigInteger, nullable=False),
    UniqueConstraint("dataset_id", "name", name="items_by_name"),
)
Index("items_by_project", items.c.project_id, items.c.id)
_index_by_epoch(items)


def _history(table: Table) -> Table:
    """Return the history table of a versioned one: its old rows, each valid from `valid_from` to before `valid_to`."""
    columns = [Column(column.name, column.type) for column in table.c if column.name != "valid_from"]
    key = table.primary_key.columns.keys()[0]
    epochs = [Column("valid_from", BigInteger, nullable=False), Column("valid_to", BigInteger, nullable=False)]
    primary_key = PrimaryKeyConstraint(*dict.fromkeys(("project_id", key, "valid_from")))
    history = Table(f"{table.name}_history", metadata, *columns, *epochs, primary_key)
    if key != "project_id":
        Index(f"{history.name}_by_end", history.c.project_id, history.c.valid_to, history.c.valid_from)
        _index_by_epoch(history)
    return history


datasets_history = _history(datasets)
items_history = _history(items)
project_meta_history = _history(project_meta)
for _item_table in (items, items_history):
    _name, _column = _item_table.name, _item_table.c
    _elsewhere = and_(_column.blob_id.is_(None), _column.hash.is_not(None))
    Index(f"{_name}_by_blob", _column.blob_id)
    Index(f"{_name}_by_document", _column.document_id)
    Index(f"{_name}_elsewhere", _column.hash, sqlite_where=_elsewhere, postgresql_where=_elsewhere)

# Reserved first (its client commits it with `token`; until `lease_until` no other client can reserve), then committed.
versions = _table(
    "versions",
    _id(),
    _foreign_key("project_id", "projects"),
    Column("number", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("change_seq", BigInteger, nullable=False),
    _text("digest"),
    Column("items_count", BigInteger, nullable=False, server_default=text("0")),
    Column("size", BigInteger, nullable=False, server_default=text("0")),
    Column("name", Text),
    Column("description", Text),
    _text("status", "'committed'"),
    _foreign_key("created_by", "users"),
    _foreign_key("team_file_id", "files", nullable=True),
    _foreign_key("preview_project_id", "projects", nullable=True),
    Column("project_updated_at", Text, nullable=False),
    Column("token", Text),
    Column("lease_until", Text),
    *_timestamps(),
    UniqueConstraint("project_id", "number", name="versions_by_number"),
)
Index("versions_by_file", versions.c.team_file_id)

# Labeling jobs; `meta` is JSON: what is to be labeled, and the ids of the images.
jobs = _table(
    "jobs",
    _id(),
    _text("name"),
    _text("readme"),
    _text("description"),
    _foreign_key("project_id", "projects"),
    Column("dataset_id", Number, nullable=False),
    _foreign_key("created_by", "users"),
    _foreign_key("assigned_to", "users"),
    _foreign_key("reviewer_id", "users", nullable=True),
    _text("status", "'pending'"),
    Column("disabled", Boolean, nullable=False, server_default=false()),
    _text("meta", "'{}'"),
    _text("custom_data", "'{}'"),
    Column("queue_id", Number),
    Column("started_at", Text),
    Column("finished_at", Text),
    *_timestamps(),
)
Index("jobs_by_project", jobs.c.project_id)
Index("jobs_by_queue", jobs.c.queue_id)

# Stored files: `hash` is base64(sha256), as on the wire; `generation` makes the file's name unique. For `state` see
# `db.blobs`.
blobs = _table(
    "blobs",
    _id(),
    Column("hash", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    _text("generation"),
    _text("state", "'live'"),
    Column("mime", Text),
    Column("width", BigInteger),
    Column("height", BigInteger),
    Column("created_at", Text, nullable=False),
    UniqueConstraint("hash", name="blobs_by_hash"),
)

_damaged = blobs.c.state == "damaged"
Index("blobs_damaged", blobs.c.id, sqlite_where=_damaged, postgresql_where=_damaged)

# Leases on blobs: the user has uploaded the bytes, or was told that they exist, and may reference them until the lease
# ends; until then they are not collected. `description` is JSON: what the user sent of the file, or what was read.
blob_leases = _table(
    "blob_leases",
    Column("hash", Text, ForeignKey("blobs.hash"), nullable=False),
    Column("user_id", Number, ForeignKey("users.id"), nullable=False),
    _text("lease_until"),
    Column("description", Text),
    PrimaryKeyConstraint("hash", "user_id"),
)

# Leases of processes that write files no row names yet; the names of such files begin with the lease's key.
upload_leases = _table(
    "upload_leases", Column("key", Text, primary_key=True), Column("lease_until", Text, nullable=False)
)

# Team files: the current one of each path, and those it replaced, which stay readable by their id.
files = _table(
    "files",
    _id(),
    _foreign_key("team_id", "teams"),
    Column("path", Path, nullable=False),
    _text("name"),
    Column("hash", Text, ForeignKey("blobs.hash"), nullable=False),
    Column("size", BigInteger, nullable=False),
    _text("mime"),
    Column("current", Boolean, nullable=False),
    _foreign_key("user_id", "users"),
    *_timestamps(),
)
Index(
    "files_by_path",
    files.c.team_id,
    files.c.path,
    unique=True,
    sqlite_where=text("current"),
    postgresql_where=text("current"),
)
Index("files_by_hash", files.c.hash)
Index("files_of_path", files.c.team_id, files.c.path)  # replaced ones, too

apps = _table(
    "apps",
    _id(),
    _foreign_key("team_id", "teams"),
    _text("name"),
    _author(),
    UniqueConstraint("team_id", "name", name="apps_by_name"),
)

# `number` is the task's number at its origin; for the server's own (origin '') it is the id. Tasks of other origins
# belong to the team that recorded them.
tasks = _table(
    "tasks",
    _id(),
    _text("origin"),
    Column("number", BigInteger, nullable=False),
    _text("name"),
    _foreign_key("app_id", "apps", nullable=True),
    _foreign_key("team_id", "teams"),
    _foreign_key("workspace_id", "workspaces"),
    _text("state", "'running'"),
    Column("error", Text),
    _text("facts", "'{}'"),
    Column("card_settings", Text),
    Column("started_at", Text),
    Column("finished_at", Text),
    *_timestamps(),
    _author(),
    UniqueConstraint("origin", "number", "team_id", name="tasks_by_number"),
)
Index("tasks_by_workspace", tasks.c.workspace_id, tasks.c.id)

# Task numbers that a team uses from elsewhere, and the tasks they denote for that team.
task_numbers = _table(
    "task_numbers",
    Column("team_id", Number, ForeignKey("teams.id"), nullable=False),
    Column("number", BigInteger, nullable=False),
    _foreign_key("task_id", "tasks"),
    PrimaryKeyConstraint("team_id", "number"),
)
Index("task_numbers_by_number", task_numbers.c.number)

# Facts of a task beside its current ones: those recorded after it ended that differ, and those that a later run with
# its number replaced.
task_facts = _table(
    "task_facts",
    _id(),
    _foreign_key("task_id", "tasks"),
    Column("at", Text, nullable=False),
    Column("facts", Text, nullable=False),
    _author(),
)
Index("task_facts_by_task", task_facts.c.task_id, task_facts.c.id)

run_contents = _table(  # pieces of contents that facts name (`model.run_contents`)
    "run_contents",
    Column("team_id", Number, ForeignKey("teams.id"), primary_key=True, autoincrement=False),
    Column("hash", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

# Results and parameters of tasks (`db.run_values`), each a number or a text.
run_values = _table(
    "run_values",
    Column("task_id", Number, ForeignKey("tasks.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("number", Float(53)),
    Column("text", Text),
    PrimaryKeyConstraint("task_id", "name"),
)
Index("run_values_by_number", run_values.c.name, run_values.c.number)
Index("run_values_by_text", run_values.c.name, run_values.c.text)

# The task of each run: several runs of a process may share a task number from elsewhere.
runs = _table(
    "runs",
    Column("key", Text, primary_key=True),
    _foreign_key("task_id", "tasks"),
    Column("parent", Text),
    Column("created_at", Text, nullable=False),
    _author(),
)
Index("runs_by_task", runs.c.task_id)

entities = _table(  # entities of other servers, as recorded by a team; they are not verified
    "entities",
    Column("team_id", Number, ForeignKey("teams.id"), nullable=False),
    Column("origin", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("entity", Text, nullable=False),
    _text("name"),
    Column("created_at", Text, nullable=False),
    _author(),
    PrimaryKeyConstraint("team_id", "origin", "type", "entity"),
)

# `entity` is an id in decimal, or a folder's path; `entity_key` is EntityRef.key, by which graphs are traversed;
# `updated_ns` is when the row was inserted or its settings (`meta`) were last replaced, in nanoseconds since 1970.
edges = _table(
    "edges",
    _id(),
    _foreign_key("task_id", "tasks"),
    _text("direction"),
    _text("origin"),
    _text("type"),
    _text("entity"),
    _text("entity_key"),
    Column("meta", Text),
    Column("at", Text, nullable=False),
    Column("updated_ns", BigInteger, nullable=False),
    _author(),
    UniqueConstraint("task_id", "direction", "origin", "type", "entity", name="edges_once"),
)
Index("edges_by_entity_key", edges.c.entity_key)

unsupported_methods = _table(  # methods that clients of a team called and that this server does not have
    "unsupported_methods",
    Column("team_id", Number, ForeignKey("teams.id"), nullable=False),
    Column("method", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("last_at", Text, nullable=False),
    PrimaryKeyConstraint("team_id", "method"),
)

# Idempotency keys of records; those older than revision 0006 have team 0.
record_keys = _table(
    "record_keys",
    Column("team_id", Number, nullable=False),
    Column("key", Text, nullable=False),
    PrimaryKeyConstraint("team_id", "key"),
)

logs = _table(
    "logs",
    _id(),
    _foreign_key("task_id", "tasks"),
    Column("at", Text, nullable=False),
    Column("lines", Text, nullable=False),
    _author(),
)
Index("logs_by_task", logs.c.task_id, logs.c.id)
