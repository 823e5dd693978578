"""The tables, in SQLAlchemy Core, right on SQLite and PostgreSQL.

Versioned rows (datasets, items, a project's classes and tags) carry `f`, the epoch they are valid from; a project's
`epoch` is the one being written, `last_v` the last one a version closed. A row that a version sees goes to its
``*_history`` table when it is changed or removed, with `t`, the first epoch that no longer sees it: triggers do that
(`store.history`), so that no writer can forget. `change_seq` and `digest` are kept by every write (`store.edits`), so
that "nothing changed" is one comparison. Numbers are never given twice.

`REVISION` names the migration that ends in this schema; a test holds the two together.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
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

REVISION = "0008"

metadata = MetaData()

# SQLite makes only INTEGER PRIMARY KEY its row id; PostgreSQL needs the wide type said.
Number = BigInteger().with_variant(Integer(), "sqlite")
# Compared byte by byte, so that a prefix is a range; SQLite does so anyway.
Path = Text().with_variant(Text(collation="C"), "postgresql")


def _id() -> Column[int]:
    return Column("id", Number, primary_key=True, autoincrement=True)


def _given(name: str, default: str = "''") -> Column[str]:
    return Column(name, Text, nullable=False, server_default=text(default))


def _author() -> Column[int]:
    """Who wrote a row; None where that was not kept, before revision 0006."""
    return Column("created_by", Number, ForeignKey("users.id"))


def _times() -> tuple[Column[str], Column[str]]:
    return Column("created_at", Text, nullable=False), Column("updated_at", Text, nullable=False)


def _of(name: str, table: str, **options: Any) -> Column[int]:
    return Column(name, Number, ForeignKey(f"{table}.id"), **{"nullable": False, **options})


def _table(name: str, *parts: Any) -> Table:
    return Table(name, metadata, *parts, sqlite_autoincrement=bool(parts[0].name == "id"))


def _by_epoch(table: Table) -> None:
    """An index of what came after a project's first epoch: most rows never did, and nobody asks for those by it."""
    epochs = [table.c[name] for name in ("f", "t") if name in table.c]
    later = table.c.f > text("1")
    Index(f"{table.name}_by_epoch", table.c.project_id, *epochs, sqlite_where=later, postgresql_where=later)


counters = _table("counters", Column("name", Text, primary_key=True), Column("value", BigInteger, nullable=False))

# One row: the random id of this store, and whether its blobs have been marked with it (`store.identity`).
identity = _table(
    "identity",
    Column("key", Text, primary_key=True),
    Column("marked", Boolean, nullable=False, server_default=false()),
    Column("created_at", Text, nullable=False),
)

teams = _table("teams", _id(), _given("name"), _given("description"), *_times())
users = _table("users", _id(), _given("login"), _given("name"), *_times())
Index("teams_by_name", teams.c.name, unique=True)
Index("users_by_login", users.c.login, unique=True)
members = _table(
    "members",
    Column("team_id", Number, ForeignKey("teams.id"), nullable=False),
    Column("user_id", Number, ForeignKey("users.id"), nullable=False),
    PrimaryKeyConstraint("team_id", "user_id"),
)

