"""The one clock leases are measured by: the database's, whichever machine asks; texts as `times` writes them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, and_, cast, func


def after(conn: Connection, seconds: float = 0) -> ColumnElement[str]:
    """The moment so many seconds from now, as SQL: to be written as the end of a lease, or compared with one."""
    if conn.dialect.name == "sqlite":
        return cast(func.strftime("%Y-%m-%dT%H:%M:%fZ", "now", f"{seconds:+.3f} seconds"), Text)
    moment = func.timezone("UTC", func.clock_timestamp()) + timedelta(seconds=seconds)
    return cast(func.to_char(moment, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), Text)


def is_active(conn: Connection, lease: ColumnElement[Any], seconds: float) -> ColumnElement[bool]:
    """The condition that a lease of so many seconds has not ended.

    One that ends later than twice its length from now was begun while the clock was wrong, and has ended: else nobody
    could end it for as long as the clock was ahead.
    """
    return and_(lease > now(conn), lease <= after(conn, 2 * seconds))


def now(conn: Connection) -> ColumnElement[str]:
    """This moment: a lease that ends before it is over."""
    return after(conn)
