"""Protection of what a model's alias needs: its weights, and the versions of projects that it was made from."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from autoflow.model.entity import EntityRef
from autoflow.server.db import models
from autoflow.server.db.models import NamedVersion
from autoflow.server.errors import Conflict
from autoflow.server.lineage.downstream import DownstreamTraversal, ReadSpan

CAP = 20_000  # cards of one traversal


def models_made_from(conn: Connection, ref: EntityRef) -> list[NamedVersion]:
    """Return the versions of models downstream of an entity."""
    traversal = DownstreamTraversal(conn, CAP)
    traversal.follow([(ref, ReadSpan())])
    named = models.named_versions(conn, traversal.rows([]).cards)
    return [entry for entries in named.values() for entry in entries]


def check_no_alias_needs(entries: Collection[NamedVersion], what: str) -> None:
    """Check that no alias names one of some versions of models.

    Raises:
        Conflict: one does; `what` is what cannot be deleted then, as ``version 12``.
    """
    needed = [entry for entry in entries if entry.aliases]
    if needed:
        raise Conflict(
            f"{what} cannot be deleted: {models.names_of(needed)} needs it; move or remove the alias first, with "
            "`autoflow models alias`"
        )


def check_files(conn: Connection, team_id: int, file_ids: Collection[int], what: str) -> None:
    """Check that none of a team's files is the weights that an alias names.

    Raises:
        Conflict: one is.
    """
    keys = {EntityRef("", "file", number).key for number in file_ids}
    check_no_alias_needs([entry for key, entry in models.aliased_files(conn, team_id).items() if key in keys], what)
