"""``autoflow.views.*``: views of the page that people saved under a name."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlalchemy import Connection, RowMapping, func, select

from autoflow.server.db import teams, views
from autoflow.server.db.page_tables import views as table
from autoflow.server.db.schema import teams as team_table
from autoflow.server.errors import Conflict, Invalid
from autoflow.server.operations import Operation, by_name, implements
from autoflow.wire.contract import views as contract
from autoflow.wire.contract.method import Success

MAX_VIEWS = 1000  # of a team
# A path of this server: browsers read // and /\ as the name of another host.
_ADDRESS = re.compile(r"/(?![/\\])[^\s\\\x00-\x1f\x7f]*")


def _to_wire(row: RowMapping) -> contract.SavedView:
    return {
        "id": row["id"],
        "teamId": row["team_id"],
        "name": row["name"],
        "address": row["address"],
        "shared": row["shared"],
        "createdBy": row["author"],
        "createdAt": row["created_at"],
    }


@implements(contract.VIEWS_LIST)
def list_views(conn: Connection, request: contract.ListViewsRequest) -> contract.ListViewsResponse:
    """Return the caller's own views and those shared with their teams."""
    query = views.listing(conn)
    if request.team_id is not None:
        query = query.where(table.c.team_id == teams.get(conn, team_table, "team", request.team_id)["id"])
    rows = conn.execute(query.order_by(func.lower(table.c.name), table.c.id).limit(MAX_VIEWS)).mappings()
    return {"views": [_to_wire(row) for row in rows]}


@implements(contract.VIEWS_ADD)
def add(conn: Connection, request: contract.SaveViewRequest) -> contract.SavedView:
    """Save a view, in place of the caller's view of that name."""
    team_id = teams.default_team(conn) if request.team_id is None else request.team_id
    teams.get(conn, team_table, "team", team_id)
    if not _ADDRESS.fullmatch(request.address):
        raise Invalid(
            '"address" must be the path of a page of this server, as /project/7?kind=task', {"field": "address"}
        )
    count = conn.execute(select(func.count()).select_from(table).where(table.c.team_id == team_id)).scalar_one()
    if count >= MAX_VIEWS:
        raise Conflict(f"team {team_id} has {MAX_VIEWS} saved views; remove some first")
    row = views.save(conn, team_id, request.name.strip(), request.address, shared=request.shared)
    return _to_wire(row)


@implements(contract.VIEWS_REMOVE)
def remove(conn: Connection, request: contract.RemoveViewRequest) -> Success:
    """Remove a view of the caller, or a shared one."""
    views.remove(conn, views.get(conn, request.id))
    return {"success": True}


READS: Mapping[str, Operation] = by_name(list_views)
WRITES: Mapping[str, Operation] = by_name(add, remove)
