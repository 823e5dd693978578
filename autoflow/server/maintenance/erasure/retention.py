"""Rules of retention: which logs and versions of a team are older than the team keeps them.

What the rules remove goes through an erasure, so that it is journaled, audited and reported. A version stays, however
old, if it is the last one of its project, or if an alias of a model needs it. Servers apply the rules once a day, the
first time a day after they were set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, get_args

from sqlalchemy import Connection, delete, func, insert, select, update

from autoflow.server.blobs import BlobStore
from autoflow.server.db import audit, clock
from autoflow.server.db.access import Caller, caller, visible
from autoflow.server.db.engine import Store
from autoflow.server.db.erasure_tables import retention_rules
from autoflow.server.db.schema import logs, tasks, versions
from autoflow.server.lineage.model_protection import Protection
from autoflow.server.maintenance.erasure import job
from autoflow.server.maintenance.erasure.targets import LOGS, VERSION
from autoflow.server.versions.versions import COMMITTED
from autoflow.wire.contract.erasure import RetentionKind

KINDS: tuple[RetentionKind, ...] = get_args(RetentionKind)
SERVER = "autoflow"  # the author in the audit log of what a server does by itself
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
    """Replace a rule of a team; 0 days remove it. A day passes until servers apply the team's rules."""
    of_team = retention_rules.c.team_id == team_id
    conn.execute(delete(retention_rules).where(of_team, retention_rules.c.kind == kind))
    if days:
        conn.execute(insert(retention_rules).values(team_id=team_id, kind=kind, days=days))
    conn.execute(update(retention_rules).where(of_team).values(next_at=clock.after(conn, _DAY)))


def next_application(conn: Connection, team_id: int) -> str | None:
    """Return when servers apply the rules of a team next, None without rules."""
    query = select(func.min(retention_rules.c.next_at)).where(retention_rules.c.team_id == team_id)
    return conn.execute(query).scalar()


def apply_daily(store: Store, blobs: BlobStore, seconds: float) -> None:
    """Apply the rules that were not applied for a day, by whichever server is the first.

    Args:
        store: the database.
        blobs: the bytes.
        seconds: time for each team's erasure; `job.abandoned` has those that take longer.

    Raises:
        ServerBusy: something cannot be removed now.
    """
    for team_id in due_teams(store):
        server = Caller(teams=frozenset({team_id}), login=SERVER)
        with store.read(server) as conn:
            removed = due(conn, team_id)
        with store.write(server) as conn:
            of_team = (retention_rules.c.team_id == team_id, ~clock.is_active(conn, retention_rules.c.next_at, _DAY))
            claimed = update(retention_rules).where(*of_team).values(next_at=clock.after(conn, _DAY))
            is_first = conn.execute(claimed).rowcount > 0
            erasure_id = begin(conn, team_id, removed, "once a day", scrubs=False) if is_first else None
        if erasure_id is not None:
            job.Erasure(store, blobs, erasure_id).work(seconds)


def due_teams(store: Store) -> Sequence[int]:
    """Return the teams whose rules were not applied for a day."""
    with store.read() as conn:
        waits = clock.is_active(conn, retention_rules.c.next_at, _DAY)
        return conn.execute(select(retention_rules.c.team_id).where(~waits).distinct()).scalars().all()


def begin(conn: Connection, team_id: int, removed: Due, reason: str = "", *, scrubs: bool = True) -> int | None:
    """Journal and audit the erasure of what the rules remove; return its number, None if that is nothing.

    Args:
        conn: the transaction.
        team_id: the team.
        removed: what is removed.
        reason: why, for the audit log.
        scrubs: see `job.begin`.
    """
    if not removed.targets:
        return None
    erasure_id = job.begin(conn, team_id, caller(conn).user, removed.targets, scrubs=scrubs)
    after = f"{removed.logs} rows of logs, {len(removed.versions)} versions"
    audit.record(conn, "retention.apply", f"erasure:{erasure_id}", team_id=team_id, after=after, reason=reason)
    return erasure_id


def due(conn: Connection, team_id: int) -> Due:
    """Return what the rules of a team, the only one that the caller sees, remove now."""
    days = rules(conn, team_id)
    log_count, log_targets = _due_logs(conn, days["logs"]) if "logs" in days else (0, [])
    version_ids, needed = _due_versions(conn, team_id, days["versions"]) if "versions" in days else ([], 0)
    return Due(log_count, [*log_targets, *((VERSION, str(number)) for number in version_ids)], version_ids, needed)


def _due_logs(conn: Connection, days: int) -> tuple[int, list[tuple[str, str]]]:
    query = select(logs.c.task_id, func.max(logs.c.id).label("last"), func.count().label("lines"))
    query = query.join(tasks, tasks.c.id == logs.c.task_id).where(visible(conn, tasks), _ENDED)
    rows = conn.execute(query.where(logs.c.at < clock.after(conn, -days * _DAY)).group_by(logs.c.task_id)).all()
    return sum(row.lines for row in rows), [(LOGS, f"{row.task_id} {row.last}") for row in rows]


def _due_versions(conn: Connection, team_id: int, days: int) -> tuple[list[int], int]:
    """Return the ids of versions that are removed, and the number of those that are as old and stay."""
    other = versions.alias("other")
    newest = select(func.max(other.c.number)).where(
        other.c.project_id == versions.c.project_id, other.c.status == "committed"
    )
    old = (COMMITTED, visible(conn, versions), versions.c.created_at < clock.after(conn, -days * _DAY))
    query = select(versions.c.id, versions.c.number, newest.correlate(versions).scalar_subquery().label("newest"))
    rows = conn.execute(query.where(*old).order_by(versions.c.id)).all()
    protection = Protection(conn, team_id)
    removed = [row.id for row in rows if row.number != row.newest and not protection.needs_version(row.id)]
    return removed, len(rows) - len(removed)
