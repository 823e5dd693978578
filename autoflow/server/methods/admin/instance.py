"""The server's version, teams, workspaces, users and roles: ``instance.version``, ``teams.*`` and so on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, RowMapping, func, select, update

from autoflow.distribution import VERSION
from autoflow.model.json_object import JsonObject
from autoflow.server.db import counters, roles, tasks, teams, unsupported_methods
from autoflow.server.db.access import caller, visible
from autoflow.server.db.schema import members, tokens, users, workspaces
from autoflow.server.db.schema import teams as team_table
from autoflow.server.operations import Operation, by_name, implements
from autoflow.server.paging import ListPage, page, page_of_entities
from autoflow.server.request_parser import RequestParser
from autoflow.wire import methods
from autoflow.wire.contract import admin as contract
from autoflow.wire.contract.method import Success

# Newer than all that the SDK and apps ask for. Its second part begins with a nine because public apps compare versions
# as texts: "6.18.3" is less than "6.9.31".
INSTANCE_VERSION = "6.99.0"
# The roles, with the ids that an instance has for its admin, developer and viewer.
ROLE_IDS: Mapping[str, int] = {roles.ADMIN: 1, roles.EDITOR: 2, roles.VIEWER: 4}


def version(_conn: Connection, _request: RequestParser) -> JsonObject:
    """``instance.version``: the version of the wire, and autoflow's own, which an instance does not send."""
    return {"version": INSTANCE_VERSION, methods.AUTOFLOW_MARK: VERSION}


@implements(contract.CHANGES)
def changes(conn: Connection, _request: contract.ChangesRequest) -> contract.ChangesResponse:
    """``autoflow.changes``: the number of writes so far, which the page polls to know when to load again."""
    return {"changes": counters.changes(conn, caller(conn).teams)}


@implements(contract.UNKNOWN_METHODS)
def list_unsupported(conn: Connection, _request: contract.UnknownMethodsRequest) -> contract.UnknownMethodsResponse:
    """``autoflow.unknown_methods``: the unsupported methods that clients called, the most frequent first."""
    return {"methods": unsupported_methods.counts(conn)}


def _timestamps(row: RowMapping) -> JsonObject:
    return {"createdAt": row["created_at"], "updatedAt": row["updated_at"]}


def _roles(conn: Connection, user_ids: Sequence[int], team_id: int | None) -> dict[int, str]:
    """Return the highest role of each user in the teams that the caller sees, or in one of them."""
    query = select(members.c.user_id, members.c.role).join(team_table, team_table.c.id == members.c.team_id)
    query = query.where(members.c.user_id.in_(user_ids), visible(conn, team_table))
    if team_id is not None:
        query = query.where(members.c.team_id == team_id)
    by_user = dict.fromkeys(user_ids, roles.VIEWER)
    for user_id, role in conn.execute(query):
        by_user[user_id] = max(by_user[user_id], role, key=roles.ROLES.index)
    return by_user


def _teams(conn: Connection, rows: Sequence[RowMapping]) -> list[JsonObject]:
    query = select(members.c.team_id, members.c.role).where(members.c.user_id == caller(conn).user)
    own_roles = {row["team_id"]: row["role"] for row in conn.execute(query).mappings()}
    return [
        {
            "id": row["id"],
            "name": row["name"],
            "description": row["description"],
            "role": own_roles.get(row["id"], roles.ADMIN),  # of the local user, who may do everything
            **_timestamps(row),
        }
        for row in rows
    ]


def _workspaces(rows: Sequence[RowMapping]) -> list[JsonObject]:
    return [
        {
            "id": row["id"],
            "name": row["name"],
            "description": row["description"],
            "teamId": row["team_id"],
            "hidden": row["hidden"],
            **_timestamps(row),
        }
        for row in rows
    ]


def _users(conn: Connection, rows: Sequence[RowMapping], team_id: int | None = None) -> list[JsonObject]:
    """Return users in wire form; a user logs in by getting a token, and has no other account here.

    The role is the user's in a team, by default the highest in any that the caller sees.
    """
    by_user = _roles(conn, [row["id"] for row in rows], team_id)
    query = select(tokens.c.user_id, func.count(), func.max(tokens.c.created_at)).where(
        tokens.c.user_id.in_([row["id"] for row in rows]), tokens.c.task_id.is_(None)
    )
    logins = {user_id: (count, last) for user_id, count, last in conn.execute(query.group_by(tokens.c.user_id))}
    shaped = []
    for row in rows:
        count, last_login = logins.get(row["id"], (0, row["created_at"]))
        shaped.append(
            {
                "id": row["id"],
                "login": row["login"],
                "name": row["name"],
                "email": row["login"] if "@" in row["login"] else "",
                "role": by_user[row["id"]],
                "roleId": ROLE_IDS[by_user[row["id"]]],
                "logins": count,
                "lastLogin": last_login,
                "disabled": row["disabled"],
                **_timestamps(row),
            }
        )
    return shaped


