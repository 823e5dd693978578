"""The tables of erasures: their journal, the contents that teams had erased, and the keys that sign reports."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, PrimaryKeyConstraint, Table, Text

from autoflow.server.db.columns import Number, author, foreign_key, identifier, text_column
from autoflow.server.db.schema import metadata

# `stage`, `cursor` and `counts` are the position of the work, so that any process can continue it; `report` is the
# signed report when it is done.
erasures = Table(
    "erasures",
    metadata,
    identifier(),
    foreign_key("team_id", "teams"),
    author(),
    Column("created_at", Text, nullable=False),
    Column("finished_at", Text),
    Column("stage", Text, nullable=False),
    Column("cursor", Text),
    Column("counts", Text, nullable=False),
    Column("report", Text),
    sqlite_autoincrement=True,
)
_unfinished = erasures.c.finished_at.is_(None)
Index("erasures_unfinished", erasures.c.team_id, sqlite_where=_unfinished, postgresql_where=_unfinished)

# What an erasure removes (`maintenance.erasure.targets`): names among them, so the rows are deleted when it is done.
erasure_targets = Table(
    "erasure_targets",
    metadata,
    Column("erasure_id", Number, ForeignKey("erasures.id"), nullable=False, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("erasure_id", "kind", "value"),
)

# Contents, by the hash of `blobs`, that a team had erased: they cannot be uploaded into the team again.
erased_contents = Table(
    "erased_contents",
    metadata,
    Column("team_id", Number, ForeignKey("teams.id"), nullable=False, autoincrement=False),
    Column("hash", Text, nullable=False),
    foreign_key("erasure_id", "erasures"),
    PrimaryKeyConstraint("team_id", "hash"),
)

# The Ed25519 key of this store, in base64; there is one row after the first report.
signing_keys = Table(
    "signing_keys",
    metadata,
    Column("public", Text, primary_key=True),
    Column("private", Text, nullable=False),
    Column("created_at", Text, nullable=False),
)

# How long a team keeps logs and versions, in days, and when the rule is applied next.
retention_rules = Table(
    "retention_rules",
    metadata,
    Column("team_id", Number, ForeignKey("teams.id"), nullable=False, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("days", Number, nullable=False),
    text_column("next_at"),
    PrimaryKeyConstraint("team_id", "kind"),
)
