"""The tables of webhooks and of the events that are to be delivered to them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text, text

from autoflow.server.db.columns import author, foreign_key, identifier, text_column, timestamps
from autoflow.server.db.schema import metadata

# `meta` is JSON as the SDK sends it; `secret` signs the requests; `state` is ``active`` or ``removed``.
webhooks = Table(
    "webhooks",
    metadata,
    identifier(),
    foreign_key("team_id", "teams"),
    text_column("action"),
    text_column("url"),
    text_column("meta", "'{}'"),
    text_column("secret"),
    text_column("state", "'active'"),
    author(),
    *timestamps(),
    sqlite_autoincrement=True,
)
Index("webhooks_by_action", webhooks.c.team_id, webhooks.c.action)

# An outbox: rows are added in the transaction of the event. `state` is ``waiting``, ``delivered`` or ``failed``;
# `next_at` is when the next attempt is due, and while one is made, when it counts as abandoned.
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    identifier(),
    foreign_key("webhook_id", "webhooks"),
    text_column("event"),
    text_column("action"),
    text_column("payload"),
    text_column("state", "'waiting'"),
    Column("attempts", BigInteger, nullable=False, server_default=text("0")),
    Column("next_at", Text, nullable=False),
    Column("error", Text),
    *timestamps(),
    sqlite_autoincrement=True,
)
_waiting = webhook_deliveries.c.state == "waiting"
Index("webhook_deliveries_due", webhook_deliveries.c.next_at, sqlite_where=_waiting, postgresql_where=_waiting)
Index("webhook_deliveries_by_webhook", webhook_deliveries.c.webhook_id, webhook_deliveries.c.id)
