"""Saved views of the page: a person's own, and those shared with a team."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, or_, select

from autoflow.server.db.access import caller, get_row, visible
from autoflow.server.db.insertion import insert_row
from autoflow.server.db.page_tables import views
from autoflow.server.db.schema import users


def listing(conn: Connection) -> Select[Any]:
    """Return a query for the views that the caller sees, with their authors."""
    query = select(views, users.c.login.label("author")).outerjoin(users, users.c.id == views.c.created_by)
    return query.where(visible(conn, views), or_(views.c.shared, views.c.created_by == caller(conn).user))


def get(conn: Connection, number: int) -> RowMapping:
    """Return a view by id.

    Raises:
        NotFound: there is none, or it is another person's own.
    """
    return get_row(conn, listing(conn).where(views.c.id == number), "view", number)


def save(conn: Connection, team_id: int, name: str, address: str, *, shared: bool) -> RowMapping:
    """Insert a view in place of the author's view of that name; return its row."""
    author = caller(conn).user
    same = (views.c.team_id == team_id, views.c.name == name, views.c.created_by == author)
    conn.execute(delete(views).where(*same))
    values = {"team_id": team_id, "name": name, "address": address, "shared": shared}
    return get(conn, insert_row(conn, views, values))


def remove(conn: Connection, row: RowMapping) -> None:
    """Delete a view."""
    conn.execute(delete(views).where(views.c.id == row["id"]))
