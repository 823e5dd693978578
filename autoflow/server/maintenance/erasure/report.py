"""The report of an erasure: what was removed, and what this server cannot reach. It has no names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from autoflow.server.db.erasure_tables import erased_contents
from autoflow.server.db.schema import users
from autoflow.wire.content_hash import hex_of

FORMAT = "autoflow-erasure/1"
OUT_OF_REACH = (
    "backups of the store, such as those of `autoflow backup`",
    "journals of records on other machines that were not delivered yet, and folders that versions were restored to",
    "files that images were registered by reference to: they are their owner's",
    "names in other team files, and in the labels and meta of other images, which were not searched",
    "the audit log, which is append-only: paths of files that were removed before, names of projects, and reasons",
)
FREE_PAGES = "free space in the database, until it is used again"


def describe(
    conn: Connection,
    row: RowMapping,
    shared: Sequence[str],
    made: Sequence[str],
    finished_at: str,
    store_key: str | None,
    unscrubbed: Sequence[str],
) -> dict[str, Any]:
    """Return the report of a complete erasure, without its signature.

    Args:
        conn: the transaction.
        row: its row.
        shared: hashes of contents whose bytes stay, because other teams have them.
        made: references of what was made from it.
        finished_at: the time of its end.
        store_key: the store's id.
        unscrubbed: what the database may still have.
    """
    query = select(erased_contents.c.hash).where(erased_contents.c.erasure_id == row["id"])
    contents = conn.execute(query.order_by(erased_contents.c.hash)).scalars()
    author = conn.execute(select(users.c.login).where(users.c.id == row["created_by"])).scalar()
    return {
        "format": FORMAT,
        "store": store_key,
        "erasure": row["id"],
        "team": row["team_id"],
        "requestedBy": author,
        "requestedAt": row["created_at"],
        "finishedAt": finished_at,
        "contents": sorted(map(hex_of, contents)),
        "keptForOtherTeams": sorted(map(hex_of, shared)),
        "made": list(made),
        "counts": json.loads(row["counts"]),
        "outOfReach": [*unscrubbed, *OUT_OF_REACH],
    }
