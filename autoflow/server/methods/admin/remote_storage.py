"""``remote-storage.*``: buckets connected to a team. This server connects none, so that there are no files in them."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from autoflow.model.json_object import JsonObject
from autoflow.server import limits
from autoflow.server.db import teams
from autoflow.server.db.schema import teams as team_table
from autoflow.server.errors import NotFound
from autoflow.server.operations import Operation
from autoflow.server.request_parser import RequestParser


def _check_team(conn: Connection, request: RequestParser) -> None:
    if (team_id := request.optional_number("groupId")) is not None:
        teams.get(conn, team_table, "team", team_id)


def _path(conn: Connection, request: RequestParser) -> str:
    _check_team(conn, request)
    return request.text("path", max_length=limits.NAME)


def list_providers(conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``remote-storage.supported_providers`` and ``remote-storage.available_providers``: none."""
    _check_team(conn, request)
    return []


def list_files(conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``remote-storage.list`` of a path: nothing."""
    _path(conn, request)
    return []


def exists(conn: Connection, request: RequestParser) -> JsonObject:
    """``remote-storage.exists``: false."""
    _path(conn, request)
    return {"exists": False}


def stat(conn: Connection, request: RequestParser) -> JsonObject:
    """``remote-storage.stat``.

    Raises:
        NotFound: always.
    """
    raise NotFound("remote file", _path(conn, request))


READS: Mapping[str, Operation] = {
    "remote-storage.supported_providers": list_providers,
    "remote-storage.available_providers": list_providers,
    "remote-storage.list": list_files,
    "remote-storage.exists": exists,
    "remote-storage.stat": stat,
}
WRITES: Mapping[str, Operation] = {}
