"""Contents that teams had erased: no row of the team may name one again."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, select

from autoflow.server.db.access import caller
from autoflow.server.db.erasure_tables import erased_contents, erasures
from autoflow.server.db.schema import teams, workspaces
from autoflow.server.errors import Conflict
from autoflow.server.paging import chunks
from autoflow.wire.content_hash import hex_of


def check_of_team(conn: Connection, team_id: int, hashes: Collection[str]) -> None:
    """Check that a team has erased none of some contents.

    Raises:
        Conflict: it has; the message names the first one.
    """
    for part in chunks(sorted(hashes)):
        query = select(erased_contents).where(erased_contents.c.team_id == team_id, erased_contents.c.hash.in_(part))
        _refuse(conn, query.limit(1))


def check_of_workspace(conn: Connection, workspace_id: int, hashes: Collection[str]) -> None:
    """Check that the team of a workspace has erased none of some contents; see `check_of_team`."""
    for part in chunks(sorted(hashes)):
        query = select(erased_contents).join(workspaces, workspaces.c.team_id == erased_contents.c.team_id)
        query = query.where(workspaces.c.id == workspace_id, erased_contents.c.hash.in_(part))
        _refuse(conn, query.limit(1))


def check_of_caller(conn: Connection, hashes: Collection[str]) -> None:
    """Check that not all of the caller's teams have erased one of some contents; see `check_of_team`."""
    for part in chunks(sorted(hashes)):
        query = select(erased_contents.c.hash, erased_contents.c.team_id).where(erased_contents.c.hash.in_(part))
        erased: dict[str, set[int]] = {}
        for row in conn.execute(query):
            erased.setdefault(row.hash, set()).add(row.team_id)
        if not erased:
            continue
        own = caller(conn).teams
        wanted = set(conn.execute(select(teams.c.id)).scalars()) if own is None else set(own)
        for content_hash, team_ids in sorted(erased.items()):
            if wanted <= team_ids:
                _refuse(conn, select(erased_contents).where(erased_contents.c.hash == content_hash).limit(1))


def _refuse(conn: Connection, query: Select[Any]) -> None:
    joined = query.add_columns(erasures.c.created_at).join(erasures, erasures.c.id == erased_contents.c.erasure_id)
    row = conn.execute(joined).first()
    if row is not None:
        digest = hex_of(row.hash)
        raise Conflict(
            f"the content {digest} was erased from team {row.team_id} on {row.created_at[:10]} (erasure "
            f"{row.erasure_id}), and cannot be added to the team again",
            details={"erased": {"sha256": digest, "erasure": row.erasure_id}},
        )
