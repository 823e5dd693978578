"""A team file's page and a folder's: what it is, what run made it, which read it; what is in the folder."""

from __future__ import annotations

import base64
import binascii
import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from autoflow.model.entity import EntityRef
from autoflow.server.db import files, jobs, teams
from autoflow.server.db.access import visible
from autoflow.server.db.schema import edges
from autoflow.server.db.schema import files as table
from autoflow.server.db.schema import teams as team_table
from autoflow.server.errors import NotFound
from autoflow.server.methods.pages.links import limit, users
from autoflow.server.operations import Operation
from autoflow.server.request_parser import RequestParser

FOLDERS = 500  # listed of a folder
_PAST_ALL = "\U0010ffff"  # sorts after whatever may follow a prefix


def _hexadecimal(digest: str) -> str | None:
    try:
        return base64.b64decode(digest, validate=True).hex()
    except (binascii.Error, ValueError):
        return None


def _line(row: RowMapping) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "path": row["path"],
        "size": row["size"],
        "mime": row["mime"],
        "createdAt": row["created_at"],
    }


def file(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.overview.file`` by id, current or not."""
    row = files.get(conn, request.number("id"))
    now = files.current(conn, row["team_id"], row["path"])
    return {
        **_line(row),
        "teamId": row["team_id"],
        "sha256": _hexadecimal(row["hash"]),
        "folder": posixpath.dirname(row["path"]),
        "current": row["current"],
        "replacedBy": now["id"] if now is not None and now["id"] != row["id"] else None,
        "createdBy": jobs.logins(conn).get(row["user_id"]),
        "users": users(conn, [EntityRef("", "file", row["id"]).key]),
    }


def folder(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.overview.folder``: ``{"path", "teamId", "folders", "files", "next", "users"}`` of a team's ``path``.

    Files by path, those right in it; ``next`` goes into ``after``. A folder is there when it has a file, or a run named
    it.
    """
    team_id = request.optional_number("team") or teams.default_team(conn)
    teams.get(conn, team_table, "team", team_id)
    path = files.normalize_path(request.text("path")).rstrip("/") + "/"
    size = limit(request)
    within = _Within(conn, team_id, path)
    after = request.text("after", "")
    found = within.files(max(after, path), size + 1)
    below = [] if after else within.folders()
    key = EntityRef("", "folder", path.rstrip("/") or "/").key
    named = conn.execute(select(edges.c.id).where(edges.c.card == key, visible(conn, edges)).limit(1)).first()
    if not (found or below or after or named or path == "/"):
        raise NotFound("folder", path)
    return {
        "path": path,
        "teamId": team_id,
        "folders": below,
        "files": [_line(row) for row in found[:size]],
        "next": found[size - 1]["path"] if len(found) > size else None,
        "users": users(conn, [key]),
    }


class _Within:
    """A team's current files in a folder (with its trailing slash), however deep."""

    def __init__(self, conn: Connection, team_id: int, path: str) -> None:
        self._rows = conn
        self._path = path
        self._mine = (table.c.team_id == team_id, table.c.current, visible(conn, table))
        # a file right in the folder has no further slash in its path
        self._deeper = func.substr(table.c.path, len(path) + 1).contains("/")

    def _after(self, passed: str, *columns: Any) -> Any:
        """What is sorted after a path: one lower bound, as SQLite walks an index from the first it reads."""
        query = select(*columns).where(*self._mine, table.c.path > passed, table.c.path < self._path + _PAST_ALL)
        return query.order_by(table.c.path)

    def files(self, passed: str, size: int) -> Sequence[RowMapping]:
        """Files right in the folder."""
        return self._rows.execute(self._after(passed, table).where(~self._deeper).limit(size)).mappings().all()

    def folders(self) -> list[str]:
        """Folders right in it, `FOLDERS` at the most: each is skipped to from the one before, whatever is in that."""
        found: list[str] = []
        passed = self._path
        while len(found) < FOLDERS:
            first = self._rows.execute(self._after(passed, table.c.path).where(self._deeper).limit(1)).scalar()
            if first is None:
                break
            found.append(f"{self._path}{first[len(self._path) :].partition('/')[0]}/")
            passed = found[-1] + _PAST_ALL
        return found


READS: Mapping[str, Operation] = {"autoflow.overview.file": file, "autoflow.overview.folder": folder}
