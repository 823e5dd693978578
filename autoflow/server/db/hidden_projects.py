"""Projects that are hidden while they are created by many short transactions, and published by the last one.

Each transaction renews a lease. If the client goes away, the lease expires and `maintenance.purge` deletes the rows.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, update

from autoflow.server import timestamps
from autoflow.server.db import clock
from autoflow.server.db.schema import projects

STATE = "restoring"
LEASE = 15 * 60  # seconds


def renew(conn: Connection, number: int, **values: Any) -> None:
    """Renew a hidden project's lease, and change columns of it."""
    values["lease_until"] = clock.after(conn, LEASE)
    conn.execute(update(projects).where(projects.c.id == number).values(**values))


def publish(conn: Connection, number: int, **values: Any) -> None:
    """Publish a complete project, changing columns of it."""
    now = timestamps.now()
    values = {"state": "active", "lease_until": None, "created_at": now, "updated_at": now, **values}
    conn.execute(update(projects).where(projects.c.id == number).values(**values))


def abandon(conn: Connection, number: int) -> None:
    """Abandon a project that is still hidden: its name is free, and `maintenance.purge` deletes its rows."""
    statement = update(projects).where(projects.c.id == number, projects.c.state == STATE)
    conn.execute(statement.values(state="removed", lease_until=""))