def list_teams(conn: Connection, request: RequestParser) -> ListPage:
    """``teams.list``."""
    return page(
        conn,
        select(team_table).where(visible(conn, team_table)),
        {"id": team_table.c.id, "name": team_table.c.name},
        request,
        lambda rows: _teams(conn, rows),
    )


def team(conn: Connection, request: RequestParser) -> JsonObject:
    """``teams.info`` by id."""
    return _teams(conn, [teams.get(conn, team_table, "team", request.number("id"))])[0]


def list_workspaces(conn: Connection, request: RequestParser) -> ListPage:
    """``workspaces.list`` of a team."""
    team_id = request.number("teamId")
    teams.get(conn, team_table, "team", team_id)
    query = select(workspaces).where(workspaces.c.team_id == team_id)
    return page(conn, query, {"id": workspaces.c.id, "name": workspaces.c.name}, request, _workspaces)


def workspace(conn: Connection, request: RequestParser) -> JsonObject:
    """``workspaces.info`` by id."""
    return _workspaces([teams.get(conn, workspaces, "workspace", request.number("id"))])[0]


def add_workspace(conn: Connection, request: RequestParser) -> JsonObject:
    """``workspaces.add``.

    Raises:
        Conflict: the team has a workspace of that name.
    """
    workspace_id = teams.add_workspace(
        conn, request.number("teamId"), request.text("name"), request.text("description", "")
    )
    return _workspaces([teams.get(conn, workspaces, "workspace", workspace_id)])[0]


def hide_workspace(conn: Connection, request: RequestParser) -> Success:
    """``workspaces.visibility.set``: a hidden workspace is not listed; it holds projects such as version previews."""
    workspace_id = teams.get(conn, workspaces, "workspace", request.number("id"))["id"]
    conn.execute(
        update(workspaces).where(workspaces.c.id == workspace_id).values(hidden=request.flag("hidden", default=True))
    )
    return {"success": True}


def me(conn: Connection, _request: RequestParser) -> JsonObject:
    """``users.me``."""
    return _users(conn, [teams.get(conn, users, "user", caller(conn).user)])[0]


def user(conn: Connection, request: RequestParser) -> JsonObject:
    """``users.info`` by id, with those of the user's teams that the caller sees."""
    user_row = teams.get(conn, users, "user", request.number("id"))
    query = select(team_table, members.c.role).join(members, members.c.team_id == team_table.c.id)
    query = query.where(members.c.user_id == user_row["id"], visible(conn, team_table)).order_by(team_table.c.id)
    user_teams = [
        {"id": row["id"], "name": row["name"], "roleId": ROLE_IDS[row["role"]], "role": row["role"]}
        for row in conn.execute(query).mappings()
    ]
    return {**_users(conn, [user_row])[0], "teams": user_teams}


def list_users(conn: Connection, request: RequestParser) -> ListPage:
    """``users.list``: the users who share a team with the caller."""
    columns = {"id": users.c.id, "login": users.c.login, "name": users.c.name}
    query = select(users).where(visible(conn, users))
    return page(conn, query, columns, request, lambda rows: _users(conn, rows))


def list_roles(conn: Connection, request: RequestParser) -> ListPage:
    """``roles.list``: all roles; they are as old as the store."""
    created_at = conn.execute(select(func.min(team_table.c.created_at))).scalar()
    stamps = {"createdAt": created_at, "updatedAt": created_at}
    return page_of_entities([{"id": number, "role": role, **stamps} for role, number in ROLE_IDS.items()], request)


def context(conn: Connection, request: RequestParser) -> JsonObject:
    """``GetTaskContext``: the team and the workspace of a task, also of one that its first edge will create."""
    task = tasks.get_or_draft(conn, request.number("id"))
    workspace = teams.get(conn, workspaces, "workspace", task["workspace_id"])
    team = teams.get(conn, team_table, "team", task["team_id"])
    return {
        "team": {"id": team["id"], "name": team["name"]},
        "workspace": {"id": workspace["id"], "name": workspace["name"]},
    }


def list_members(conn: Connection, request: RequestParser) -> ListPage:
    """``members.list`` of a team."""
    team_id = teams.get(conn, team_table, "team", request.number("teamId"))["id"]
    query = select(users).join(members, members.c.user_id == users.c.id).where(members.c.team_id == team_id)
    columns = {"id": users.c.id, "login": users.c.login, "name": users.c.name}
    return page(conn, query, columns, request, lambda rows: _users(conn, rows, team_id))


READS: Mapping[str, Operation] = {
    methods.INSTANCE_VERSION: version,
    **by_name(changes, list_unsupported),
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
