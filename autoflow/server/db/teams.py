"""Teams, their workspaces, and users; team, workspace and user 1 exist from the start."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Table, select

from autoflow.server.db.access import caller, get_row, visible
from autoflow.server.db.insertion import insert_row
from autoflow.server.db.schema import teams, workspaces
from autoflow.server.errors import Conflict, NotFound

FIRST_USER = 1


def _by_id(conn: Connection, table: Table, number: int) -> Select[Any]:
    return select(table).where(table.c.id == number, visible(conn, table))


def find(conn: Connection, table: Table, number: int) -> RowMapping | None:
    """Return a row by id, None if the caller sees none."""
    return conn.execute(_by_id(conn, table, number)).mappings().one_or_none()


def get(conn: Connection, table: Table, what: str, number: int) -> RowMapping:
    """Return a row by id.

    Raises:
        NotFound: there is none; `what` is its word in the message.
    """
    return get_row(conn, _by_id(conn, table, number), what, number)


def add_workspace(conn: Connection, team_id: int, name: str, description: str) -> int:
    """Insert a workspace; return its id."""
    get(conn, teams, "team", team_id)
    if conn.execute(select(workspaces.c.id).where(workspaces.c.team_id == team_id, workspaces.c.name == name)).first():
        raise Conflict(f"team {team_id} has a workspace named {name!r} already")
    return insert_row(conn, workspaces, {"team_id": team_id, "name": name, "description": description})


def default_team(conn: Connection) -> int:
    """Return the caller's first team."""
    return caller(conn).default_team


def first_workspace(conn: Connection, team_id: int) -> int | None:
    """Return a team's first workspace, None if the caller does not see the team."""
    query = select(workspaces.c.id).where(workspaces.c.team_id == team_id, visible(conn, workspaces))
    return conn.execute(query.order_by(workspaces.c.id).limit(1)).scalar()


def resolve_workspace(conn: Connection, team_id: int | None, workspace_id: int | None) -> tuple[int, int]:
    """Return the team and workspace of a run: the given workspace if it is known, else the first one of the given team
    or of the caller's first team.
    """
    if workspace_id is not None and (workspace_row := find(conn, workspaces, workspace_id)) is not None:
        return workspace_row["team_id"], workspace_row["id"]
    for number in (team_id, default_team(conn)):
        if number is not None and (workspace := first_workspace(conn, number)) is not None:
            return number, workspace
    raise NotFound("team", team_id)
