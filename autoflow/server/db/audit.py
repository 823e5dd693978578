"""The audit log: an append-only table of actions that change access, remove something, or move a name.

`record` is called in the transaction of the action, so that there is no action without its entry and no entry without
its action. Triggers refuse to update or delete an entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, RowMapping, insert, select
from sqlalchemy.sql import operators

from autoflow.server import timestamps
from autoflow.server.db.access import Caller, caller
from autoflow.server.db.audit_tables import audit_log
from autoflow.server.db.schema import users

Action = Literal[
    "alias.set",
    "alias.remove",
    "token.create",
    "token.revoke",
    "team.create",
    "member.set",
    "member.remove",
    "user.disable",
    "user.enable",
    "project.delete",
    "dataset.delete",
    "version.delete",
    "file.delete",
    "run.delete",
    "version.restore",
    "project.restore",
    "item.erase",
    "project.erase",
    "dataset.erase",
    "file.erase",
    "run.erase",
    "retention.set",
    "retention.apply",
    "webhook.create",
    "webhook.update",
    "webhook.delete",
]
MAX_TEXT = 2000  # characters of a name, a value or a reason
_REFUSAL = "the audit log is append-only"


def statements(dialect: str) -> list[str]:
    """Return the statements that create the triggers, by SQLAlchemy's name of the database."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER audit_log_refuses_{event.lower()} BEFORE {event} ON audit_log "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            for event in ("UPDATE", "DELETE")
        ]
    return [
        "CREATE FUNCTION audit_log_refuses() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
        "CREATE TRIGGER audit_log_refuses BEFORE UPDATE OR DELETE ON audit_log "
        "FOR EACH ROW EXECUTE FUNCTION audit_log_refuses()",
    ]


def install(conn: Connection) -> None:
    """Create the triggers in a new store."""
    for statement in statements(conn.dialect.name):
        conn.exec_driver_sql(statement)


def record(
    conn: Connection,
    action: Action,
    entity: str,
    *,
    team_id: int | None = None,
    name: str = "",
    before: str | None = None,
    after: str | None = None,
    reason: str = "",
) -> None:
    """Add an entry to the log, in the transaction of the action.

    Args:
        conn: the transaction; its caller is the user of the entry.
        action: what was done.
        entity: the reference of what it was done to, as ``project:7`` or ``model:lemons@champion``.
        team_id: the team whose admins see the entry; None for an action that concerns the server alone.
        name: a name of the entity that people know; it stays when the entity is erased.
        before: the changed value before, None if there was none.
        after: the changed value after, None if there is none.
        reason: why, in the user's words.
    """
    texts = {"name": name, "before": before, "after": after, "reason": reason}
    cut = {column: value[:MAX_TEXT] if value is not None else None for column, value in texts.items()}
    conn.execute(insert(audit_log).values(**_action(conn, action, team_id), entity=entity, **cut))


def record_each(conn: Connection, action: Action, names: Mapping[str, str], *, team_id: int) -> None:
    """Add an entry for each of many entities that one action did the same to, in one statement.

    Args:
        conn: the transaction; its caller is the user of the entries.
        action: what was done.
        names: the reference of each entity, and its name.
        team_id: the team whose admins see the entries.
    """
    if names:
        shared = _action(conn, action, team_id)
        conn.execute(
            insert(audit_log), [{**shared, "entity": entity, "name": name[:MAX_TEXT]} for entity, name in names.items()]
        )


def _action(conn: Connection, action: Action, team_id: int | None) -> dict[str, Any]:
    user = caller(conn)
    return {
        "at": timestamps.now(),
        "team_id": team_id,
        "user_id": user.user,
        "who": who(conn, user),
        "action": action,
    }


def who(conn: Connection, user: Caller) -> str:
    """Return the name by which the log calls a user: the login, or user@host on the server's own machine."""
    return user.login or str(conn.execute(select(users.c.login).where(users.c.id == user.user)).scalar() or "")


def latest(
    conn: Connection,
    *,
    administered: frozenset[int] | None,
    team_id: int | None = None,
    action: str | None = None,
    entity: str | None = None,
    who_did: str | None = None,
    since: str | None = None,
    until: str | None = None,
    before_id: int | None = None,
    limit: int,
) -> list[RowMapping]:
    """Return entries, the newest first.

    Args:
        conn: the transaction.
        administered: the teams whose entries the caller may see; None for all entries, those of no team included.
        team_id: of this team alone.
        action: of this action, or, if it ends with a dot, of all that begin with it.
        entity: of this entity, or, if it is a model, of its aliases, too.
        who_did: of this user.
        since: at this time or later.
        until: before this time.
        before_id: older than the entry with this id.
        limit: most entries.
    """
    query = select(audit_log).order_by(audit_log.c.id.desc()).limit(limit)
    if administered is not None:
        query = query.where(audit_log.c.team_id.in_(sorted(administered)))
    if action is not None:
        done = audit_log.c.action
        query = query.where(done.startswith(action, autoescape=True) if action.endswith(".") else done == action)
    if entity is not None:
        query = query.where(
            (audit_log.c.entity == entity) | audit_log.c.entity.startswith(f"{entity}@", autoescape=True)
        )
    comparisons: tuple[tuple[ColumnElement[Any], Callable[[Any, Any], ColumnElement[bool]], Any], ...] = (
        (audit_log.c.team_id, operators.eq, team_id),
        (audit_log.c.who, operators.eq, who_did),
        (audit_log.c.at, operators.ge, since),
        (audit_log.c.at, operators.lt, until),
        (audit_log.c.id, operators.lt, before_id),
    )
    for column, compare, value in comparisons:
        if value is not None:
            query = query.where(compare(column, value))
    return list(conn.execute(query).mappings())
