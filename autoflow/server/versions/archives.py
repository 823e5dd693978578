"""The files the SDK keeps versions in: their archives, each at a path of its own, and the map of them.

The SDK names an archive by the second and writes the map itself, from what it read before it waited its turn. So two
archives may come for one path, and a map may come that has forgotten versions. Here an archive that finds its path
taken gets another, and the map, ``versions.json``, is not kept: it is written from the table of versions.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from autoflow.server.db.access import visible
from autoflow.server.db.schema import files, projects, workspaces
from autoflow.server.db.schema import versions as table
from autoflow.server.versions import versions

_PLACE = re.compile(r"/system/versions/(\d{1,16})/([^/]+)")
MAP = "versions.json"


def _project(conn: Connection, team_id: int, number: int) -> bool:
    query = select(projects.c.id).join(workspaces).where(projects.c.id == number, workspaces.c.team_id == team_id)
    return conn.execute(query.where(visible(conn, projects))).first() is not None


def parse_archive_path(conn: Connection, team_id: int, path: str) -> tuple[int, str] | None:
    """The project of the team whose versions a path is of, and the file's name; None for any other path."""
    match = _PLACE.fullmatch(path)
    if match is None or not _project(conn, team_id, int(match[1])):
        return None
    return int(match[1]), match[2]


def project_of_map(conn: Connection, team_id: int, path: str) -> int | None:
    """The project whose map is at a path, None for any other path."""
    found = parse_archive_path(conn, team_id, path)
    return found[0] if found is not None and found[1] == MAP else None


def unused_path(conn: Connection, team_id: int, path: str) -> str:
    """The path, if no file ever was there, else one beside it."""
    stem, dot, ending = path.partition(".")
    query = select(files.c.path).where(
        files.c.team_id == team_id, files.c.path >= stem, files.c.path < stem + "\U0010ffff"
    )
    used = set(conn.execute(query).scalars())
    number = 1
    while path in used:
        number += 1
        path = f"{stem}.{number}{dot}{ending}"
    return path


def versions_map(conn: Connection, project_id: int) -> dict[str, Any]:
    """The map of a project's versions as the SDK reads it, empty while there are none.

    A version made without an archive has no path: the SDK then says that it cannot restore it, and goes on.
    """
    query = versions.listing(conn).add_columns(files.c.path).outerjoin(files, files.c.id == table.c.team_file_id)
    document: dict[str, Any] = {}
    before: int | None = None
    for row in conn.execute(query.where(table.c.project_id == project_id).order_by(table.c.number)).mappings():
        document[str(row["id"])] = {
            "path": row["path"],
            "updated_at": row["project_updated_at"],
            "previous": before,
            "number": row["number"],
        }
        if row["preview_project_id"] is not None:
            document[str(row["id"])]["preview"] = row["preview_project_id"]
        before = row["id"]
    return {**document, "latest": before} if document else {}


def find_version_of_file(conn: Connection, team_id: int, path: str) -> RowMapping | None:
    """A version that needs a file at a path, or in the folder of that name: its `id` and `project_id`."""
    folder = path.rstrip("/") + "/"
    inside = (files.c.path == path) | ((files.c.path >= folder) & (files.c.path < folder + "\U0010ffff"))
    query = select(table.c.id, table.c.project_id).join(files, files.c.id == table.c.team_file_id)
    return conn.execute(query.where(files.c.team_id == team_id, files.c.current, inside).limit(1)).mappings().first()
