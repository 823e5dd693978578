"""Team files: the current file of each path, and those it replaced, which stay readable by id."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, func, select, update

from autoflow.server.blobs import ReceivedBlob
from autoflow.server.db import erased_contents
from autoflow.server.db.access import caller, get_row, visible
from autoflow.server.db.insertion import insert_row
from autoflow.server.db.json_rows import among
from autoflow.server.db.schema import blobs, files
from autoflow.server.errors import Invalid

_LAST_CHARACTER = "\U0010ffff"  # a prefix with it sorts after all texts with the prefix


def normalize_path(path: str) -> str:
    """Normalize a path: one leading slash, no empty or ``.`` segments; a trailing slash is kept.

    Raises:
        Invalid: it contains ``..``.
    """
    segments = [segment for segment in path.split("/") if segment not in {"", "."}]
    if ".." in segments:
        raise Invalid(f"{path!r} must not have '..' in it")
    normalized = "/" + "/".join(segments)
    return normalized + "/" if path.endswith("/") and segments else normalized


def _all(conn: Connection) -> Select[Any]:
    return select(files, blobs.c.generation).join_from(files, blobs).where(visible(conn, files))


def get(conn: Connection, number: int) -> RowMapping:
    """Return a file by id, current or replaced.

    Raises:
        NotFound: there is none.
    """
    return get_row(conn, _all(conn).where(files.c.id == number), "file", number)


def current(conn: Connection, team_id: int, path: str) -> RowMapping | None:
    """Return the current file at a path, None if there is none."""
    query = _all(conn).where(files.c.team_id == team_id, files.c.path == path, files.c.current)
    return conn.execute(query).mappings().one_or_none()


def history(conn: Connection, team_id: int, path: str) -> list[RowMapping]:
    """Return all files that a path has had, the newest first; only that one can be current."""
    query = _all(conn).where(files.c.team_id == team_id, files.c.path == path)
    return list(conn.execute(query.order_by(files.c.id.desc())).mappings())


def revision_numbers(conn: Connection, numbers: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Return for each file, by id, its number among the files of its path, from 1, and their count."""
    paths = select(files.c.team_id, files.c.path).where(among(conn, files.c.id, numbers)).distinct().subquery()
    path = (files.c.team_id, files.c.path)
    query = select(
        files.c.id,
        func.row_number().over(partition_by=path, order_by=files.c.id).label("number"),
        func.count().over(partition_by=path).label("count"),
    ).join(paths, (paths.c.team_id == files.c.team_id) & (paths.c.path == files.c.path))
    inner = query.where(visible(conn, files)).subquery()
    rows = conn.execute(select(inner.c.id, inner.c.number, inner.c.count).where(among(conn, inner.c.id, numbers)))
    return {file_id: (number, count) for file_id, number, count in rows}


def list_folder(conn: Connection, team_id: int, folder: str) -> list[RowMapping]:
    """Return the current files in a folder (with its trailing slash) and its subfolders, by path."""
    query = _all(conn).where(
        files.c.team_id == team_id, files.c.current, files.c.path >= folder, files.c.path < folder + _LAST_CHARACTER
    )
    return list(conn.execute(query.order_by(files.c.path)).mappings())


def uploaded(conn: Connection, team_id: int, folder: str, start: str, end: str | None, limit: int) -> list[RowMapping]:
    """Return the last file of each path in a folder that was added between two times, current or replaced, by path.

    Args:
        conn: the transaction.
        team_id: the team.
        folder: path with its trailing slash.
        start, end: timestamps; no end if None.
        limit: most files to return.
    """
    within = [files.c.team_id == team_id, files.c.path >= folder, files.c.path < folder + _LAST_CHARACTER]
    within.append(files.c.created_at >= start)
    within += [files.c.created_at <= end] if end is not None else []
    newest = select(func.max(files.c.id)).where(*within).group_by(files.c.path)
    query = _all(conn).where(files.c.id.in_(newest)).order_by(files.c.path).limit(limit)
    return list(conn.execute(query).mappings())


def add(conn: Connection, team_id: int, path: str, received: ReceivedBlob, mime: str) -> int:
    """Insert a new current file for a path; return its id.

    Raises:
        Conflict: the team had its content erased.
    """
    erased_contents.check_of_team(conn, team_id, [received.hash])
    retire(conn, team_id, path)
    values = {
        "team_id": team_id,
        "path": path,
        "name": posixpath.basename(path),
        "hash": received.hash,
        "size": received.size,
        "mime": mime,
        "current": True,
        "user_id": caller(conn).user,
    }
    return insert_row(conn, files, values)


def retire(conn: Connection, team_id: int, path: str) -> list[int]:
    """Leave a path without a current file; return the ids of those it had."""
    return _retire(conn, files.c.team_id == team_id, files.c.path == path)


def retire_folder(conn: Connection, team_id: int, folder: str) -> list[int]:
    """Leave the paths in a folder (with its trailing slash) and its subfolders without current files; return the ids
    of those they had.
    """
    return _retire(conn, files.c.team_id == team_id, files.c.path >= folder, files.c.path < folder + _LAST_CHARACTER)


def _retire(conn: Connection, *conditions: ColumnElement[bool]) -> list[int]:
    statement = update(files).where(*conditions, files.c.current).values(current=False).returning(files.c.id)
    return list(conn.execute(statement).scalars())
