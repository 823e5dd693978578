"""Counts of calls to methods that this server does not have, by team.

Names come from clients: only well-formed names are stored, and at most `MAX_METHODS` a team.
"""

from __future__ import annotations

import re

from sqlalchemy import Connection, func, insert, select, update

from autoflow.server import timestamps
from autoflow.server.db import teams
from autoflow.server.db.access import visible
from autoflow.server.db.schema import unsupported_methods
from autoflow.wire.contract.admin import UnknownMethodCount

MAX_METHODS = 1000
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


def count(conn: Connection, method: str) -> None:
    """Count a call of an unsupported method for the caller's team."""
    if _NAME.fullmatch(method) is None:
        return
    table, team = unsupported_methods, teams.default_team(conn)
    of_team = table.c.team_id == team
    values = {"count": table.c.count + 1, "last_at": timestamps.now()}
    if conn.execute(update(table).where(of_team, table.c.method == method).values(**values)).rowcount:
        return
    if conn.execute(select(func.count()).select_from(table).where(of_team)).scalar_one() < MAX_METHODS:
        conn.execute(insert(table).values(team_id=team, method=method, count=1, last_at=timestamps.now()))


def counts(conn: Connection) -> list[UnknownMethodCount]:
    """Return the counts over the caller's teams, the most frequent first."""
    table = unsupported_methods
    total, last = func.sum(table.c.count).label("total"), func.max(table.c.last_at).label("last")
    query = select(table.c.method, total, last).where(visible(conn, table)).group_by(table.c.method)
    rows = conn.execute(query.order_by(total.desc(), table.c.method))
    return [{"method": row.method, "count": int(row.total), "lastAt": row.last} for row in rows]
