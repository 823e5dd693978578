"""Copies: rows of this store that were copied from another one, looked up by the ids that they have there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from sqlalchemy import Connection, RowMapping, delete, select

from autoflow.model.json_object import JsonObject
from autoflow.server import timestamps
from autoflow.server.db import json_codec
from autoflow.server.db.access import caller
from autoflow.server.db.app_tables import copies
from autoflow.server.db.schema import identity
from autoflow.server.db.upsert import insert_or_update
from autoflow.server.paging import chunks

PROJECT, VERSION, DATASET, FILE, TASK = "project", "version", "dataset", "file", "task"


ALIAS: JsonObject = {"alias": True}  # details of a row that names a copy of a row of this store


def store_key(conn: Connection) -> str:
    """Return the id of this store."""
    return str(conn.execute(select(identity.c.key)).scalar_one())


def add(
    conn: Connection,
    team_id: int,
    store: str,
    kind: str,
    ids: Mapping[int, int],
    details: JsonObject | None = None,
) -> None:
    """Store the ids of copies by those in another store, replacing earlier ones."""
    now, user = timestamps.now(), caller(conn).user
    values = [
        {
            "team_id": team_id,
            "store": store,
            "type": kind,
            "source_id": source_id,
            "id": number,
            "details": json_codec.dump(details or {}),
            "created_at": now,
            "created_by": user,
        }
        for source_id, number in sorted(ids.items())
    ]
    for row in values:
        changed = {name: row[name] for name in ("id", "details", "created_at", "created_by")}
        conn.execute(insert_or_update(conn, copies, **changed), [row])


def ids(conn: Connection, team_id: int, store: str, kind: str, source_ids: Sequence[int]) -> dict[int, int]:
    """Return the ids of a team's copies by those in another store, as far as there are any."""
    return {row["source_id"]: row["id"] for row in find(conn, team_id, store, kind, source_ids)}


def find(conn: Connection, team_id: int, store: str, kind: str, source_ids: Sequence[int]) -> list[RowMapping]:
    """Return the rows of a team's copies by their ids in another store, as far as there are any."""
    own = (copies.c.team_id == team_id, copies.c.store == store, copies.c.type == kind)
    rows: list[RowMapping] = []
    for part in chunks(list(source_ids)):
        rows += conn.execute(select(copies).where(*own, copies.c.source_id.in_(part))).mappings()
    return rows


def forget(conn: Connection, kind: str, numbers: Sequence[int]) -> None:
    """Delete what is known of copies that are removed for good: the ids and the author that they had elsewhere."""
    for part in chunks(list(numbers)):
        conn.execute(delete(copies).where(copies.c.type == kind, copies.c.id.in_(part)))


def sources(conn: Connection, kind: str, number: int) -> list[RowMapping]:
    """Return the rows of a copy, one for each store that it was copied from or through, the nearest first.

    Other stores may have copies of the row, too: those are no sources of it.
    """
    query = select(copies).where(copies.c.type == kind, copies.c.id == number)
    rows: list[Any] = list(conn.execute(query.order_by(copies.c.created_at)).mappings())
    details = [(json_codec.load(row["details"]), row) for row in rows]
    own = [(entry.get("distance", 0), row) for entry, row in details if not entry.get("alias")]
    return [row for _, row in sorted(own, key=lambda entry: entry[0])]


class Origin(TypedDict):
    """A version by the store that it was copied from, see `wire.contract.transfers.VersionOrigin`."""

    store: str
    project: int
    version: int


def origin(row: RowMapping) -> Origin:
    """Return where a copied version comes from."""
    return {"store": row["store"], "project": json_codec.load(row["details"])["project"], "version": row["source_id"]}


def author(rows: Sequence[RowMapping]) -> str | None:
    """Return the login of the user who saved a version before it was copied, None of a version of this store."""
    return str(json_codec.load(rows[0]["details"])["author"]) if rows else None
