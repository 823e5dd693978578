"""Notes on cards: rows that are only inserted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, select

from autoflow.server.db.access import visible
from autoflow.server.db.insertion import insert_row
from autoflow.server.db.page_tables import notes
from autoflow.server.db.schema import users, workspaces


def listing(conn: Connection) -> Select[Any]:
    """Return a query for the notes that the caller sees, with their authors and the first workspace of their team."""
    workspace_id = select(func.min(workspaces.c.id)).where(workspaces.c.team_id == notes.c.team_id).scalar_subquery()
    columns = (users.c.login.label("author"), workspace_id.label("workspace_id"))
    query = select(notes, *columns).outerjoin(users, users.c.id == notes.c.created_by)
    return query.where(visible(conn, notes))


def of_card(conn: Connection, card: str, before: int | None, limit: int) -> list[RowMapping]:
    """Return the notes on a card, the latest first."""
    query = listing(conn).where(notes.c.card == card)
    if before is not None:
        query = query.where(notes.c.id < before)
    return list(conn.execute(query.order_by(notes.c.id.desc()).limit(limit)).mappings())


def add(conn: Connection, team_id: int, card: str, text: str) -> RowMapping:
    """Insert a note; return its row."""
    values = {"team_id": team_id, "card": card, "text": text}
    number = insert_row(conn, notes, values)
    return conn.execute(listing(conn).where(notes.c.id == number)).mappings().one()
