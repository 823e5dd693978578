"""Versions as the SDK creates them: reserved, then the archive is uploaded, then committed or cancelled.

The version has the project's state at the reservation, however long the upload takes. A project has one reservation at
a time: another client can reserve when it is committed, cancelled, or its lease has expired.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, delete, select, update

from autoflow.server import timestamps
from autoflow.server.db import clock, files
from autoflow.server.db.access import visible
from autoflow.server.db.change_tracking import lock_project
from autoflow.server.db.schema import projects, workspaces
from autoflow.server.db.schema import versions as table
from autoflow.server.errors import Conflict, Invalid, NotFound
from autoflow.server.versions import versions

LEASE = 15 * 60  # seconds; an upload for the project renews it

_RESERVED = table.c.status == "reserved"


class Reservation(NamedTuple):
    """A reserved version, and the token to commit it with."""

    id: int
    token: str


def reserve(conn: Connection, project_id: int) -> Reservation:
    """Reserve the next version of a project.

    Raises:
        NotFound: the project is unknown.
        Invalid: nothing has changed (the details have ``useExistingVersion`` and the existing ``version``), or another
            client "is already committing".
    """
    project = lock_project(conn, project_id)
    last = versions.last_if_unchanged(conn, project)
    if last is not None:
        details = {"useExistingVersion": True, "version": {"id": last["id"], "version": last["number"]}}
        raise Invalid(f"project {project_id} has not changed since its version {last['number']}", details)
    held = clock.is_active(conn, table.c.lease_until, LEASE).label("held")
    query = select(table.c.id, held).where(table.c.project_id == project_id, _RESERVED)
    for row in conn.execute(query).all():
        if row.held:
            raise Invalid(f"another client is already committing a version of project {project_id}")
        release(conn, project_id, row.id)
    token = secrets.token_hex(16)
    made = versions.close_epoch(conn, project, status="reserved", token=token, lease_until=clock.after(conn, LEASE))
    return Reservation(made.id, token)


def renew(conn: Connection, project_id: int) -> None:
    """Renew the lease of a project's reservation, as its client is active."""
    query = update(table).where(table.c.project_id == project_id, _RESERVED)
    conn.execute(query.values(lease_until=clock.after(conn, LEASE)))


def _find(conn: Connection, number: int, token: str) -> RowMapping | None:
    """Return a version by id, None if there is none.

    Raises:
        Invalid: the token is another's.
    """
    query = select(table, workspaces.c.team_id).join_from(table, projects, table.c.project_id == projects.c.id)
    query = query.join(workspaces, workspaces.c.id == projects.c.workspace_id)
    query = query.where(table.c.id == number, visible(conn, table)).with_for_update(of=table)
    version = conn.execute(query).mappings().one_or_none()
    if version is not None and not hmac.compare_digest((version["token"] or "").encode(), token.encode()):
        raise Invalid(f"version {number} was not reserved with this token")
    return version


def commit(conn: Connection, number: int, token: str, file_id: int, values: Mapping[str, Any]) -> None:
    """Commit a reserved version; committing it again with the same file changes nothing.

    Args:
        conn: the transaction.
        number: the version's id.
        token: that of the reservation.
        file_id: the archive, a file of the project's team.
        values: ``name``, ``description``, ``preview_project_id``.

    Raises:
        NotFound: there is no such version or file.
        Invalid: the token is wrong, or the file is another team's.
        Conflict: it is committed with another file.
    """
    version = _find(conn, number, token)
    if version is None:
        raise NotFound("reservation", number)
    if version["status"] != "reserved":
        if version["team_file_id"] != file_id:
            raise Conflict(f"version {number} is committed already, with file {version['team_file_id']}")
        return
    if files.get(conn, file_id)["team_id"] != version["team_id"]:
        raise Invalid(f"file {file_id} is not of the project's team")
    committed = {"status": "committed", "team_file_id": file_id, "lease_until": None, "updated_at": timestamps.now()}
    conn.execute(update(table).where(table.c.id == number).values(**values, **committed))
    versions.notify_created(conn, number)


def cancel(conn: Connection, number: int, token: str) -> None:
    """Cancel a reservation, ignoring one that does not exist.

    Raises:
        Invalid: the token is wrong.
        Conflict: it is committed.
    """
    version = _find(conn, number, token)
    if version is None:
        return
    if version["status"] != "reserved":
        raise Conflict(f"version {number} is committed; it cannot be cancelled")
    release(conn, version["project_id"], number)


def release(conn: Connection, project_id: int, number: int) -> None:
    """Delete a reservation; rows that only it sees are not kept in history any more."""
    conn.execute(delete(table).where(table.c.id == number, _RESERVED))
    versions.update_last_version_epoch(conn, project_id)
