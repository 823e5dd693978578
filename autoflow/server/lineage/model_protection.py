"""Protection of what a model's alias needs: its weights, and the versions of projects that it was made from."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from autoflow.model.entity import EntityRef
from autoflow.server.db import models
from autoflow.server.db.models import NamedVersion
from autoflow.server.errors import Conflict
from autoflow.server.lineage.downstream import DownstreamTraversal, ReadSpan
from autoflow.server.lineage.reachability import Reachability

CAP = 20_000  # cards between an entity and the models that are named as made from it


def models_made_from(conn: Connection, ref: EntityRef) -> list[NamedVersion]:
    """Return the versions of models downstream of an entity, the nearest ones, to be named to the user."""
    traversal = DownstreamTraversal(conn, CAP)
    traversal.follow([(ref, ReadSpan())])
    named = models.named_versions(conn, traversal.rows([]).cards)
    return [entry for entries in named.values() for entry in entries]


class Protection:
    """Files and versions that the aliases of a team's models need, however much lies between.

    Args:
        conn: the transaction.
        team_id: the team.
    """

    def __init__(self, conn: Connection, team_id: int) -> None:
        self._aliased = models.aliased_files(conn, team_id)
        self._reachability = Reachability(conn, self._aliased.keys())

    def needs_version(self, version_id: int) -> bool:
        """Return whether an alias names a model that was made from a version of a project."""
        return self._reachability.first_target(EntityRef("", "project_version", version_id)) is not None

    def check(self, ref: EntityRef, what: str) -> None:
        """Check that no alias names a model that was made from an entity.

        Raises:
            Conflict: one does; `what` is what cannot be deleted then, as ``version 12``.
        """
        key = self._reachability.first_target(ref)
        if key is not None:
            _refuse([self._aliased[key]], what)


def _refuse(needed: Collection[NamedVersion], what: str) -> None:
    raise Conflict(
        f"{what} cannot be deleted: {models.names_of(list(needed))} needs it; move or remove the alias first, with "
        "`autoflow models alias`"
    )


def check_files(conn: Connection, team_id: int, file_ids: Collection[int], what: str) -> None:
    """Check that none of a team's files is the weights that an alias names.

    Raises:
        Conflict: one is.
    """
    keys = {EntityRef("", "file", number).key for number in file_ids}
    needed = [entry for key, entry in models.aliased_files(conn, team_id).items() if key in keys]
    if needed:
        _refuse(needed, what)
