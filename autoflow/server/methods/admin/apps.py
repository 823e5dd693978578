"""``apps.*`` in the SDK's shape: an app is the group of a team's runs that have one name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from autoflow.model.json_object import JsonObject
from autoflow.server.db import jobs, tasks, teams
from autoflow.server.db.access import visible
from autoflow.server.db.schema import apps
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.db.schema import teams as team_table
from autoflow.server.methods.admin.tasks import COLUMNS, NO_APP, tasks_to_wire
from autoflow.server.operations import Operation
from autoflow.server.paging import ListPage, page
from autoflow.server.request_parser import RequestParser


def apps_to_wire(conn: Connection, rows: Sequence[Mapping[Any, Any]]) -> list[JsonObject]:
    """Return apps in wire form."""
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
            "repo": "",
            "repositoryModuleUrl": "",
            "repoId": None,
            "tasks": [],
            "meta": {},
        }
        for row in rows
    ]


def _unnamed(conn: Connection) -> JsonObject:
    """Return the app of tasks that no run has named yet."""
    return apps_to_wire(conn, [{"id": NO_APP, "name": "", "team_id": teams.default_team(conn), "created_by": None}])[0]


def app(conn: Connection, request: RequestParser) -> JsonObject:
    """``apps.info`` by id."""
    if request.number("id") == NO_APP:
        return _unnamed(conn)
    return apps_to_wire(conn, [teams.get(conn, apps, "app", request.number("id"))])[0]


def list_apps(conn: Connection, request: RequestParser) -> ListPage:
    """``apps.list`` of a team."""
    team = teams.get(conn, team_table, "team", request.number("teamId"))
    columns = {"id": apps.c.id, "name": apps.c.name, "moduleId": apps.c.id}
    return page(
        conn,
        select(apps).where(apps.c.team_id == team["id"], visible(conn, apps)),
        columns,
        request,
        lambda rows: apps_to_wire(conn, rows),
    )


def list_sessions(conn: Connection, request: RequestParser) -> ListPage:
    """``apps.tasks.list``: the runs of an app (``appId``) of a team."""
    app_row = teams.get(conn, apps, "app", request.number("appId"))
    query = tasks.listing(conn).where(task_table.c.app_id == app_row["id"])
    return page(conn, query, COLUMNS, request, tasks_to_wire)


READS: Mapping[str, Operation] = {
    "apps.info": app,
    "apps.list": list_apps,
    "apps.tasks.list": list_sessions,
}
WRITES: Mapping[str, Operation] = {}
