"""Projects and their classes and tags: ``projects.*``, in the SDK's shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from autoflow.model.json_object import JsonObject
from autoflow.server.db import attachments, audit, change_tracking, items, json_codec, projects, teams
from autoflow.server.db.schema import datasets, workspaces
from autoflow.server.db.schema import projects as table
from autoflow.server.errors import Invalid
from autoflow.server.methods.images.images import reference
from autoflow.server.methods.projects.meta import merged, replace
from autoflow.server.operations import Operation
from autoflow.server.paging import ListPage, page
from autoflow.server.project_types import registry
from autoflow.server.project_types.images import IMAGES
from autoflow.server.request_parser import RequestParser
from autoflow.server.versions import versions
from autoflow.wire import methods
from autoflow.wire.contract.method import Success

PROJECTS = 2000  # removed by one request

_COLUMNS = {
    "id": table.c.id,
    "name": table.c.name,
    "title": table.c.name,
    "type": table.c.type,
    "workspaceId": table.c.workspace_id,
    "createdAt": table.c.created_at,
    "updatedAt": table.c.updated_at,
    "description": table.c.description,
    "createdBy": table.c.created_by,
    "teamId": workspaces.c.team_id,
    "groupId": workspaces.c.team_id,
}


def shaped(conn: Connection, project_rows: Sequence[RowMapping]) -> list[JsonObject]:
    """Return projects in the wire's shape."""
    numbers = [row["id"] for row in project_rows]
    of = datasets.c.project_id
    counted = conn.execute(select(of, func.count()).where(of.in_(numbers)).group_by(of))
    counts: dict[int, int] = dict(counted.all())
    attached = attachments.count(conn, [row["id"] for row in project_rows if row["type"] != IMAGES.name])
    latest = versions.latest(conn, numbers)
    pictured = items.first_item_ids(conn, table, numbers)
    return [
        {
            "id": row["id"],
            "name": row["name"],
            "title": row["name"],
            "description": row["description"],
            "size": str(row["size"]),
            "readme": row["readme"],
            "workspaceId": row["workspace_id"],
            "teamId": row["team_id"],
            "imagesCount": row["items_count"] - attached.get(row["id"], 0),
            "itemsCount": row["items_count"] - attached.get(row["id"], 0),
            "datasetsCount": counts.get(row["id"], 0),
            "createdAt": row["created_at"],
            "updatedAt": row["updated_at"],
            "type": row["type"],
            "referenceImageUrl": reference(conn, pictured.get(row["id"])),
            "customData": json_codec.load(row["custom_data"]),
            "backupArchive": json_codec.load(row["backup_archive"]),
            "settings": json_codec.load(row["settings"]),
            "importSettings": json_codec.load(row["import_settings"]),
            "version": latest.get(row["id"]),
            "createdBy": row["created_by"],
        }
        for row in project_rows
    ]


def _shaped_project(conn: Connection, number: int) -> JsonObject:
    return shaped(conn, [projects.get(conn, number)])[0]


def list_projects(conn: Connection, request: RequestParser) -> ListPage:
    """``projects.list`` of a workspace (``workspaceId``) or a team (``groupId``), else, as ``projects.list.all``, of
    all.
    """
    query = projects.listing(conn)
    if (workspace_id := request.optional_number("workspaceId")) is not None:
        teams.get(conn, workspaces, "workspace", workspace_id)
        query = query.where(table.c.workspace_id == workspace_id)
    if (team_id := request.optional_number("groupId")) is not None:
        query = query.where(workspaces.c.team_id == team_id)
    return page(conn, query, _COLUMNS, request, lambda project_rows: shaped(conn, project_rows))


def project(conn: Connection, request: RequestParser) -> JsonObject:
    """``projects.info`` by id."""
    return _shaped_project(conn, request.number("id"))


def add(conn: Connection, request: RequestParser) -> JsonObject:
    """``projects.add``: 409 if the workspace has one of that name, 400 for a type that is not supported."""
    registry.check_supported(request.text("type", "images"))
    number = projects.add(
        conn,
        request.number("workspaceId"),
        request.text("name"),
        description=request.text("description", ""),
        readme=request.text("readme", ""),
        type=request.text("type", "images"),
        settings=json_codec.dump(request.mapping("settings")),
        custom_data=json_codec.dump(request.mapping("customData")),
    )
    return _shaped_project(conn, number)


