"""``versions.json``, the SDK's map of a project's versions: a team file that is generated when it is read."""

from __future__ import annotations

from sqlalchemy import Connection

from autoflow.model.json_object import JsonObject
from autoflow.server.blobs import composite_content
from autoflow.server.blobs.composite_content import CompositeContent
from autoflow.server.db import access, json_codec, projects
from autoflow.server.operations import OperationContext, implements_download
from autoflow.server.versions import archives
from autoflow.wire.contract import versions as contract


def content(conn: Connection, project_id: int) -> CompositeContent:
    """Return the file's bytes."""
    text = json_codec.dump(archives.versions_map(conn, project_id))
    return composite_content.text_content(text.encode(), archives.MAP, "application/json")


def to_wire(conn: Connection, team_id: int, project_id: int, path: str) -> JsonObject:
    """Return the file in wire form."""
    file = content(conn, project_id)
    return {
        "id": None,
        "teamId": team_id,
        "userId": None,
        "name": file.name,
        "hash": file.hash,
        "path": path,
        "storagePath": path,
        "fullStorageUrl": access.absolute_url(conn, f"/storage/versions/{project_id}"),
        "meta": {"mime": file.mime, "ext": "json", "size": file.size},
        "createdAt": None,
        "updatedAt": None,
        "isDir": False,
    }


@implements_download(contract.VERSION_MAP)
def download(context: OperationContext, request: contract.VersionMapRequest) -> CompositeContent:
    """``autoflow.versions.map`` of a project's ``id``: the content at the file's ``fullStorageUrl``."""
    with context.store.read() as conn:
        return content(conn, projects.get(conn, request.id)["id"])
