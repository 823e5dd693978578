"""Projects that are hidden until they are complete: many short transactions make them, the last one shows them.

Each transaction renews a lease. When the maker dies the lease runs out, and `purging.sweep` removes what there is.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, update

from autoflow.server import timestamps
from autoflow.server.db import clock
from autoflow.server.db.schema import projects

STATE = "restoring"
LEASE = 15 * 60  # seconds after a transaction


def renew(conn: Connection, number: int, **values: Any) -> None:
    """Renew the lease of a project that is being made, and change columns of it."""
    values["lease_until"] = clock.after(conn, LEASE)
    conn.execute(update(projects).where(projects.c.id == number).values(**values))


def publish(conn: Connection, number: int, **values: Any) -> None:
    """Show a project that is complete, changing columns of it."""
    moment = timestamps.now()
    values = {"state": "active", "lease_until": None, "created_at": moment, "updated_at": moment, **values}
    conn.execute(update(projects).where(projects.c.id == number).values(**values))


def abandon(conn: Connection, number: int) -> None:
    """Put away what was begun, if it is not shown yet: its name is free, and `purging` removes the rest."""
    begun = update(projects).where(projects.c.id == number, projects.c.state == STATE)
    conn.execute(begun.values(state="removed", lease_until=""))
