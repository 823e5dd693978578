"""The pages of a team file and of a folder: its fields, its content, and the runs that wrote or read it."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from autoflow.model.entity import EntityRef
from autoflow.server.db import files, jobs, models, teams
from autoflow.server.db.access import visible
from autoflow.server.db.schema import edges
from autoflow.server.db.schema import files as table
from autoflow.server.db.schema import teams as team_table
from autoflow.server.errors import NotFound
from autoflow.server.lineage.details import hex_sha256
from autoflow.server.methods.pages.links import page_size, using_runs
from autoflow.server.operations import Operation, by_name, implements
from autoflow.wire.contract import pages as contract

MAX_FOLDERS = 500  # listed of a folder
_MAX_CHARACTER = "\U0010ffff"  # a prefix followed by it sorts after every text with that prefix


def _summary(row: RowMapping) -> contract.ListedFile:
    return {
        "id": row["id"],
        "name": row["name"],
        "path": row["path"],
        "size": row["size"],
        "mime": row["mime"],
        "createdAt": row["created_at"],
    }


@implements(contract.FILE)
def file(conn: Connection, request: contract.FilePageRequest) -> contract.FilePage:
    """``autoflow.overview.file`` by id, current or not."""
    row = files.get(conn, request.id)
    current = files.current(conn, row["team_id"], row["path"])
    key = EntityRef("", "file", row["id"]).key
    return {
        **_summary(row),
        "teamId": row["team_id"],
        "sha256": hex_sha256(row["hash"]),
        "folder": posixpath.dirname(row["path"]),
        "current": row["current"],
        "replacedBy": current["id"] if current is not None and current["id"] != row["id"] else None,
        "createdBy": jobs.logins(conn).get(row["user_id"]),
        "users": using_runs(conn, [key]),
        "models": [
            {"model": entry.name, "version": entry.number, "aliases": list(entry.aliases)}
            for entry in models.named_versions(conn, [key]).get(key, [])
        ],
    }


@implements(contract.FOLDER)
def folder(conn: Connection, request: contract.FolderPageRequest) -> contract.FolderPage:
    """``autoflow.overview.folder`` of a team's ``path``; a folder exists if a file is in it or an edge names it."""
    team_id = request.team or teams.default_team(conn)
    teams.get(conn, team_table, "team", team_id)
    path = files.normalize_path(request.path).rstrip("/") + "/"
    size = page_size(request.limit)
    listing = _FolderListing(conn, team_id, path)
    after = request.after
    rows = listing.files(max(after, path), size + 1)
    folders = [] if after else listing.folders()
    key = EntityRef("", "folder", path.rstrip("/") or "/").key
    edge = conn.execute(select(edges.c.id).where(edges.c.entity_key == key, visible(conn, edges)).limit(1)).first()
    if not (rows or folders or after or edge or path == "/"):
        raise NotFound("folder", path)
    return {
        "path": path,
        "teamId": team_id,
        "folders": folders,
        "files": [_summary(row) for row in rows[:size]],
        "next": rows[size - 1]["path"] if len(rows) > size else None,
        "users": using_runs(conn, [key]),
    }


class _FolderListing:
    """The contents of a team's folder; `path` ends with a slash."""

    def __init__(self, conn: Connection, team_id: int, path: str) -> None:
        self._conn = conn
        self._path = path
        self._visible = (table.c.team_id == team_id, table.c.current, visible(conn, table))
        # A file directly in the folder has no further slash in its path.
        self._is_nested = func.substr(table.c.path, len(path) + 1).contains("/")

    def _after(self, cursor: str, *columns: Any) -> Any:
        """Select current files below the folder that sort after a path.

        There is one lower bound, as SQLite scans an index from the first bound that it reads.
        """
        query = select(*columns).where(
            *self._visible, table.c.path > cursor, table.c.path < self._path + _MAX_CHARACTER
        )
        return query.order_by(table.c.path)

    def files(self, cursor: str, size: int) -> Sequence[RowMapping]:
        """Return files directly in the folder."""
        return self._conn.execute(self._after(cursor, table).where(~self._is_nested).limit(size)).mappings().all()

    def folders(self) -> list[str]:
        """Return the paths of at most `MAX_FOLDERS` folders directly in it.

        Each is a seek past everything in the one before, so that the cost does not depend on their files.
        """
        folders: list[str] = []
        cursor = self._path
        while len(folders) < MAX_FOLDERS:
            first = self._conn.execute(self._after(cursor, table.c.path).where(self._is_nested).limit(1)).scalar()
            if first is None:
                break
            folders.append(f"{self._path}{first[len(self._path) :].partition('/')[0]}/")
            cursor = folders[-1] + _MAX_CHARACTER
        return folders


READS: Mapping[str, Operation] = by_name(file, folder)
