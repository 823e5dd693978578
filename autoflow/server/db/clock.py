"""The database's clock, by which all machines measure leases; timestamps are texts as in `server.timestamps`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, and_, cast, func


def after(conn: Connection, seconds: float = 0) -> ColumnElement[str]:
    """Return SQL for the time so many seconds from now, to store as the end of a lease or to compare with one."""
    if conn.dialect.name == "sqlite":
        return cast(func.strftime("%Y-%m-%dT%H:%M:%fZ", "now", f"{seconds:+.3f} seconds"), Text)
    timestamp = func.timezone("UTC", func.clock_timestamp()) + timedelta(seconds=seconds)
    return cast(func.to_char(timestamp, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), Text)


def is_active(conn: Connection, lease: ColumnElement[Any], seconds: float) -> ColumnElement[bool]:
    """Return the condition that a lease of so many seconds has not expired.

    A lease that ends later than twice its length from now was taken while the clock was wrong, and counts as expired:
    otherwise it would last for as long as the clock was ahead.
    """
    return and_(lease > now(conn), lease <= after(conn, 2 * seconds))


def now(conn: Connection) -> ColumnElement[str]:
    """Return SQL for the current time; a lease that ends before it has expired."""
    return after(conn)
