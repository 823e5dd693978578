"""Teams and their members, for who administers them: ``teams.add``, ``users.*``,
``members.*``, ``workspaces.editInfo`` and ``workspaces.archive``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select, true, update

from autoflow.model.json_object import JsonObject
from autoflow.server import timestamps
from autoflow.server.db import audit, teams, tokens
from autoflow.server.db.access import caller
from autoflow.server.db.insertion import insert_row
from autoflow.server.db.schema import members, projects, tasks, users, workspaces
from autoflow.server.db.schema import teams as team_table
from autoflow.server.errors import Conflict, Forbidden, Invalid, NotFound
from autoflow.server.methods.admin import instance
from autoflow.server.methods.admin.members import check_administered
from autoflow.server.operations import Operation
from autoflow.server.request_parser import RequestParser
from autoflow.wire.contract.method import Success

_ROLES = {number: role for role, number in instance.ROLE_IDS.items()}


def _check_local(conn: Connection, method: str) -> None:
    if caller(conn).teams is not None:
        raise Forbidden(f"{method} is for the administrator of this server: use `autoflow token create`")


def _role(request: RequestParser) -> str:
    number = request.number("roleId")
    if number not in _ROLES:
        raise Invalid(f'"roleId" must be one of {", ".join(map(str, _ROLES))}, see roles.list', {"field": "roleId"})
    return _ROLES[number]


def add_team(conn: Connection, request: RequestParser) -> JsonObject:
    """``teams.add``, with a first workspace; of the server's administrator alone.

    Raises:
        Conflict: the name is taken.
    """
    _check_local(conn, "teams.add")
    name = request.text("name")
    if conn.execute(select(team_table.c.id).where(team_table.c.name == name)).first() is not None:
        raise Conflict(f"there is a team named {name!r} already")
    team_id = insert_row(conn, team_table, {"name": name, "description": request.text("description", "")})
    teams.add_workspace(conn, team_id, "Workspace", "")
    audit.record(conn, "team.create", f"team:{team_id}", team_id=team_id, name=name)
    return instance.team(conn, RequestParser({"id": team_id}))


def edit_workspace(conn: Connection, request: RequestParser) -> JsonObject:
    """``workspaces.editInfo``: the name or the description.

    Raises:
        Conflict: the team has a workspace of that name.
    """
    row = teams.get(conn, workspaces, "workspace", request.number("id"))
    changed: dict[str, Any] = {"description": request.text("description", row["description"])}
    if request.has("name"):
        changed["name"] = name = request.text("name")
        same = (workspaces.c.team_id == row["team_id"], workspaces.c.name == name, workspaces.c.id != row["id"])
        if conn.execute(select(workspaces.c.id).where(*same)).first() is not None:
            raise Conflict(f"team {row['team_id']} has a workspace named {name!r} already")
    conn.execute(update(workspaces).where(workspaces.c.id == row["id"]).values(**changed, updated_at=timestamps.now()))
    return instance.workspace(conn, request)


def archive_workspace(conn: Connection, request: RequestParser) -> Success:
    """``workspaces.archive``: hide an empty workspace; it stays, and ``workspaces.visibility.set`` shows it again.

    Raises:
        Conflict: it has projects or runs, or it is the team's first, where runs are recorded that name no workspace.
    """
    row = teams.get(conn, workspaces, "workspace", request.number("id"))
    if row["id"] == teams.first_workspace(conn, row["team_id"]):
        raise Conflict(f"workspace {row['id']} is the first of its team: runs are recorded there if they name no other")
    for table, what, condition in (
        (projects, "projects: move them to another workspace, or remove them", projects.c.state != "removed"),
        (tasks, "runs, which stay where they were recorded", true()),
    ):
        own = select(table.c.id).where(table.c.workspace_id == row["id"], condition)
        if conn.execute(own.limit(1)).first() is not None:
            raise Conflict(f"only an empty workspace is archived, and workspace {row['id']} has {what}")
    conn.execute(
        update(workspaces).where(workspaces.c.id == row["id"]).values(hidden=True, updated_at=timestamps.now())
    )
    return {"success": True}


def add_user(conn: Connection, request: RequestParser) -> JsonObject:
    """``users.add``: a user of no team yet, of the server's administrator alone; passwords are not stored.

    Raises:
        Conflict: the login is taken.
    """
    _check_local(conn, "users.add")
    login = request.text("login")
    if conn.execute(select(users.c.id).where(users.c.login == login)).first() is not None:
        raise Conflict(f"there is a user with the login {login!r} already")
    user_id = insert_row(conn, users, {"login": login, "name": request.text("name", "") or login})
    return {**instance.user(conn, RequestParser({"id": user_id})), "userId": user_id}  # the SDK reads this member alone


def edit_user(conn: Connection, request: RequestParser) -> JsonObject:
    """``users.editInfo``: the name, by the user or the server's administrator; a password is not stored."""
    row = teams.get(conn, users, "user", request.number("id"))
    if row["id"] != caller(conn).user:
        _check_local(conn, "users.editInfo of another user")
    if request.has("name"):
        changed = {"name": request.text("name"), "updated_at": timestamps.now()}
        conn.execute(update(users).where(users.c.id == row["id"]).values(**changed))
    return instance.user(conn, request)


