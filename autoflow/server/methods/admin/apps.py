"""``apps.*`` in the SDK's shape: an app is the group of a team's runs that have one name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, RowMapping, select

from autoflow.model.json_object import JsonObject
from autoflow.server.db import jobs, tasks, teams
from autoflow.server.db.access import visible
from autoflow.server.db.schema import apps
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.db.schema import teams as team_table
from autoflow.server.methods.admin.tasks import COLUMNS, tasks_to_wire
from autoflow.server.operations import Operation
from autoflow.server.paging import ListPage, page
from autoflow.server.request_parser import RequestParser


def _to_wire(conn: Connection, rows: Sequence[RowMapping]) -> list[JsonObject]:
    logins = jobs.logins(conn)
    return [
        {
            "id": row["id"],
            "name": row["name"],
            "slug": row["name"],
            "teamId": row["team_id"],
            "moduleId": row["id"],
            "createdBy": row["created_by"] or teams.FIRST_USER,
            "userLogin": logins.get(row["created_by"]),
            "disabled": False,
            "isShared": False,
            "config": {"name": row["name"]},
            "repo": {},
            "tasks": [],
        }
        for row in rows
    ]


def app(conn: Connection, request: RequestParser) -> JsonObject:
    """``apps.info`` by id."""
    return _to_wire(conn, [teams.get(conn, apps, "app", request.number("id"))])[0]


def list_apps(conn: Connection, request: RequestParser) -> ListPage:
    """``apps.list`` of a team."""
    team = teams.get(conn, team_table, "team", request.number("teamId"))
    columns = {"id": apps.c.id, "name": apps.c.name, "moduleId": apps.c.id}
    return page(
        conn,
        select(apps).where(apps.c.team_id == team["id"], visible(conn, apps)),
        columns,
        request,
        lambda rows: _to_wire(conn, rows),
    )


def list_sessions(conn: Connection, request: RequestParser) -> ListPage:
    """``apps.tasks.list``: the runs of an app (``appId``) of a team."""
    app_row = teams.get(conn, apps, "app", request.number("appId"))
    query = tasks.listing(conn).where(task_table.c.app_id == app_row["id"])
    return page(conn, query, COLUMNS, request, tasks_to_wire)


READS: Mapping[str, Operation] = {"apps.info": app, "apps.list": list_apps, "apps.tasks.list": list_sessions}
WRITES: Mapping[str, Operation] = {}
