"""Who asks, and what of the store they see: rows of their teams, and nothing of any other.

The caller goes with the transaction. Every look-up by number, name or list adds `visible` of its table to its WHERE,
so that another team's row and one that does not exist are answered alike. There is no other check
but `check_own`: the token of a reproduction changes only rows made since it was issued.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Exists, Table, or_, select, true

from autoflow.server.db import clock
from autoflow.server.db.schema import (
    apps,
    blob_leases,
    blobs,
    datasets,
    edges,
    entities,
    files,
    items,
    jobs,
    members,
    projects,
    tasks,
    teams,
    unsupported_methods,
    users,
    versions,
    workspaces,
)
from autoflow.server.errors import Forbidden, NotFound

OPTION = "autoflow_caller"


class Caller(NamedTuple):
    """Who a transaction is for.

    Args:
        user: whose name stands on what is made.
        teams: those the user is in; None for who sees all.
        site: the address the server was asked at (``http://host:port``), empty when embedded.
        since: set for the token of a reproduction, which changes only what its user has made since then.
    """

    user: int = 1
    teams: frozenset[int] | None = None
    site: str = ""
    since: str | None = None


LOCAL = Caller()

Teams = Sequence[int]


def caller(conn: Connection) -> Caller:
    """Who this transaction is for."""
    found: Caller = conn.get_execution_options().get(OPTION, LOCAL)
    return found


def absolute_url(conn: Connection, path: str) -> str | None:
    """The absolute address of a path on this server; None when it was not asked over HTTP."""
    site = caller(conn).site
    return site + path if site else None


def _of_workspace(mine: Teams) -> Exists:
    query = select(workspaces.c.id).where(workspaces.c.id == projects.c.workspace_id, workspaces.c.team_id.in_(mine))
    return query.correlate(projects).exists()


def _of_project(table: Table) -> Callable[[Teams], ColumnElement[bool]]:
    def condition(mine: Teams) -> ColumnElement[bool]:
        query = select(projects.c.id).join(workspaces, workspaces.c.id == projects.c.workspace_id)
        query = query.where(projects.c.id == table.c.project_id, workspaces.c.team_id.in_(mine))
        return query.correlate(table).exists()

    return condition


def _members(mine: Teams) -> ColumnElement[bool]:
    query = select(members.c.user_id).where(members.c.user_id == users.c.id, members.c.team_id.in_(mine))
    return query.correlate(users).exists()


def _of_task(mine: Teams) -> ColumnElement[bool]:
    return select(tasks.c.id).where(tasks.c.id == edges.c.task_id, tasks.c.team_id.in_(mine)).correlate(edges).exists()


# Tables by which rows of them belong to teams.
_VISIBLE: Mapping[Table, Callable[[Teams], ColumnElement[bool]]] = {
    teams: teams.c.id.in_,
    workspaces: workspaces.c.team_id.in_,
    users: _members,
    projects: _of_workspace,
    datasets: _of_project(datasets),
    items: _of_project(items),
    versions: _of_project(versions),
    jobs: _of_project(jobs),
    apps: apps.c.team_id.in_,
    files: files.c.team_id.in_,
    tasks: tasks.c.team_id.in_,
    entities: entities.c.team_id.in_,
    edges: _of_task,
    unsupported_methods: unsupported_methods.c.team_id.in_,
}


def visible(conn: Connection, table: Table) -> ColumnElement[bool]:
    """The condition that a row of a table is one the caller sees."""
    mine = caller(conn).teams
    return true() if mine is None else _VISIBLE[table](sorted(mine))


def visible_blobs(conn: Connection) -> ColumnElement[bool]:
    """The condition that bytes are the caller's to name: what an item or file they see is, or uploaded by them and, for
    a lease, not named yet.
    """
    who = caller(conn)
    if who.teams is None:
        return true()
    brought = select(blob_leases.c.hash).where(
        blob_leases.c.hash == blobs.c.hash,
        blob_leases.c.user_id == who.user,
        blob_leases.c.lease_until > clock.now(conn),
    )
    item = select(items.c.id).where(items.c.blob_id == blobs.c.id, visible(conn, items))
    file = select(files.c.id).where(files.c.hash == blobs.c.hash, visible(conn, files))
    return or_(*(query.correlate(blobs).exists() for query in (brought, item, file)))


def can_see(conn: Connection, table: Table, number: int) -> bool:
    """Whether the caller sees a row that is there."""
    if caller(conn).teams is None:
        return True
    return conn.execute(select(table.c.id).where(table.c.id == number, visible(conn, table))).first() is not None


def check_visible(conn: Connection, table: Table, what: str, number: int) -> None:
    """See that a row that is there is the caller's to use.

    Raises:
        NotFound: as if it were not there; `what` is its word in the message.
    """
    if not can_see(conn, table, number):
        raise NotFound(what, number)


def check_own(conn: Connection, table: Table, what: str, number: int) -> None:
    """Check that the token of a reproduction may change a row; a token without restriction always may.

    Raises:
        NotAllowed: 403, the row is another user's, or older than the token; `what` is its word in the message.
    """
    who = caller(conn)
    if who.since is None:
        return
    own = select(table.c.id).where(
        table.c.id == number, table.c.created_by == who.user, table.c.created_at >= who.since
    )
    if conn.execute(own).first() is None:
        raise Forbidden(f"{what} {number} was not made by this reproduction: its token can read it, but not change it")
