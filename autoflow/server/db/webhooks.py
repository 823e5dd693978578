"""Webhooks of teams, and the outbox of the events that are delivered to them.

`notify` adds an event in the transaction that makes it, so that no event is lost and none is sent of a transaction that
was rolled back. A delivery is claimed for `LEASE` seconds; a server that is killed meanwhile leaves it to the next.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    Select,
    Text,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    null,
    select,
    update,
)

from autoflow.server import limits, timestamps
from autoflow.server.db import audit, clock, json_codec
from autoflow.server.db.access import caller, get_row, visible
from autoflow.server.db.webhook_tables import webhook_deliveries, webhooks
from autoflow.server.errors import Conflict

# The events of this server; the last is of the SDK's list.
RUN_FAILED, VERSION_CREATED, ALIAS_MOVED = "run.failed", "version.created", "alias.moved"
ITEM_ERASED, JOB_COMPLETED = "item.erased", "labeling_job.completed"
ACTIONS = (RUN_FAILED, VERSION_CREATED, ALIAS_MOVED, ITEM_ERASED, JOB_COMPLETED)
LEASE = 60.0  # seconds; longer than an attempt
_SECRET_BYTES = 32
ACTIVE = webhooks.c.state == "active"


def listing(conn: Connection) -> Select[Any]:
    """Return a query for the webhooks that the caller sees."""
    return select(webhooks).where(ACTIVE, visible(conn, webhooks))


def get(conn: Connection, number: int) -> RowMapping:
    """Return a webhook by id.

    Raises:
        NotFound: there is none.
    """
    return get_row(conn, listing(conn).where(webhooks.c.id == number), "webhook", number)


def add(conn: Connection, team_id: int, action: str, url: str, meta: Mapping[str, Any]) -> RowMapping:
    """Insert a webhook with a new secret; return its row.

    Raises:
        Conflict: the team has `limits.WEBHOOKS` already.
    """
    known = select(func.count()).select_from(webhooks).where(webhooks.c.team_id == team_id, ACTIVE)
    if conn.execute(known).scalar_one() >= limits.WEBHOOKS:
        raise Conflict(f"team {team_id} has {limits.WEBHOOKS} webhooks, the most of a team: remove one first")
    now = timestamps.now()
    values = {"team_id": team_id, "action": action, "url": url, "meta": json_codec.dump(meta)}
    stamps = {"created_by": caller(conn).user, "created_at": now, "updated_at": now}
    made = insert(webhooks).values(**values, **stamps, secret=secrets.token_hex(_SECRET_BYTES)).returning(webhooks)
    row = conn.execute(made).mappings().one()
    audit.record(conn, "webhook.create", f"webhook:{row['id']}", team_id=team_id, name=action, after=url)
    return row


def change(conn: Connection, row: RowMapping, values: Mapping[str, Any]) -> None:
    """Change the action, the url or the options of a webhook."""
    _set(conn, row, values)
    action, url = values.get("action", row["action"]), values.get("url", row["url"])
    entity = f"webhook:{row['id']}"
    audit.record(conn, "webhook.update", entity, team_id=row["team_id"], name=action, before=row["url"], after=url)


def _set(conn: Connection, row: RowMapping, values: Mapping[str, Any]) -> None:
    conn.execute(update(webhooks).where(webhooks.c.id == row["id"]).values(**values, updated_at=timestamps.now()))


def remove(conn: Connection, row: RowMapping) -> None:
    """Remove a webhook; what waits for it is not delivered any more."""
    _set(conn, row, {"state": "removed", "secret": ""})
    waiting = (webhook_deliveries.c.webhook_id == row["id"], webhook_deliveries.c.state == "waiting")
    given_up = {"state": "failed", "error": "the webhook was removed", "updated_at": timestamps.now()}
    conn.execute(update(webhook_deliveries).where(*waiting).values(**given_up))
    entity = f"webhook:{row['id']}"
    audit.record(conn, "webhook.delete", entity, team_id=row["team_id"], name=row["action"], before=row["url"])


def notify(conn: Connection, team_id: int, action: str, data: Mapping[str, Any]) -> None:
    """Add an event for each webhook of a team for it, in the transaction that makes the event.

    Args:
        conn: the transaction.
        team_id: the team of what the event is about.
        action: one of `ACTIONS`.
        data: JSON values that describe it.
    """
    of_action = (webhooks.c.team_id == team_id, webhooks.c.action == action, ACTIVE)
    _enqueue(conn, select(webhooks.c.id).where(*of_action), team_id, action, data)


def enqueue(conn: Connection, row: RowMapping, action: str, data: Mapping[str, Any]) -> None:
    """Add an event for a single webhook."""
    _enqueue(conn, select(webhooks.c.id).where(webhooks.c.id == row["id"]), row["team_id"], action, data)


def _enqueue(conn: Connection, chosen: Select[Any], team_id: int, action: str, data: Mapping[str, Any]) -> None:
    now, event = timestamps.now(), secrets.token_hex(16)
    payload = json_codec.dump({"id": event, "action": action, "at": now, "teamId": team_id, "data": dict(data)})
    columns = ("webhook_id", "event", "action", "payload", "next_at", "created_at", "updated_at", "state", "error")
    values = [literal(value) for value in (event, action, payload, now, now, now)]
    waiting = (webhook_deliveries.c.webhook_id == webhooks.c.id, webhook_deliveries.c.state == "waiting")
    last = select(webhook_deliveries.c.id).where(*waiting).offset(limits.WEBHOOK_EVENTS - 1).limit(1)
    is_full = last.correlate(webhooks).exists()
    error = literal(f"{limits.WEBHOOK_EVENTS} events wait for this webhook", Text)
    query = chosen.add_columns(
        *values, case((is_full, "failed"), else_="waiting"), case((is_full, error), else_=null())
    )
    conn.execute(insert(webhook_deliveries).from_select(list(columns), query, include_defaults=False))


def has_due(conn: Connection) -> bool:
    """Return whether a delivery is due."""
    due = select(webhook_deliveries.c.id).where(_due(conn)).limit(1)
    return conn.execute(due).first() is not None


def _due(conn: Connection) -> Any:
    return and_(webhook_deliveries.c.state == "waiting", webhook_deliveries.c.next_at <= clock.now(conn))


def claim(conn: Connection) -> RowMapping | None:
    """Claim the delivery that is due first for `LEASE` seconds, and return it with its webhook; None for none."""
    first = select(webhook_deliveries.c.id).where(_due(conn)).order_by(webhook_deliveries.c.next_at).limit(1)
    number = conn.execute(first.with_for_update(skip_locked=True)).scalar()
    if number is None:
        return None
    own = webhook_deliveries.c.id == number
    attempts = webhook_deliveries.c.attempts + 1
    conn.execute(update(webhook_deliveries).where(own).values(next_at=clock.after(conn, LEASE), attempts=attempts))
    query = select(
        webhook_deliveries, webhooks.c.url, webhooks.c.meta, webhooks.c.secret, webhooks.c.state.label("webhook_state")
    ).join(webhooks, webhooks.c.id == webhook_deliveries.c.webhook_id)
    return conn.execute(query.where(own)).mappings().one()


def settle(conn: Connection, delivery: RowMapping, error: str | None, retry_in: float | None) -> None:
    """Store the outcome of an attempt, unless another server has claimed the delivery since.

    Args:
        conn: the transaction.
        delivery: as claimed.
        error: why it failed, None if it was delivered.
        retry_in: seconds until the next attempt, None for no further one.
    """
    values: dict[str, Any] = {"error": error, "updated_at": timestamps.now()}
    if error is None:
        values["state"] = "delivered"
    elif retry_in is None:
        values["state"] = "failed"
    else:
        values["next_at"] = clock.after(conn, retry_in)
    table = webhook_deliveries
    own = (table.c.id == delivery["id"], table.c.state == "waiting", table.c.attempts == delivery["attempts"])
    conn.execute(update(table).where(*own).values(**values))


def remove_old_deliveries(conn: Connection, seconds: float) -> None:
    """Delete the deliveries that ended, well or not, more than so many seconds ago."""
    ended = (webhook_deliveries.c.state != "waiting", webhook_deliveries.c.updated_at < clock.after(conn, -seconds))
    conn.execute(delete(webhook_deliveries).where(*ended))


def deliveries(conn: Connection, webhook_id: int, before: int | None, limit: int) -> Sequence[RowMapping]:
    """Return deliveries of a webhook, the latest first."""
    query = select(webhook_deliveries).where(webhook_deliveries.c.webhook_id == webhook_id)
    if before is not None:
        query = query.where(webhook_deliveries.c.id < before)
    return conn.execute(query.order_by(webhook_deliveries.c.id.desc()).limit(limit)).mappings().all()
