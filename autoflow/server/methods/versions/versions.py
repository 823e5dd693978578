"""``projects.versions.*`` in the SDK's shape, and ``autoflow.versions.snapshot``, which creates one in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping

from autoflow.model.entity import EntityRef
from autoflow.model.json_object import JsonObject
from autoflow.server.db import audit, projects, scopes
from autoflow.server.db.schema import versions as table
from autoflow.server.lineage.model_protection import Protection, models_made_from
from autoflow.server.operations import Batch, Operation, OperationContext, by_name, implements
from autoflow.server.paging import ListPage, page
from autoflow.server.request_parser import RequestParser
from autoflow.server.versions import reservations, versions
from autoflow.wire import methods
from autoflow.wire.contract import versions as contract
from autoflow.wire.contract.method import Success

_COLUMNS = {
    "id": table.c.id,
    "version": table.c.number,
    "name": table.c.name,
    "status": table.c.status,
    "createdBy": table.c.created_by,
    "createdAt": table.c.created_at,
    "updatedAt": table.c.updated_at,
}


def to_wire(row: RowMapping) -> contract.VersionResponse:
    """Return a version in wire form; an instance does not send the last two members."""
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


def all_to_wire(rows: Sequence[RowMapping]) -> list[contract.VersionResponse]:
    """Return versions in wire form."""
    return [to_wire(row) for row in rows]


def list_versions(conn: Connection, request: RequestParser) -> ListPage:
    """``projects.versions.list`` of a project."""
    project_id = projects.get(conn, request.number("projectId"))["id"]
    return page(conn, versions.listing(conn).where(table.c.project_id == project_id), _COLUMNS, request, all_to_wire)


def version(conn: Connection, request: RequestParser) -> contract.VersionResponse:
    """``projects.versions.info`` by id."""
    return to_wire(versions.get(conn, request.number("id")))


@implements(contract.SNAPSHOT)
def snapshot(context: OperationContext, request: contract.SnapshotRequest) -> contract.SnapshotResponse:
    """``autoflow.versions.snapshot``: save a project's state.

    If nothing changed since the last version, that one is returned, ``created`` is false, and no lock is taken.
    """
    project_id = request.project_id
    with context.store.read() as conn:
        saved = versions.saved_state(conn, projects.get(conn, project_id))
    if saved is None:
        with context.store.write(scope=[scopes.project(project_id)]) as conn:
            saved = versions.save(conn, project_id, request.title, request.description)
    return {"id": saved.id, "version": saved.number, "created": saved.created}


@implements(contract.VERSION_UNCHANGED)
def unchanged(conn: Connection, request: contract.VersionUnchangedRequest) -> contract.VersionUnchangedResponse:
    """``autoflow.versions.unchanged``: whether a project is as a version of it."""
    version = versions.get(conn, request.id)
    return {"unchanged": versions.is_as(projects.get(conn, version["project_id"]), version)}


def reserve(conn: Connection, request: RequestParser) -> JsonObject:
    """``projects.versions.reserve``: return ``{"id", "commitToken"}``.

    Raises:
        Invalid: nothing changed, or another reservation is open.
    """
    reservation = reservations.reserve(conn, request.number("projectId"))
    return {"id": reservation.id, "commitToken": reservation.token}


def _columns(conn: Connection, request: RequestParser, name: str) -> JsonObject:
    """Return the columns that a request sets; `name` is the member with the version's name."""
    values: dict[str, Any] = {}
    if request.has(name):
        values["name"] = request.text(name, "")
    if request.has("description"):
        values["description"] = request.text("description", "")
    if request.has("previewProjectId"):
        values["preview_project_id"] = projects.get(conn, request.number("previewProjectId"))["id"]
    return values


def commit(conn: Connection, request: RequestParser) -> Success:
    """``projects.versions.commit`` of a reserved version, with its archive's file."""
    version_id, token, file_id = request.number("id"), request.text("commitToken"), request.number("teamFileId")
    reservations.commit(conn, version_id, token, file_id, _columns(conn, request, "title"))
    return {"success": True}


def cancel(conn: Connection, request: RequestParser) -> Success:
    """``projects.versions.cancel-reservation``."""
    reservations.cancel(conn, request.number("id"), request.text("commitToken"))
    return {"success": True}


def edit(conn: Connection, request: RequestParser) -> Success:
    """``projects.versions.update``: name, description, and the project that shows the version."""
    versions.change(conn, request.number("id"), **_columns(conn, request, "name"))
    return {"success": True}


@implements(contract.VERSION_DELETE)
def remove(conn: Connection, request: contract.VersionDeleteRequest) -> contract.VersionDeleteResponse:
    """``autoflow.versions.delete``: the row stays, so that references to it remain resolvable.

    Raises:
        Conflict: a model that an alias names was made from it.
    """
    row = versions.get_removable(conn, request.id)
    deleted = EntityRef("", "project_version", row["id"])
    made = models_made_from(conn, deleted)
    if not request.dry_run:
        team_id = projects.team_of(conn, row["project_id"])
        Protection(conn, team_id).check(deleted, f"version {row['id']}")
        versions.remove(conn, row["id"])
        name = f"V{row['number']} of project:{row['project_id']}"
        audit.record(conn, "version.delete", f"version:{row['id']}", team_id=team_id, name=name)
    return {"success": not request.dry_run, "models": [entry.reference for entry in made]}


READS: Mapping[str, Operation] = {
    methods.VERSION_LIST: list_versions,
    "projects.versions.info": version,
    **by_name(unchanged),
}
WRITES: Mapping[str, Operation] = {
    "projects.versions.reserve": reserve,
    "projects.versions.commit": commit,
    "projects.versions.cancel-reservation": cancel,
    "projects.versions.update": edit,
    **by_name(remove),
}
BATCHES: Mapping[str, Batch] = by_name(snapshot)
