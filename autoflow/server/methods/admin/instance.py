"""What this server is, and who is asking: `instance.version`, teams, workspaces, the user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, select, update

from autoflow.distribution import VERSION
from autoflow.server.db import counters, tasks, teams, unsupported_methods
from autoflow.server.db.access import caller, visible
from autoflow.server.db.schema import members, users, workspaces
from autoflow.server.db.schema import teams as team_table
from autoflow.server.operations import Operation
from autoflow.server.paging import page, page_of_entities
from autoflow.server.request_parser import RequestParser
from autoflow.wire import methods

# The oldest instance the SDK of this wire calls supported.
SPEAKS = "6.18.3"
# What everybody is in their teams.
ROLE = {"id": 1, "role": "admin", "createdAt": None, "updatedAt": None}


def version(_conn: Connection, _request: RequestParser) -> dict[str, Any]:
    """The version of the wire spoken here, and the mark that this is no Supervisely instance."""
    return {"version": SPEAKS, methods.AUTOFLOW_MARK: VERSION}


def changes(conn: Connection, _request: RequestParser) -> dict[str, Any]:
    """How many writes there were: a page that polls it knows when to ask for more."""
    return {"changes": counters.changes(conn, caller(conn).teams)}


def unknown(conn: Connection, _request: RequestParser) -> dict[str, Any]:
    """``autoflow.unknown_methods``: what clients asked for that this server does not have, the most wanted first."""
    return {"methods": unsupported_methods.counts(conn)}


def _stamps(row: RowMapping) -> dict[str, Any]:
    return {"createdAt": row["created_at"], "updatedAt": row["updated_at"]}


def _teams(found: Sequence[RowMapping]) -> list[dict[str, Any]]:
    return [
        {"id": row["id"], "name": row["name"], "description": row["description"], "role": ROLE["role"], **_stamps(row)}
        for row in found
    ]


def _workspaces(found: Sequence[RowMapping]) -> list[dict[str, Any]]:
    return [
        {
            "id": row["id"],
            "name": row["name"],
            "description": row["description"],
            "teamId": row["team_id"],
            "hidden": row["hidden"],
            **_stamps(row),
        }
        for row in found
    ]


def _user(row: RowMapping) -> dict[str, Any]:
    return {"id": row["id"], "login": row["login"], "name": row["name"], "role": ROLE["role"], **_stamps(row)}


def list_teams(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``teams.list``."""
    return page(
        conn,
        select(team_table).where(visible(conn, team_table)),
        {"id": team_table.c.id, "name": team_table.c.name},
        request,
        _teams,
    )


def team(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``teams.info`` by id."""
    return _teams([teams.get(conn, team_table, "team", request.number("id"))])[0]


def list_workspaces(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``workspaces.list`` of a team."""
    team_id = request.number("teamId")
    teams.get(conn, team_table, "team", team_id)
    query = select(workspaces).where(workspaces.c.team_id == team_id)
    return page(conn, query, {"id": workspaces.c.id, "name": workspaces.c.name}, request, _workspaces)


def workspace(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``workspaces.info`` by id."""
    return _workspaces([teams.get(conn, workspaces, "workspace", request.number("id"))])[0]


def add_workspace(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``workspaces.add``: 409 when the team has one of that name."""
    number = teams.add_workspace(conn, request.number("teamId"), request.text("name"), request.text("description", ""))
    return _workspaces([teams.get(conn, workspaces, "workspace", number)])[0]


def hide_workspace(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``workspaces.visibility.set``: a hidden one is for what is seen otherwise, such as previews of versions."""
    number = teams.get(conn, workspaces, "workspace", request.number("id"))["id"]
    conn.execute(
        update(workspaces).where(workspaces.c.id == number).values(hidden=request.flag("hidden", default=True))
    )
    return {"success": True}


def me(conn: Connection, _request: RequestParser) -> dict[str, Any]:
    """``users.me``."""
    return _user(teams.get(conn, users, "user", caller(conn).user))


def user(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``users.info`` by id, with those teams of theirs that the caller sees."""
    found = teams.get(conn, users, "user", request.number("id"))
    query = select(team_table).join(members, members.c.team_id == team_table.c.id)
    query = query.where(members.c.user_id == found["id"], visible(conn, team_table)).order_by(team_table.c.id)
    named = [
        {"id": row["id"], "name": row["name"], "roleId": ROLE["id"], "role": ROLE["role"]}
        for row in conn.execute(query).mappings()
    ]
    return {**_user(found), "teams": named}


def list_users(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``users.list``: whoever shares a team with the caller."""
    columns = {"id": users.c.id, "login": users.c.login, "name": users.c.name}
    query = select(users).where(visible(conn, users))
    return page(conn, query, columns, request, lambda found: [_user(row) for row in found])


def list_roles(_conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``roles.list``: in a team all may do the same."""
    return page_of_entities([ROLE], request)


def context(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``GetTaskContext``: the team and the workspace of a task."""
    task = tasks.get(conn, request.number("id"))
    place = teams.get(conn, workspaces, "workspace", task["workspace_id"])
    team = teams.get(conn, team_table, "team", task["team_id"])
    return {
        "team": {"id": team["id"], "name": team["name"]},
        "workspace": {"id": place["id"], "name": place["name"]},
    }


def list_members(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``members.list`` of a team."""
    team_id = teams.get(conn, team_table, "team", request.number("teamId"))["id"]
    query = select(users).join(members, members.c.user_id == users.c.id).where(members.c.team_id == team_id)
    columns = {"id": users.c.id, "login": users.c.login, "name": users.c.name}
    return page(conn, query, columns, request, lambda found: [_user(row) for row in found])


READS: Mapping[str, Operation] = {
    methods.INSTANCE_VERSION: version,
    methods.CHANGES: changes,
    methods.UNKNOWN_METHODS: unknown,
    "teams.list": list_teams,
    "teams.info": team,
    "workspaces.list": list_workspaces,
    "workspaces.info": workspace,
    "members.list": list_members,
    "users.me": me,
    "users.info": user,
    "users.list": list_users,
    "roles.list": list_roles,
    "GetTaskContext": context,
}
WRITES: Mapping[str, Operation] = {
    "workspaces.add": add_workspace,
    "workspaces.visibility.set": hide_workspace,
}
