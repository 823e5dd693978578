"""The tables of models, their versions, and the moves of their aliases."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text, UniqueConstraint

from autoflow.server.db.columns import Number, author, foreign_key, identifier, text_column, timestamps
from autoflow.server.db.schema import metadata

models = Table(
    "models",
    metadata,
    identifier(),
    foreign_key("team_id", "teams"),
    Column("name", Text, nullable=False),
    author(),
    *timestamps(),
    UniqueConstraint("team_id", "name", name="models_by_name"),
    sqlite_autoincrement=True,
)

# A version is a file of weights: `origin` and `entity` as in `edges`, `sha256` in hexadecimal digits, empty if unknown.
# `task_id` is the run that registered it, NULL if a person did.
model_versions = Table(
    "model_versions",
    metadata,
    identifier(),
    foreign_key("model_id", "models"),
    Column("number", BigInteger, nullable=False),
    text_column("origin"),
    Column("entity", Text, nullable=False),
    Column("entity_key", Text, nullable=False),
    text_column("sha256"),
    foreign_key("task_id", "tasks", nullable=True),
    author(),
    Column("created_at", Text, nullable=False),
    UniqueConstraint("model_id", "number", name="model_versions_by_number"),
    UniqueConstraint("model_id", "entity_key", name="model_versions_by_file"),
    sqlite_autoincrement=True,
)
Index("model_versions_by_entity_key", model_versions.c.entity_key)

# Append-only: an alias names the version of its last move, none if `number` is NULL.
alias_moves = Table(
    "alias_moves",
    metadata,
    identifier(),
    foreign_key("model_id", "models"),
    Column("alias", Text, nullable=False),
    Column("before", Number),
    Column("number", Number),
    text_column("reason"),
    Column("at", Text, nullable=False),
    text_column("who"),
    author(),
    sqlite_autoincrement=True,
)
Index("alias_moves_by_alias", alias_moves.c.model_id, alias_moves.c.alias, alias_moves.c.id)