def edit(conn: Connection, request: RequestParser) -> JsonObject:
    """``projects.editInfo``: name, description, readme, customData; ``silent`` does not touch ``updatedAt``."""
    row = change_tracking.lock_project(conn, request.number("id"))
    values: dict[str, Any] = {name: request.text(name, "") for name in ("description", "readme") if request.has(name)}
    if request.has("name"):
        values["name"] = request.text("name")
        projects.check_name_is_free(conn, row["workspace_id"], values["name"], but=row["id"])
    if request.has("customData"):
        values["custom_data"] = json_codec.dump(request.mapping("customData"))
    projects.change(conn, row["id"], silent=request.flag("silent", default=False), **values)
    return _shaped_project(conn, row["id"])


def set_settings(conn: Connection, request: RequestParser) -> Success:
    """``projects.settings.update``: merge settings into the existing ones."""
    row = change_tracking.lock_project(conn, request.number("id"))
    settings = {**json_codec.load(row["settings"]), **request.mapping("settings")}
    projects.change(conn, row["id"], silent=False, settings=json_codec.dump(settings))
    return {"success": True}


def remove(conn: Connection, request: RequestParser) -> Success:
    """``projects.archive`` and ``projects.remove`` by id."""
    _remove(conn, request.number("id"))
    return {"success": True}


def _remove(conn: Connection, number: int) -> None:
    row = change_tracking.lock_project(conn, number)
    projects.remove(conn, row["id"])
    team_id = projects.team_of(conn, row["id"])
    audit.record(conn, "project.delete", f"project:{row['id']}", team_id=team_id, name=row["name"])


def remove_many(conn: Connection, request: RequestParser) -> Success:
    """``projects.remove.permanently`` by ``projects``, each with its ``id``; they stay in graphs.

    A project with an ``archiveUrl`` is not removed: the SDK's ``project.archive`` stores where its backup is, which
    `shaped` returns as ``backupArchive``. One that was removed before stays removed.
    """
    for entry in request.objects("projects", max_items=PROJECTS):
        number = entry.number("id")
        if "archiveUrl" in entry.fields:  # even if it is null: what was to be archived must not be removed
            url, annotations_url = entry.long_text("archiveUrl"), entry.optional_text("annotationsArchiveUrl")
            urls = {"url": url, "annotationsUrl": annotations_url}
            project_id = change_tracking.lock_project(conn, number)["id"]
            projects.change(conn, project_id, silent=True, backup_archive=json_codec.dump(urls))
        elif not projects.is_removed(conn, number):
            _remove(conn, number)
    return {"success": True}


def move(conn: Connection, request: RequestParser) -> Success:
    """``projects.workspace.set``: move a project into another workspace of its team.

    Raises:
        ServerRefused: 400, the workspace belongs to another team; 409, it has a project of that name.
    """
    row = projects.get(conn, change_tracking.lock_project(conn, request.number("id"))["id"])
    workspace = teams.get(conn, workspaces, "workspace", request.number("workspaceId"))
    if workspace["team_id"] != row["team_id"]:
        raise Invalid(
            f"workspace {workspace['id']} is of team {workspace['team_id']}, project {row['id']} of {row['team_id']}"
        )
    projects.check_name_is_free(conn, workspace["id"], row["name"], but=row["id"])
    projects.change(conn, row["id"], silent=True, workspace_id=workspace["id"])
    return {"success": True}


def meta(conn: Connection, request: RequestParser) -> JsonObject:
    """``projects.meta`` by the project's id."""
    row = projects.get(conn, request.number("id"))
    return {"projectType": row["type"], **projects.meta(conn, row["id"])}


def update_meta(conn: Connection, request: RequestParser) -> JsonObject:
    """``projects.meta.update``: replace classes and tags, in the order sent (the SDK maps ids by position).

    Objects of removed classes, and removed tags on images and objects, are removed with them.
    """
    with change_tracking.edit_project(conn, request.number("id")) as edit:
        sent = RequestParser(request.mapping("meta"), "meta.")
        known = projects.meta(conn, edit.project["id"])
        document = merged(conn, known, sent)
        replace(edit, known, document)
    return {"projectType": edit.project["type"], **document}


READS: Mapping[str, Operation] = {
    methods.PROJECT_LIST: list_projects,
    methods.PROJECT_INFO: project,
    "projects.list.all": list_projects,
    "projects.meta": meta,
}
WRITES: Mapping[str, Operation] = {
    "projects.add": add,
    "projects.editInfo": edit,
    "projects.settings.update": set_settings,
    "projects.archive": remove,
    "projects.remove": remove,
    "projects.remove.permanently": remove_many,
    "projects.workspace.set": move,
    "projects.meta.update": update_meta,
}
