"""The tables of collections of items, and of the data of apps and requests to them; `schema` has all others."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, PrimaryKeyConstraint, Table, Text, UniqueConstraint, text

from autoflow.server.db.schema import Number, metadata


def _id() -> Column[int]:
    return Column("id", Number, primary_key=True, autoincrement=True)


def _author_and_timestamps() -> tuple[Column[int], Column[str], Column[str]]:
    author = Column("created_by", Number, ForeignKey("users.id"))
    return author, Column("created_at", Text, nullable=False), Column("updated_at", Text, nullable=False)


# Collections of a project's current items; an item that is removed leaves its row here, which no query joins.
collections = Table(
    "collections",
    metadata,
    _id(),
    Column("project_id", Number, ForeignKey("projects.id"), nullable=False),
    Column("name", Text, nullable=False, server_default=text("''")),
    Column("description", Text, nullable=False, server_default=text("''")),
    Column("type", Text, nullable=False, server_default=text("'default'")),
    Column("meta", Text, nullable=False, server_default=text("'{}'")),
    *_author_and_timestamps(),
    UniqueConstraint("project_id", "name", name="collections_by_name"),
    sqlite_autoincrement=True,
)
collection_items = Table(
    "collection_items",
    metadata,
    Column("collection_id", Number, ForeignKey("collections.id"), nullable=False, autoincrement=False),
    Column("item_id", Number, nullable=False, autoincrement=False),
    Column("meta", Text, nullable=False, server_default=text("'{}'")),
    PrimaryKeyConstraint("collection_id", "item_id"),
)

task_data = Table(
    "task_data",
    metadata,
    Column("task_id", Number, ForeignKey("tasks.id"), primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
)

# Requests of clients to running apps (`tasks.request.direct`), until they are answered and read.
app_requests = Table(
    "app_requests",
    metadata,
    _id(),
    Column("key", Text, nullable=False),
    Column("task_id", Number, ForeignKey("tasks.id"), nullable=False),
    Column("body", Text, nullable=False),
    Column("response", Text),
    *_author_and_timestamps(),
    UniqueConstraint("key", name="app_requests_by_key"),
    sqlite_autoincrement=True,
)
Index("app_requests_by_task", app_requests.c.task_id, app_requests.c.id)
