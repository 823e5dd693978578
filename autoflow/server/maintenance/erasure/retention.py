"""Rules of retention: which logs and versions of a team are older than the team keeps them.

What the rules remove goes through an erasure, so that it is journaled, audited and reported. A version stays, however
old, if it is the last one of its project, or if an alias of a model needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, get_args

from sqlalchemy import Connection, delete, func, insert, select

from autoflow.server.db import clock
from autoflow.server.db.access import visible
from autoflow.server.db.erasure_tables import retention_rules
from autoflow.server.db.schema import logs, tasks, versions
from autoflow.server.maintenance.erasure.targets import LOGS, VERSION
from autoflow.server.versions.versions import COMMITTED
from autoflow.wire.contract.erasure import RetentionKind

KINDS: tuple[RetentionKind, ...] = get_args(RetentionKind)
_DAY = 24 * 3600.0
_ENDED = tasks.c.state != "running"


class Due(NamedTuple):
    """The rows that the rules of a team remove now.

    Args:
        logs: number of rows of logs.
        targets: what an erasure removes.
        versions: the ids of versions.
        needed: number of versions that are older and stay.
    """

    logs: int
    targets: list[tuple[str, str]]
    versions: list[int]
    needed: int


def rules(conn: Connection, team_id: int) -> dict[RetentionKind, int]:
    """Return the days that a team keeps each kind for which it has a rule."""
    query = select(retention_rules.c.kind, retention_rules.c.days).where(retention_rules.c.team_id == team_id)
    stored: dict[str, int] = dict(conn.execute(query).all())
    return {kind: stored[kind] for kind in KINDS if kind in stored}


def set_rule(conn: Connection, team_id: int, kind: RetentionKind, days: int) -> None:
    """Replace a rule of a team; 0 days remove it."""
    conn.execute(delete(retention_rules).where(retention_rules.c.team_id == team_id, retention_rules.c.kind == kind))
    if days:
        conn.execute(insert(retention_rules).values(team_id=team_id, kind=kind, days=days))


def due(conn: Connection, team_id: int, is_needed: Callable[[int], bool]) -> Due:
    """Return what the rules of a team, the only one that the caller sees, remove now.

    Args:
        conn: the transaction.
        team_id: the team.
        is_needed: returns whether an alias of a model needs a version, by its id.
    """
    days = rules(conn, team_id)
    log_count, log_targets = _due_logs(conn, days["logs"]) if "logs" in days else (0, [])
    version_ids, needed = _due_versions(conn, days["versions"], is_needed) if "versions" in days else ([], 0)
    return Due(log_count, [*log_targets, *((VERSION, str(number)) for number in version_ids)], version_ids, needed)


def _due_logs(conn: Connection, days: int) -> tuple[int, list[tuple[str, str]]]:
    query = select(logs.c.task_id, func.max(logs.c.id).label("last"), func.count().label("lines"))
    query = query.join(tasks, tasks.c.id == logs.c.task_id).where(visible(conn, tasks), _ENDED)
    rows = conn.execute(query.where(logs.c.at < clock.after(conn, -days * _DAY)).group_by(logs.c.task_id)).all()
    return sum(row.lines for row in rows), [(LOGS, f"{row.task_id} {row.last}") for row in rows]


def _due_versions(conn: Connection, days: int, is_needed: Callable[[int], bool]) -> tuple[list[int], int]:
    """Return the ids of versions that are removed, and the number of those that are as old and stay."""
    other = versions.alias("other")
    newest = select(func.max(other.c.number)).where(
        other.c.project_id == versions.c.project_id, other.c.status == "committed"
    )
    old = (COMMITTED, visible(conn, versions), versions.c.created_at < clock.after(conn, -days * _DAY))
    query = select(versions.c.id, versions.c.number, newest.correlate(versions).scalar_subquery().label("newest"))
    rows = conn.execute(query.where(*old).order_by(versions.c.id)).all()
    removed = [row.id for row in rows if row.number != row.newest and not is_needed(row.id)]
    return removed, len(rows) - len(removed)