# What proves who somebody is: of the token itself only its sha256 is kept, and its first letters to tell it by. A token
# with a task is that of a reproduction of the task: see `operations.reproduction_tokens`.
tokens = _table(
    "tokens",
    _id(),
    _of("user_id", "users"),
    Column("hash", Text, nullable=False, unique=True),
    Column("start", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("expires_at", Text),
    _of("task_id", "tasks", nullable=True),
)
workspaces = _table(
    "workspaces",
    _id(),
    _of("team_id", "teams"),
    _given("name"),
    _given("description"),
    Column("hidden", Boolean, nullable=False, server_default=false()),
    *_times(),
    UniqueConstraint("team_id", "name", name="workspaces_by_name"),
)

projects = _table(
    "projects",
    _id(),
    _of("workspace_id", "workspaces"),
    _given("name"),
    _given("description"),
    _given("readme"),
    _given("type", "'images'"),
    _given("custom_data", "'{}'"),
    _given("settings", "'{}'"),
    _given("import_settings", "'{}'"),
    _of("created_by", "users"),
    *_times(),
    Column("epoch", BigInteger, nullable=False, server_default=text("1")),
    Column("last_v", BigInteger, nullable=False, server_default=text("0")),
    Column("change_seq", BigInteger, nullable=False, server_default=text("0")),
    _given("digest", "'0'"),
    Column("items_count", BigInteger, nullable=False, server_default=text("0")),
    Column("size", BigInteger, nullable=False, server_default=text("0")),
    _given("state", "'active'"),
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
    Column("f", BigInteger, nullable=False),
)

# `original_id` is the dataset this one was restored from, through any number of restores; None for itself.
datasets = _table(
    "datasets",
    _id(),
    _of("project_id", "projects"),
    _of("parent_id", "datasets", nullable=True),
    Column("original_id", Number),
    _given("name"),
    _given("description"),
    _given("custom_data", "'{}'"),
    _of("created_by", "users"),
    *_times(),
    Column("f", BigInteger, nullable=False),
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
_by_epoch(datasets)
Index("datasets_by_original", datasets.c.project_id, datasets.c.original_id)

# Annotations, one canonical JSON document an image, deflated; the same content is one row.
documents = _table(
    "documents",
    _id(),
    Column("hash", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("hash", name="documents_by_hash"),
)

# `hash` and `annotation` say what an item is; `blob_id` and `document_id` are the numbers of what they name, which
# `store.numbers` gives: none for content that is not kept here.
items = _table(
    "items",
    _id(),
    _of("project_id", "projects"),
    _of("dataset_id", "datasets"),
    _given("name"),
    Column("hash", Text),
    Column("link", Text),
    Column("mime", Text),
    Column("size", BigInteger),
    Column("width", BigInteger),
    Column("height", BigInteger),
    _given("meta", "'{}'"),
    _given("tags", "'[]'"),
    Column("annotation", Text),
    _of("blob_id", "blobs", nullable=True),
    _of("document_id", "documents", nullable=True),
    Column("labels", BigInteger, nullable=False, server_default=text("0")),
    _given("description"),
    _of("created_by", "users"),
    *_times(),
    Column("f", BigInteger, nullable=False),
    UniqueConstraint("dataset_id", "name", name="items_by_name"),
)
Index("items_by_project", items.c.project_id, items.c.id)
_by_epoch(items)


def _history(table: Table) -> Table:
    """The rows of a versioned table as they were, each with the epochs that see it: from `f` to before `t`."""
    was = [Column(column.name, column.type) for column in table.c if column.name != "f"]
    key = table.primary_key.columns.keys()[0]
    epochs = [Column("f", BigInteger, nullable=False), Column("t", BigInteger, nullable=False)]
    place = dict.fromkeys(("project_id", key, "f"))
    kept = Table(f"{table.name}_history", metadata, *was, *epochs, PrimaryKeyConstraint(*place))
    if key != "project_id":
        Index(f"{kept.name}_by_end", kept.c.project_id, kept.c.t, kept.c.f)
        _by_epoch(kept)
    return kept


datasets_history = _history(datasets)
items_history = _history(items)
project_meta_history = _history(project_meta)
for _table_of_items in (items, items_history):
    _name, _column = _table_of_items.name, _table_of_items.c
    _elsewhere = and_(_column.blob_id.is_(None), _column.hash.is_not(None))
    Index(f"{_name}_by_blob", _column.blob_id)
    Index(f"{_name}_by_document", _column.document_id)
    Index(f"{_name}_elsewhere", _column.hash, sqlite_where=_elsewhere, postgresql_where=_elsewhere)

# Reserved first (`token` is for whoever will commit it, until `lease_until` nobody else reserves), then committed.
versions = _table(
    "versions",
    _id(),
    _of("project_id", "projects"),
    Column("number", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("change_seq", BigInteger, nullable=False),
    _given("digest"),
    Column("items_count", BigInteger, nullable=False, server_default=text("0")),
    Column("size", BigInteger, nullable=False, server_default=text("0")),
    Column("name", Text),
    Column("description", Text),
    _given("status", "'committed'"),
    _of("created_by", "users"),
    _of("team_file_id", "files", nullable=True),
    _of("preview_project_id", "projects", nullable=True),
    Column("project_updated_at", Text, nullable=False),
    Column("token", Text),
    Column("lease_until", Text),
    *_times(),
    UniqueConstraint("project_id", "number", name="versions_by_number"),
)
Index("versions_by_file", versions.c.team_file_id)

# Labeling jobs; `meta` holds what is to be labeled, with the numbers of the images.
jobs = _table(
    "jobs",
    _id(),
    _given("name"),
    _given("readme"),
    _given("description"),
    _of("project_id", "projects"),
    Column("dataset_id", Number, nullable=False),
    _of("created_by", "users"),
    _of("assigned_to", "users"),
    _of("reviewer_id", "users", nullable=True),
    _given("status", "'pending'"),
    Column("disabled", Boolean, nullable=False, server_default=false()),
    _given("meta", "'{}'"),
    _given("custom_data", "'{}'"),
    Column("started_at", Text),
    Column("finished_at", Text),
    *_times(),
)
Index("jobs_by_project", jobs.c.project_id)

# A kept file: `hash` is base64(sha256), as on the wire; `generation` makes its physical name unique. It is live, or
# condemned: nothing needed it when the collector last looked, and whoever names it makes it live again.
blobs = _table(
    "blobs",
    _id(),
    Column("hash", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    _given("generation"),
    _given("state", "'live'"),
    Column("mime", Text),
    Column("width", BigInteger),
    Column("height", BigInteger),
    Column("created_at", Text, nullable=False),
    UniqueConstraint("hash", name="blobs_by_hash"),
)

_damaged = blobs.c.state == "damaged"
Index("blobs_damaged", blobs.c.id, sqlite_where=_damaged, postgresql_where=_damaged)

# Who brought which bytes, or was told that they are there: they may name them until the lease is over, and nothing
# collects them.
blob_leases = _table(
    "uploads",
    Column("hash", Text, ForeignKey("blobs.hash"), nullable=False),
    Column("user_id", Number, ForeignKey("users.id"), nullable=False),
    _given("lease_until"),
    PrimaryKeyConstraint("hash", "user_id"),
)

# Processes that may be writing files no row names yet: the name of such a file tells whose it is.
upload_leases = _table("sessions", Column("key", Text, primary_key=True), Column("lease_until", Text, nullable=False))

# Team files: the current one of a path, and those it replaced, which stay readable by their number.
files = _table(
    "files",
    _id(),
    _of("team_id", "teams"),
    Column("path", Path, nullable=False),
    _given("name"),
    Column("hash", Text, ForeignKey("blobs.hash"), nullable=False),
    Column("size", BigInteger, nullable=False),
    _given("mime"),
    Column("current", Boolean, nullable=False),
    _of("user_id", "users"),
    *_times(),
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
Index("files_of_path", files.c.team_id, files.c.path)  # those a path has had, too

apps = _table(
    "apps",
    _id(),
    _of("team_id", "teams"),
    _given("name"),
    _author(),
    UniqueConstraint("team_id", "name", name="apps_by_name"),
)

# `number` is the task's number at its origin; for the server's own (origin '') it is the id. Numbers of other
# origins are a team's own: what a team says of them says nothing to others.
tasks = _table(
    "tasks",
    _id(),
    _given("origin"),
    Column("number", BigInteger, nullable=False),
    _given("name"),
    _of("app_id", "apps", nullable=True),
    _of("team_id", "teams"),
    _of("workspace_id", "workspaces"),
    _given("state", "'running'"),
    Column("error", Text),
    _given("facts", "'{}'"),
    Column("node", Text),
    Column("started_at", Text),
    Column("finished_at", Text),
    *_times(),
    _author(),
    UniqueConstraint("origin", "number", "team_id", name="tasks_by_number"),
)
Index("tasks_by_workspace", tasks.c.workspace_id, tasks.c.id)

# Numbers that a team was given from outside: which task they mean to that team.
task_numbers = _table(
    "task_numbers",
    Column("team_id", Number, ForeignKey("teams.id"), nullable=False),
    Column("number", BigInteger, nullable=False),
    _of("task_id", "tasks"),
    PrimaryKeyConstraint("team_id", "number"),
)
Index("task_numbers_by_number", task_numbers.c.number)

# Facts of a task that are its current ones no more, or not yet: those said after it ended that differ from its own,
# and those that a later run of its number replaced.
task_facts = _table(
    "task_facts",
    _id(),
    _of("task_id", "tasks"),
    Column("at", Text, nullable=False),
    Column("facts", Text, nullable=False),
    _author(),
)
Index("task_facts_by_task", task_facts.c.task_id, task_facts.c.id)

# Which task a run is: several runs of one process may share the number that was given from outside.
runs = _table(
    "runs",
    Column("key", Text, primary_key=True),
    _of("task_id", "tasks"),
    Column("parent", Text),
    Column("created_at", Text, nullable=False),
    _author(),
)
Index("runs_by_task", runs.c.task_id)

# What other servers' numbers a team told of, taken on trust.
entities = _table(
    "entities",
    Column("team_id", Number, ForeignKey("teams.id"), nullable=False),
    Column("origin", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("entity", Text, nullable=False),
    _given("name"),
    Column("created_at", Text, nullable=False),
    _author(),
    PrimaryKeyConstraint("team_id", "origin", "type", "entity"),
)

# `entity` is the number in decimal, or a folder's path; `card` is EntityRef.key, what a graph is walked by;
# `touched` orders the last tellings of edges: nanoseconds since the epoch.
edges = _table(
    "edges",
    _id(),
    _of("task_id", "tasks"),
    _given("direction"),
    _given("origin"),
    _given("type"),
    _given("entity"),
    _given("card"),
    Column("meta", Text),
    Column("at", Text, nullable=False),
    Column("touched", BigInteger, nullable=False),
    _author(),
    UniqueConstraint("task_id", "direction", "origin", "type", "entity", name="edges_once"),
)
Index("edges_by_card", edges.c.card)

# Methods that clients of a team asked for and that are not there.
unsupported_methods = _table(
    "unknown_methods",
    Column("team_id", Number, ForeignKey("teams.id"), nullable=False),
    Column("method", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("last_at", Text, nullable=False),
    PrimaryKeyConstraint("team_id", "method"),
)

# Idempotency keys of records; team 0 has those from before they were a team's own.
record_keys = _table(
    "record_keys",
    Column("team_id", Number, nullable=False),
    Column("key", Text, nullable=False),
    PrimaryKeyConstraint("team_id", "key"),
)

logs = _table(
    "logs",
    _id(),
    _of("task_id", "tasks"),
    Column("at", Text, nullable=False),
    Column("lines", Text, nullable=False),
    _author(),
)
Index("logs_by_task", logs.c.task_id, logs.c.id)
