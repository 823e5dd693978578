"""The tables of collections, removed datasets, data of apps' own pages, and copies; `schema` has all others."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from autoflow.server.db.columns import Number, author, foreign_key, identifier, text_column, timestamps
from autoflow.server.db.schema import metadata

# Collections of a project's current items; an item that is removed leaves its row here, which no query joins.
collections = Table(
    "collections",
    metadata,
    identifier(),
    foreign_key("project_id", "projects"),
    text_column("name"),
    text_column("description"),
    text_column("type", "'default'"),
    text_column("meta", "'{}'"),
    author(),
    *timestamps(),
    UniqueConstraint("project_id", "name", name="collections_by_name"),
    sqlite_autoincrement=True,
)
collection_items = Table(
    "collection_items",
    metadata,
    Column("collection_id", Number, ForeignKey("collections.id"), nullable=False, autoincrement=False),
    Column("item_id", Number, nullable=False, autoincrement=False),
    text_column("meta", "'{}'"),
    PrimaryKeyConstraint("collection_id", "item_id"),
)

# Ids of removed datasets: clients remove one and then remove it permanently, which is no error then.
removed_datasets = Table(
    "removed_datasets",
    metadata,
    Column("dataset_id", Number, primary_key=True, autoincrement=False),
    foreign_key("project_id", "projects"),
)

task_data = Table(
    "task_data",
    metadata,
    Column("task_id", Number, ForeignKey("tasks.id"), primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
)

# What was copied from other stores: `store` and `source_id` name a row there, `id` its copy; `details` is JSON.
copies = Table(
    "copies",
    metadata,
    Column("team_id", Number, ForeignKey("teams.id"), nullable=False, autoincrement=False),
    Column("store", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("source_id", Number, nullable=False, autoincrement=False),
    Column("id", Number, nullable=False, autoincrement=False),
    text_column("details", "'{}'"),
    Column("created_at", Text, nullable=False),
    author(),
    PrimaryKeyConstraint("team_id", "store", "type", "source_id"),
)
Index("copies_by_id", copies.c.type, copies.c.id)
