"""Team files: the current one of each path, and those it took the place of, which stay readable by their number."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, func, insert, select, update

from autoflow.server import timestamps
from autoflow.server.blobs import ReceivedBlob
from autoflow.server.db.access import caller, visible
from autoflow.server.db.schema import blobs, files
from autoflow.server.errors import Invalid, NotFound

_PAST_ALL = "\U0010ffff"  # sorts after whatever may follow a prefix


def normalize_path(path: str) -> str:
    """A path as files are kept by it: one leading slash, none doubled, no ``.`` and ``..``; a trailing one stays.

    Raises:
        ServerRefused: it leads above the team's root.
    """
    steps = [step for step in path.split("/") if step not in {"", "."}]
    if ".." in steps:
        raise Invalid(f"{path!r} must not have '..' in it")
    whole = "/" + "/".join(steps)
    return whole + "/" if path.endswith("/") and steps else whole


def _all(conn: Connection) -> Select[Any]:
    return select(files, blobs.c.generation).join_from(files, blobs).where(visible(conn, files))


def get(conn: Connection, number: int) -> RowMapping:
    """A file by its number, current or not.

    Raises:
        NotFound: there is none.
    """
    found = conn.execute(_all(conn).where(files.c.id == number)).mappings().one_or_none()
    if found is None:
        raise NotFound("file", number)
    return found


def current(conn: Connection, team_id: int, path: str) -> RowMapping | None:
    """The current file at a path."""
    query = _all(conn).where(files.c.team_id == team_id, files.c.path == path, files.c.current)
    return conn.execute(query).mappings().one_or_none()


def history(conn: Connection, team_id: int, path: str) -> list[RowMapping]:
    """All files a path has had, the last one first; only that one can be current."""
    query = _all(conn).where(files.c.team_id == team_id, files.c.path == path)
    return list(conn.execute(query.order_by(files.c.id.desc())).mappings())


def revision_numbers(conn: Connection, numbers: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Which file of its path each is, counted from 1, and how many its path has had."""
    paths = select(files.c.team_id, files.c.path).where(files.c.id.in_(list(numbers))).distinct().subquery()
    at = (files.c.team_id, files.c.path)
    query = select(
        files.c.id,
        func.row_number().over(partition_by=at, order_by=files.c.id).label("number"),
        func.count().over(partition_by=at).label("count"),
    ).join(paths, (paths.c.team_id == files.c.team_id) & (paths.c.path == files.c.path))
    inner = query.where(visible(conn, files)).subquery()
    found = conn.execute(select(inner.c.id, inner.c.number, inner.c.count).where(inner.c.id.in_(list(numbers))))
    return {number: (place, count) for number, place, count in found}


def list_folder(conn: Connection, team_id: int, folder: str) -> list[RowMapping]:
    """The current files in a folder (with its trailing slash) and all folders in it, by path."""
    query = _all(conn).where(
        files.c.team_id == team_id, files.c.current, files.c.path >= folder, files.c.path < folder + _PAST_ALL
    )
    return list(conn.execute(query.order_by(files.c.path)).mappings())


def add(conn: Connection, team_id: int, path: str, received: ReceivedBlob, mime: str) -> int:
    """Make a path's new current file, with a new number."""
    retire(conn, team_id, path)
    moment = timestamps.now()
    made = conn.execute(
        insert(files).values(
            team_id=team_id,
            path=path,
            name=posixpath.basename(path),
            hash=received.hash,
            size=received.size,
            mime=mime,
            current=True,
            user_id=caller(conn).user,
            created_at=moment,
            updated_at=moment,
        )
    )
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


def retire(conn: Connection, team_id: int, path: str) -> int:
    """Let a path have no current file; gives how many it had."""
    return _retire(conn, files.c.team_id == team_id, files.c.path == path)


def retire_folder(conn: Connection, team_id: int, folder: str) -> int:
    """Let the paths in a folder (with its trailing slash), and in all folders in it, have no current file; gives how
    many they had.
    """
    return _retire(conn, files.c.team_id == team_id, files.c.path >= folder, files.c.path < folder + _PAST_ALL)


def _retire(conn: Connection, *conditions: ColumnElement[bool]) -> int:
    return conn.execute(update(files).where(*conditions, files.c.current).values(current=False)).rowcount
