"""Which methods were asked for that do not exist, and how often: what a client of this wire still misses.

Names come from outside: what is no method's name is not kept, and the table has a largest size.
"""

from __future__ import annotations

import re

from sqlalchemy import Connection, func, insert, select, update

from autoflow.platform import times
from autoflow.platform.store.schema import unknown_methods

MOST = 1000
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


def count(rows: Connection, method: str) -> None:
    """Count one that was asked for."""
    if _NAME.fullmatch(method) is None:
        return
    table = unknown_methods
    values = {"count": table.c.count + 1, "last_at": times.now()}
    if rows.execute(update(table).where(table.c.method == method).values(**values)).rowcount:
        return
    if rows.execute(select(func.count()).select_from(table)).scalar_one() < MOST:
        rows.execute(insert(table).values(method=method, count=1, last_at=times.now()))


def counts(rows: Connection) -> list[dict[str, object]]:
    """``{"method", "count", "lastAt"}``, the most wanted first."""
    query = select(unknown_methods).order_by(unknown_methods.c.count.desc(), unknown_methods.c.method)
    return [{"method": row.method, "count": row[1], "lastAt": row.last_at} for row in rows.execute(query)]
