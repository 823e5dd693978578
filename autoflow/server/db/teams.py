"""Teams, their workspaces, and users; team, workspace and user 1 are there from the start."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping, Table, insert, select

from autoflow.server import timestamps
from autoflow.server.db.access import caller, visible
from autoflow.server.db.schema import teams, workspaces
from autoflow.server.errors import Conflict, NotFound

FIRST_TEAM = FIRST_WORKSPACE = FIRST_USER = 1


def find(conn: Connection, table: Table, number: int) -> RowMapping | None:
    """A row by its id, None when the caller sees none."""
    return conn.execute(select(table).where(table.c.id == number, visible(conn, table))).mappings().one_or_none()


def get(conn: Connection, table: Table, what: str, number: int) -> RowMapping:
    """A row by its id.

    Raises:
        NotFound: there is none; `what` is its word in the message.
    """
    found = find(conn, table, number)
    if found is None:
        raise NotFound(what, number)
    return found


def add_workspace(conn: Connection, team_id: int, name: str, description: str) -> int:
    """Make a workspace; gives its id."""
    get(conn, teams, "team", team_id)
    if conn.execute(select(workspaces.c.id).where(workspaces.c.team_id == team_id, workspaces.c.name == name)).first():
        raise Conflict(f"team {team_id} has a workspace named {name!r} already")
    moment = timestamps.now()
    values: dict[str, Any] = {"team_id": team_id, "name": name, "description": description}
    made = conn.execute(insert(workspaces).values(**values, created_at=moment, updated_at=moment))
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


def default_team(conn: Connection) -> int:
    """The caller's first team."""
    mine = caller(conn).teams
    return FIRST_TEAM if mine is None else min(mine)


def first_workspace(conn: Connection, team_id: int) -> int | None:
    """A team's first workspace, None when the caller sees no such team."""
    query = select(workspaces.c.id).where(workspaces.c.team_id == team_id, visible(conn, workspaces))
    return conn.execute(query.order_by(workspaces.c.id).limit(1)).scalar()


def resolve_workspace(conn: Connection, team_id: int | None, workspace_id: int | None) -> tuple[int, int]:
    """The team and workspace a run belongs to: the workspace if it is known, else the team's first, else the first
    of the caller's first team.
    """
    if workspace_id is not None and (found := find(conn, workspaces, workspace_id)) is not None:
        return found["team_id"], found["id"]
    for number in (team_id, default_team(conn)):
        if number is not None and (workspace := first_workspace(conn, number)) is not None:
            return number, workspace
    raise NotFound("team", team_id)
