"""The tables of collections of items, removed datasets, and data of apps' own pages; `schema` has all others."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, PrimaryKeyConstraint, Table, Text, UniqueConstraint

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
