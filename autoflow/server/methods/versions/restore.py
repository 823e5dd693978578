"""``autoflow.versions.restore``: restore a version as a new project, in repeated calls.

A call works for a bounded time and returns its progress. The project is hidden until it is complete, so that an
abandoned restore leaves nothing visible.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from autoflow.server.db import audit, projects
from autoflow.server.maintenance import purge
from autoflow.server.operations import Batch, Operation, OperationContext, by_name, implements
from autoflow.server.validation import required
from autoflow.server.versions import restore as restoring
from autoflow.server.versions import versions
from autoflow.wire.contract import versions as contract

TIME_LIMIT = 2.0  # seconds of work a call
GAP = 0.002  # seconds between two transactions: waiters for the write lock poll it
MAX_RELEASED = 1000  # rows of abandoned restores removed before a new one begins


@implements(contract.VERSION_RESTORE)
def restore(context: OperationContext, request: contract.VersionRestoreRequest) -> contract.VersionRestoreResponse:
    """Begin to restore a version (``id``, or ``projectId`` and ``number``), or continue (``restoring``).

    Until the response's ``done`` is true, the client calls again with its ``id``, the new project's, as ``restoring``.
    """
    deadline = time.monotonic() + TIME_LIMIT
    project_id = request.restoring if request.restoring is not None else _begin(context, request)
    while True:
        progress = restoring.step(context.store, project_id)
        if progress.done or time.monotonic() > deadline:
            return {
                "done": progress.done,
                "id": progress.id,
                "name": progress.name,
                "copied": progress.copied,
                "total": progress.total,
                "missed": {"count": progress.missed, "names": progress.names},
                "erased": progress.erased,
            }
        time.sleep(GAP)


def _begin(context: OperationContext, request: contract.VersionRestoreRequest) -> int:
    with context.store.write() as conn:
        purge.release_expired(conn, MAX_RELEASED)
        version_id = request.id
        if version_id is None:
            project_id, number = required(request.project_id, "projectId"), required(request.number, "number")
            version_id = versions.id_by_number(conn, project_id, number)
        row = versions.get(conn, version_id)
        restored = restoring.begin(
            conn, row, request.workspace_id, request.name, request.description, skip_missed=request.skip_missed
        )
        team_id = projects.team_of(conn, row["project_id"])
        name = f"V{row['number']} of project:{row['project_id']}"
        audit.record(
            conn, "version.restore", f"version:{row['id']}", team_id=team_id, name=name, after=f"project:{restored}"
        )
        return restored


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = {}
BATCHES: Mapping[str, Batch] = by_name(restore)
