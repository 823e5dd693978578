"""Versions: ``projects.versions.*`` as the SDK reads them, and autoflow's own way to make one in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping

from autoflow.server.db import projects
from autoflow.server.db.schema import versions as table
from autoflow.server.operations import Batch, Operation, OperationContext
from autoflow.server.paging import page
from autoflow.server.request_parser import RequestParser
from autoflow.server.versions import reservations, versions
from autoflow.wire import methods

_COLUMNS = {
    "id": table.c.id,
    "version": table.c.number,
    "name": table.c.name,
    "status": table.c.status,
    "createdBy": table.c.created_by,
    "createdAt": table.c.created_at,
    "updatedAt": table.c.updated_at,
}


def shape(row: RowMapping) -> dict[str, Any]:
    """A version as the wire shows it; the last two members are ours."""
    return {
        "id": row["id"],
        "projectId": row["project_id"],
        "createdBy": row["created_by"],
        "teamFileId": row["team_file_id"],
        "version": row["number"],
        "description": row["description"],
        "status": row["status"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "projectUpdatedAt": row["project_updated_at"],
        "teamId": row["team_id"],
        "name": row["name"],
        "previewProjectId": row["preview_project_id"],
        "itemsCount": row["items_count"] if versions.has_all_rows(row) else None,
        "size": str(row["size"]),
    }


def shaped(found: Sequence[RowMapping]) -> list[dict[str, Any]]:
    """Versions as the wire shows them."""
    return [shape(row) for row in found]


def list_versions(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``projects.versions.list`` of a project."""
    project_id = projects.get(conn, request.number("projectId"))["id"]
    return page(conn, versions.listing(conn).where(table.c.project_id == project_id), _COLUMNS, request, shaped)


def version(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``projects.versions.info`` by id."""
    return shape(versions.get(conn, request.number("id")))


def snapshot(context: OperationContext, request: RequestParser) -> dict[str, Any]:
    """``autoflow.versions.snapshot``: ``{"id", "version", "created"}``, created false when nothing had changed.

    Nothing is written then, and nobody waited for.
    """
    number, name, description = (
        request.number("projectId"),
        request.optional_text("title"),
        request.optional_text("description"),
    )
    with context.store.read() as conn:
        saved = versions.saved_state(conn, projects.get(conn, number))
    if saved is None:
        with context.store.write() as conn:
            saved = versions.save(conn, number, name, description)
    return {"id": saved.id, "version": saved.number, "created": saved.created}


def reserve(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``projects.versions.reserve``: ``{"id", "commitToken"}``; 400 when nothing changed, or another is at it."""
    made = reservations.reserve(conn, request.number("projectId"))
    return {"id": made.id, "commitToken": made.token}


def _named(conn: Connection, request: RequestParser, name: str) -> dict[str, Any]:
    """What a request says of a version, as columns; `name` is the member with its name."""
    values: dict[str, Any] = {}
    if request.has(name):
        values["name"] = request.text(name, "")
    if request.has("description"):
        values["description"] = request.text("description", "")
    if request.has("previewProjectId"):
        values["preview_project_id"] = projects.get(conn, request.number("previewProjectId"))["id"]
    return values


def commit(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``projects.versions.commit`` of a reserved version, with its archive's file."""
    number, token, file_id = request.number("id"), request.text("commitToken"), request.number("teamFileId")
    reservations.commit(conn, number, token, file_id, _named(conn, request, "title"))
    return {"success": True}


def cancel(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``projects.versions.cancel-reservation``."""
    reservations.cancel(conn, request.number("id"), request.text("commitToken"))
    return {"success": True}


def edit(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``projects.versions.update``: name, description, and the project that shows the version."""
    versions.change(conn, request.number("id"), **_named(conn, request, "name"))
    return {"success": True}


def remove(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.versions.delete``: what names the version can tell that it was deleted."""
    versions.remove(conn, request.number("id"))
    return {"success": True}


READS: Mapping[str, Operation] = {methods.VERSION_LIST: list_versions, "projects.versions.info": version}
WRITES: Mapping[str, Operation] = {
    "projects.versions.reserve": reserve,
    "projects.versions.commit": commit,
    "projects.versions.cancel-reservation": cancel,
    "projects.versions.update": edit,
    methods.VERSION_DELETE: remove,
}
BATCHES: Mapping[str, Batch] = {methods.SNAPSHOT: snapshot}
