"""The table of the audit log."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text

from autoflow.server.db.columns import Path, foreign_key, identifier, text_column
from autoflow.server.db.schema import metadata

# Append-only: triggers refuse to update and to delete its rows (`db.audit`). `team_id` is NULL for actions that belong
# to no team; `who` is the user's login at that time, or user@host; `before` and `after` are the changed value.
audit_log = Table(
    "audit_log",
    metadata,
    identifier(),
    Column("at", Text, nullable=False),
    foreign_key("team_id", "teams", nullable=True),
    foreign_key("user_id", "users"),
    text_column("who"),
    text_column("action"),
    Column("entity", Path, nullable=False),
    text_column("name"),
    Column("before", Text),
    Column("after", Text),
    text_column("reason"),
    sqlite_autoincrement=True,
)
Index("audit_log_by_team", audit_log.c.team_id, audit_log.c.id)
Index("audit_log_by_entity", audit_log.c.entity, audit_log.c.id)
