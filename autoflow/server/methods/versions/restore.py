"""A version as a new project: ``autoflow.versions.restore``, asked again and again until it is done.

One call works for a bounded time and tells how far it is, so that no request takes long and progress can be shown. A
client that asks no more leaves nothing that anybody sees.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from autoflow.server.maintenance import purge
from autoflow.server.operations import Batch, Operation, OperationContext
from autoflow.server.request_parser import RequestParser
from autoflow.server.versions import restore as restoring
from autoflow.server.versions import versions
from autoflow.wire import methods

WORK = 2.0  # seconds of one call
GAP = 0.002  # seconds between two transactions: who waits for the write lock only looks now and then
SWEPT = 1000  # rows of restores that were given up, removed before a new one


def restore(context: OperationContext, request: RequestParser) -> dict[str, Any]:
    """Begin to restore a version (``id``, or ``projectId`` and ``number``), or go on (``restoring``, the new project).

    The answer has ``done``; until it is true the client asks again with ``restoring``, the answer's ``id``.
    """
    until = time.monotonic() + WORK
    number = request.number("restoring") if request.has("restoring") else _begin(context, request)
    while True:
        progress = restoring.step(context.store, number)
        if progress.done or time.monotonic() > until:
            return {
                "done": progress.done,
                "id": progress.id,
                "name": progress.name,
                "copied": progress.copied,
                "total": progress.total,
                "missed": {"count": progress.missed, "names": progress.names},
            }
        time.sleep(GAP)


def _begin(context: OperationContext, request: RequestParser) -> int:
    skip = request.flag("skipMissed", default=False)
    with context.store.write() as conn:
        purge.release_expired(conn, SWEPT)
        number = (
            request.number("id")
            if request.has("id")
            else versions.id_by_number(conn, request.number("projectId"), request.number("number"))
        )
        return restoring.begin(
            conn,
            versions.get(conn, number),
            request.optional_number("workspaceId"),
            request.text("name") if request.has("name") else None,
            request.optional_text("description"),
            skip_missed=skip,
        )


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = {}
BATCHES: Mapping[str, Batch] = {methods.VERSION_RESTORE: restore}
