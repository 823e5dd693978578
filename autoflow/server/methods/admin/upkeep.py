"""Upkeep: ``autoflow.upkeep.*``: collecting what nothing needs, and looking whether what is kept is whole.

Both are for whoever sees all teams. Both work for about two seconds a call and answer ``{"done", "state", "counts"}``:
who is not told that it is done calls again with that state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from autoflow.server.db import projects
from autoflow.server.db.access import caller
from autoflow.server.db.schema import versions
from autoflow.server.errors import Forbidden, Invalid, NotFound
from autoflow.server.maintenance.blob_usage import Scope
from autoflow.server.maintenance.garbage_collection import GarbageCollector
from autoflow.server.maintenance.integrity_check import LEVELS, IntegrityCheck
from autoflow.server.maintenance.resumable_job import JobState, run_stages
from autoflow.server.operations import Batch, Operation, OperationContext
from autoflow.server.request_parser import RequestParser
from autoflow.server.versions.versions import COMMITTED
from autoflow.wire import methods

COLLECTED = ("rows", "files", "blobs", "bytes", "strays", "emptied")
VERIFIED = ("versions", "blobs", "bytes", "sources", "problems")


def _permit(conn: Connection) -> None:
    if caller(conn).teams is not None:
        raise Forbidden("only who sees all teams may do this: ask on the server's machine")


def _answer(progress: JobState, names: tuple[str, ...], *, done: bool) -> dict[str, Any]:
    return {
        "done": done,
        "state": None if done else progress.encode(),
        "counts": {name: progress.counts.get(name, 0) for name in names},
    }


def collect(context: OperationContext, request: RequestParser) -> dict[str, Any]:
    """``autoflow.upkeep.collect``: what was removed so far: rows of history, team files, blobs and their bytes, and
    stray files of uploads that came to no end; and how many files have left the trash for good. `confirm` lets it take
    a large share of all blobs, `emptyTrash` lets nothing stay in the trash.

    Raises:
        Conflict: it would take a large share of all blobs, and `confirm` is not set.
        StoreUnavailable: the blobs are another store's.
    """
    progress = JobState.decode(request.optional_text("state"))
    with context.store.read() as conn:
        _permit(conn)
    context.store.check_identity()
    confirmed, empty = request.flag("confirm", default=False), request.flag("emptyTrash", default=False)
    done = run_stages(GarbageCollector(context, confirmed=confirmed, empty=empty).stages, progress)
    return _answer(progress, COLLECTED, done=done)


def verify(context: OperationContext, request: RequestParser) -> dict[str, Any]:
    """``autoflow.upkeep.verify`` at a ``level`` from 1 to 3, of all, of a project (``projectId``), or of a version
    (``id``): what was looked at so far, and the ``problems`` found in this call.
    """
    progress = JobState.decode(request.optional_text("state"))
    level = request.optional_number("level") or 1
    if level not in LEVELS:
        raise Invalid(f'"level" must be one of {", ".join(map(str, LEVELS))}')
    with context.store.read() as conn:
        _permit(conn)
        scope = _scope(conn, request)
    integrity_check = IntegrityCheck(context, level, scope)
    done = run_stages(integrity_check.stages, progress)
    return {**_answer(progress, VERIFIED, done=done), "problems": integrity_check.problems}


def _scope(conn: Connection, request: RequestParser) -> Scope:
    if request.has("id"):
        number = request.number("id")
        found = conn.execute(select(versions).where(versions.c.id == number, COMMITTED)).mappings().one_or_none()
        if found is None:
            raise NotFound("version", number)
        return Scope(found["project_id"], found["epoch"], number)
    if request.has("projectId"):
        return Scope(projects.get(conn, request.number("projectId"))["id"])
    return Scope()


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = {}
BATCHES: Mapping[str, Batch] = {methods.COLLECT: collect, methods.VERIFY: verify}
