"""The tables of what people add to the workflow: notes on cards, and saved views."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Table, Text

from autoflow.server.db.columns import author, foreign_key, identifier, text_column
from autoflow.server.db.schema import metadata

# Only inserted. `card` is the key of the card, `type:id` or `type:id@origin`.
notes = Table(
    "notes",
    metadata,
    identifier(),
    foreign_key("team_id", "teams"),
    text_column("card"),
    text_column("text"),
    author(),
    Column("created_at", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("notes_by_card", notes.c.card, notes.c.id)

# `address` is the path and query of a page of this server; `shared` with the team, else the author's alone.
views = Table(
    "views",
    metadata,
    identifier(),
    foreign_key("team_id", "teams"),
    text_column("name"),
    text_column("address"),
    Column("shared", Boolean, nullable=False),
    author(),
    Column("created_at", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("views_by_team", views.c.team_id, views.c.id)
