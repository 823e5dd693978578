"""The map of a project's versions, ``versions.json``: a team file that is written when it is read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from autoflow.server.blobs import composite_content
from autoflow.server.blobs.composite_content import CompositeContent
from autoflow.server.db import access, json_codec, projects
from autoflow.server.operations import OperationContext
from autoflow.server.request_parser import RequestParser
from autoflow.server.versions import archives


def content(conn: Connection, project_id: int) -> CompositeContent:
    """The map's bytes."""
    text = json_codec.dump(archives.versions_map(conn, project_id))
    return composite_content.text_content(text.encode(), archives.MAP, "application/json")


def shape(conn: Connection, team_id: int, project_id: int, path: str) -> dict[str, Any]:
    """The map as a file is told of."""
    written = content(conn, project_id)
    return {
        "id": None,
        "teamId": team_id,
        "userId": None,
        "name": written.name,
        "hash": written.hash,
        "path": path,
        "storagePath": path,
        "fullStorageUrl": access.absolute_url(conn, f"/storage/versions/{project_id}"),
        "meta": {"mime": written.mime, "ext": "json", "size": written.size},
        "createdAt": None,
        "updatedAt": None,
        "isDir": False,
    }


def download(context: OperationContext, request: RequestParser) -> CompositeContent:
    """``autoflow.versions.map`` of a project, by its number as ``id``: what the map's ``fullStorageUrl`` leads to."""
    with context.store.read() as conn:
        return content(conn, projects.get(conn, request.number("id"))["id"])
