"""The members of teams: ``autoflow.members.set`` and ``autoflow.members.remove``, for admins of the team.

``members.list`` of Supervisely's wire lists them.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from autoflow.server.db import teams, tokens
from autoflow.server.db.access import caller
from autoflow.server.db.schema import teams as team_table
from autoflow.server.errors import Forbidden
from autoflow.server.operations import Operation, by_name, implements
from autoflow.wire.contract import admin as contract
from autoflow.wire.contract.method import Success


def check_administered(conn: Connection, team_id: int) -> None:
    """Check that the caller may change the members of a team.

    Raises:
        NotFound: there is no such team.
        Forbidden: the caller is no admin of it, or the token has not the scope.
    """
    teams.get(conn, team_table, "team", team_id)
    administered = caller(conn).administered
    if administered is not None and team_id not in administered:
        raise Forbidden(f"the members of team {team_id} are changed by its admins, with a token of scope admin")


@implements(contract.MEMBERS_SET)
def set_member(conn: Connection, request: contract.SetMemberRequest) -> Success:
    """``autoflow.members.set``: a new user has no token until one is created on the server's machine."""
    check_administered(conn, request.team_id)
    tokens.add_member(conn, tokens.ensure_user(conn, request.login), [request.team_id], request.role)
    return {"success": True}


@implements(contract.MEMBERS_REMOVE)
def remove_member(conn: Connection, request: contract.RemoveMemberRequest) -> Success:
    """``autoflow.members.remove``; a user who is no member is unknown, whether they exist or not."""
    check_administered(conn, request.team_id)
    tokens.remove_login(conn, request.login, request.team_id)
    return {"success": True}


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = by_name(set_member, remove_member)
