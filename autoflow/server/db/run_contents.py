"""Pieces of contents that facts of runs name, stored once for each team."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from autoflow.model.run_contents import decode_piece
from autoflow.server.db.schema import run_contents
from autoflow.server.db.upsert import insert_or_ignore_many
from autoflow.server.errors import Invalid


def decode(pieces: Mapping[str, object]) -> dict[str, bytes]:
    """Return pieces, which are sent as base64 by their sha256, as bytes.

    Raises:
        Invalid: the bytes of a piece are not those of its name.
    """
    try:
        return {name: decode_piece(name, text if isinstance(text, str) else "") for name, text in pieces.items()}
    except ValueError as error:
        raise Invalid(f'"contents": {error}') from error


def add(conn: Connection, pieces: Mapping[tuple[int, str], bytes]) -> None:
    """Store pieces, by team and sha256, that the team does not have."""
    rows = [{"team_id": team_id, "hash": name, "data": data} for (team_id, name), data in sorted(pieces.items())]
    insert_or_ignore_many(conn, run_contents, rows)


def read(conn: Connection, team_id: int, names: Sequence[str]) -> dict[str, str]:
    """Return those of the named pieces that a team has, in base64."""
    query = select(run_contents.c.hash, run_contents.c.data)
    rows = conn.execute(query.where(run_contents.c.team_id == team_id, run_contents.c.hash.in_(names)))
    return {row.hash: base64.b64encode(row.data).decode() for row in rows}
