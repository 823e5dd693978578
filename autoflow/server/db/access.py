"""Row-level access: a caller sees the rows of their teams alone.

The caller is an option of the transaction. Every look-up by id, name or list adds `visible` of its table to its WHERE,
so that another team's row and one that does not exist give the same response. The only other check is `check_own`: the
token of a reproduction can change only rows that were created since it was issued.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Exists, RowMapping, Select, Table, or_, select, true

from autoflow.server.db import clock
from autoflow.server.db.app_tables import collections, removed_datasets
from autoflow.server.db.erasure_tables import erasures
from autoflow.server.db.labeling_tables import issue_comments, issues, labeling_queues, reports
from autoflow.server.db.model_tables import models
from autoflow.server.db.page_tables import notes, views
from autoflow.server.db.reproduction_view import ReproductionView
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
from autoflow.server.db.webhook_tables import webhooks
from autoflow.server.errors import Forbidden, NotFound

OPTION = "autoflow_caller"
FIRST_TEAM = 1


class Caller(NamedTuple):
    """The user that a transaction is for.

    Args:
        user: the user's id, the author of new rows.
        teams: the user's teams, None for access to all.
        site: the address that the client used (``http://host:port``), empty if embedded.
        since: set for the token of a reproduction, which can change only what its user has created since then.
        login: the user's name, empty for the local user.
        writable: the teams whose data the user may change, None for all that the user sees.
        administered: the teams whose members the user may change, None for all that the user sees.
        view: what the command of a reproduction sees instead of the present state; None in a transaction.
    """

    user: int = 1
    teams: frozenset[int] | None = None
    site: str = ""
    since: str | None = None
    login: str = ""
    writable: frozenset[int] | None = None
    administered: frozenset[int] | None = None
    view: ReproductionView | None = None

    @property
    def default_team(self) -> int:
        """The user's first team."""
        return FIRST_TEAM if self.teams is None else min(self.teams)


LOCAL = Caller()

Teams = Sequence[int]


def caller(conn: Connection) -> Caller:
    """Return the caller of a transaction."""
    transaction_caller: Caller = conn.get_execution_options().get(OPTION, LOCAL)
    return transaction_caller


def absolute_url(conn: Connection, path: str) -> str | None:
    """Return the absolute URL of a path on this server, None if the request did not come over HTTP."""
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


def _of_issue(mine: Teams) -> ColumnElement[bool]:
    query = select(issues.c.id).where(issues.c.id == issue_comments.c.issue_id, issues.c.team_id.in_(mine))
    return query.correlate(issue_comments).exists()


# The condition that a row belongs to one of some teams, by table.
_VISIBLE: Mapping[Table, Callable[[Teams], ColumnElement[bool]]] = {
    teams: teams.c.id.in_,
    workspaces: workspaces.c.team_id.in_,
    users: _members,
    projects: _of_workspace,
    datasets: _of_project(datasets),
    items: _of_project(items),
    versions: _of_project(versions),
    jobs: _of_project(jobs),
    labeling_queues: _of_project(labeling_queues),
    issues: issues.c.team_id.in_,
    issue_comments: _of_issue,
    reports: reports.c.team_id.in_,
    collections: _of_project(collections),
    removed_datasets: _of_project(removed_datasets),
    apps: apps.c.team_id.in_,
    models: models.c.team_id.in_,
    webhooks: webhooks.c.team_id.in_,
    notes: notes.c.team_id.in_,
    views: views.c.team_id.in_,
    files: files.c.team_id.in_,
    tasks: tasks.c.team_id.in_,
    entities: entities.c.team_id.in_,
    edges: _of_task,
    unsupported_methods: unsupported_methods.c.team_id.in_,
    erasures: erasures.c.team_id.in_,
}


def visible(conn: Connection, table: Table) -> ColumnElement[bool]:
    """Return the condition that the caller sees a row of a table."""
    return visible_to(caller(conn), table)


def visible_to(user: Caller, table: Table) -> ColumnElement[bool]:
    """Return the condition that a caller sees a row of a table."""
    return true() if user.teams is None else _VISIBLE[table](sorted(user.teams))


def visible_blobs(conn: Connection) -> ColumnElement[bool]:
    """Return the condition that the caller may reference a blob: an item or file that they see has it, or they have a
    lease on it.
    """
    user = caller(conn)
    if user.teams is None:
        return true()
    lease = select(blob_leases.c.hash).where(
        blob_leases.c.hash == blobs.c.hash,
        blob_leases.c.user_id == user.user,
        blob_leases.c.lease_until > clock.now(conn),
    )
    item = select(items.c.id).where(items.c.blob_id == blobs.c.id, visible(conn, items))
    file = select(files.c.id).where(files.c.hash == blobs.c.hash, visible(conn, files))
    return or_(*(query.correlate(blobs).exists() for query in (lease, item, file)))


def get_row(conn: Connection, query: Select[Any], what: str, number: int) -> RowMapping:
    """Return the row that a query for a number selects; the query adds `visible` itself.

    Raises:
        NotFound: it selects none; `what` is its word in the message.
    """
    row = conn.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound(what, number)
    return row


def can_see(conn: Connection, table: Table, number: int) -> bool:
    """Return whether the caller sees an existing row."""
    if caller(conn).teams is None:
        return True
    return conn.execute(select(table.c.id).where(table.c.id == number, visible(conn, table))).first() is not None


def check_visible(conn: Connection, table: Table, what: str, number: int) -> None:
    """Check that the caller sees an existing row.

    Raises:
        NotFound: as if it were not there; `what` is its word in the message.
    """
    if not can_see(conn, table, number):
        raise NotFound(what, number)


def check_own(conn: Connection, table: Table, what: str, number: int) -> None:
    """Check that the token of a reproduction may change a row; a token without restriction always may.

    Raises:
        Forbidden: the row is another user's, or older than the token; `what` is its word in the message.
    """
    user = caller(conn)
    if user.since is None:
        return
    own = select(table.c.id).where(
        table.c.id == number, table.c.created_by == user.user, table.c.created_at >= user.since
    )
    if conn.execute(own).first() is None:
        raise not_own(what, number)


def not_own(what: str, number: int) -> Forbidden:
    """Return the error for a change that the token of a reproduction does not permit; see `check_own`."""
    return Forbidden(f"{what} {number} was not made by this reproduction: its token can read it, but not change it")
