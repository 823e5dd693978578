"""The team files that the SDK saves versions in: an archive a version, and the map ``versions.json``.

The SDK names an archive by the second, and writes the map from what it read before it had reserved the version. So two
archives may be uploaded to one path, and an uploaded map may lack versions. Here an archive whose path is in use is
stored at another one, and the map is not stored but generated from the table of versions.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from autoflow.server.db.access import visible
from autoflow.server.db.schema import files, projects, workspaces
from autoflow.server.db.schema import versions as table
from autoflow.server.versions import versions

_PATH = re.compile(r"/system/versions/(\d{1,16})/([^/]+)")
MAP = "versions.json"


def _project(conn: Connection, team_id: int, number: int) -> bool:
    query = select(projects.c.id).join(workspaces).where(projects.c.id == number, workspaces.c.team_id == team_id)
    return conn.execute(query.where(visible(conn, projects))).first() is not None


def parse_archive_path(conn: Connection, team_id: int, path: str) -> tuple[int, str] | None:
    """Return the project and the file name in a path of a version's file, None for any other path."""
    match = _PATH.fullmatch(path)
    if match is None or not _project(conn, team_id, int(match[1])):
        return None
    return int(match[1]), match[2]


def project_of_map(conn: Connection, team_id: int, path: str) -> int | None:
    """Return the project whose map of versions is at a path, None for any other path."""
    parsed = parse_archive_path(conn, team_id, path)
    return parsed[0] if parsed is not None and parsed[1] == MAP else None


def unused_path(conn: Connection, team_id: int, path: str) -> str:
    """Return a path if no file was ever at it, else one with a number added."""
    stem, dot, suffix = path.partition(".")
    query = select(files.c.path).where(
        files.c.team_id == team_id, files.c.path >= stem, files.c.path < stem + "\U0010ffff"
    )
    used = set(conn.execute(query).scalars())
    number = 1
    while path in used:
        number += 1
        path = f"{stem}.{number}{dot}{suffix}"
    return path


def versions_map(conn: Connection, project_id: int) -> dict[str, Any]:
    """Return the map of a project's versions as the SDK reads it, empty if there are none.

    A version that was created without an archive has no path: the SDK reports that it cannot restore it, and continues.
    """
    query = versions.listing(conn).add_columns(files.c.path).outerjoin(files, files.c.id == table.c.team_file_id)
    document: dict[str, Any] = {}
    previous: int | None = None
    for row in conn.execute(query.where(table.c.project_id == project_id).order_by(table.c.number)).mappings():
        document[str(row["id"])] = {
            "path": row["path"],
            "updated_at": row["project_updated_at"],
            "previous": previous,
            "number": row["number"],
        }
        if row["preview_project_id"] is not None:
            document[str(row["id"])]["preview"] = row["preview_project_id"]
        previous = row["id"]
    return {**document, "latest": previous} if document else {}


def find_version_of_file(conn: Connection, team_id: int, path: str) -> RowMapping | None:
    """Return a version (its `id` and `project_id`) whose archive is at a path or in the folder of that name."""
    folder = path.rstrip("/") + "/"
    inside = (files.c.path == path) | ((files.c.path >= folder) & (files.c.path < folder + "\U0010ffff"))
    query = select(table.c.id, table.c.project_id).join(files, files.c.id == table.c.team_file_id)
    return conn.execute(query.where(files.c.team_id == team_id, files.c.current, inside).limit(1)).mappings().first()
