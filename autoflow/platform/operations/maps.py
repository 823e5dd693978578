"""The map of a project's versions, ``versions.json``: a team file that is written when it is read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from autoflow.platform import composed, documents
from autoflow.platform.body import Body
from autoflow.platform.composed import Composed
from autoflow.platform.operations import Place
from autoflow.platform.store import access, archives, projects


def content(rows: Connection, project_id: int) -> Composed:
    """The map's bytes."""
    text = documents.dump(archives.written(rows, project_id))
    return composed.text(text.encode(), archives.MAP, "application/json")


def shape(rows: Connection, team_id: int, project_id: int, path: str) -> dict[str, Any]:
    """The map as a file is told of."""
    written = content(rows, project_id)
    return {
        "id": None,
        "teamId": team_id,
        "userId": None,
        "name": written.name,
        "hash": written.hash,
        "path": path,
        "storagePath": path,
        "fullStorageUrl": access.address(rows, f"/storage/versions/{project_id}"),
        "meta": {"mime": written.mime, "ext": "json", "size": written.size},
        "createdAt": None,
        "updatedAt": None,
        "isDir": False,
    }


def download(place: Place, body: Body) -> Composed:
    """``autoflow.versions.map`` of a project, by its number as ``id``: what the map's ``fullStorageUrl`` leads to."""
    with place.store.read() as rows:
        return content(rows, projects.get(rows, body.number("id"))["id"])