def disable_user(conn: Connection, request: RequestParser) -> Success:
    """``users.disable``: the user's tokens are refused until ``disable`` is false; of the server's administrator alone.

    Raises:
        Conflict: the caller would be locked out.
    """
    _check_local(conn, "users.disable")
    row, disabled = teams.get(conn, users, "user", request.number("id")), request.flag("disable", default=True)
    if disabled and row["id"] in {caller(conn).user, teams.FIRST_USER}:
        raise Conflict("the server's administrator and the caller are not disabled")
    if disabled != row["disabled"]:
        changed = {"disabled": disabled, "updated_at": timestamps.now()}
        conn.execute(update(users).where(users.c.id == row["id"]).values(**changed))
        action: audit.Action = "user.disable" if disabled else "user.enable"
        for team_id in [team["id"] for team in tokens.teams_of(conn, row["id"])] or [None]:
            audit.record(conn, action, f"user:{row['id']}", team_id=team_id, name=row["login"])
    return {"success": True}


def _member(conn: Connection, request: RequestParser) -> tuple[int, int]:
    """Return the ids of a team and of a member of it.

    Raises:
        NotFound: the user is no member.
    """
    team_id, user_id = request.number("teamId"), request.number("id")
    check_administered(conn, team_id)
    own = select(members.c.user_id).where(members.c.team_id == team_id, members.c.user_id == user_id)
    if conn.execute(own).first() is None:
        raise NotFound("member", user_id)
    return team_id, user_id


def add_member(conn: Connection, request: RequestParser) -> JsonObject:
    """``members.add`` of a user by ``login``, with a role."""
    team_id, login = request.number("teamId"), request.text("login")
    check_administered(conn, team_id)
    user_id = conn.execute(select(users.c.id).where(users.c.login == login)).scalar()
    if user_id is None:
        raise NotFound("user", login)
    tokens.add_member(conn, user_id, [team_id], _role(request))
    return {"userId": user_id, "teamId": team_id, "roleId": request.number("roleId")}


def edit_member(conn: Connection, request: RequestParser) -> Success:
    """``members.editInfo``: the role of a member."""
    team_id, user_id = _member(conn, request)
    tokens.add_member(conn, user_id, [team_id], _role(request))
    return {"success": True}


def remove_member(conn: Connection, request: RequestParser) -> Success:
    """``members.remove``: the user and what the user made stay."""
    team_id, user_id = _member(conn, request)
    tokens.remove_membership(conn, user_id, team_id)
    return {"success": True}


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = {
    "teams.add": add_team,
    "workspaces.editInfo": edit_workspace,
    "workspaces.archive": archive_workspace,
    "users.add": add_user,
    "users.editInfo": edit_user,
    "users.disable": disable_user,
    "members.add": add_member,
    "members.editInfo": edit_member,
    "members.remove": remove_member,
}
