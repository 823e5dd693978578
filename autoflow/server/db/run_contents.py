"""Pieces of contents that facts of runs name, stored once for each team."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from autoflow.model.run_contents import decode_piece
from autoflow.server.db.schema import run_contents
from autoflow.server.db.upsert import insert_or_ignore
from autoflow.server.errors import Invalid


def add(conn: Connection, team_id: int, pieces: Mapping[str, object]) -> None:
    """Store pieces, base64 by their sha256, that the team does not have.

    Raises:
        Invalid: the bytes of a piece are not those of its name.
    """
    for name, text in pieces.items():
        try:
            data = decode_piece(name, text if isinstance(text, str) else "")
        except ValueError as error:
            raise Invalid(f'"contents": {error}') from error
        insert_or_ignore(conn, run_contents, team_id=team_id, hash=name, data=data)


def read(conn: Connection, team_id: int, names: Sequence[str]) -> dict[str, str]:
    """Return those of the named pieces that a team has, in base64."""
    query = select(run_contents.c.hash, run_contents.c.data)
    rows = conn.execute(query.where(run_contents.c.team_id == team_id, run_contents.c.hash.in_(names)))
    return {row.hash: base64.b64encode(row.data).decode() for row in rows}
