"""``autoflow.upkeep.*``: garbage collection and integrity checks.

Both need a caller who sees all teams. A call works for about two seconds and returns ``{"done", "state", "counts"}``;
unless it is done, the caller sends the state back in the next call.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from autoflow.server.db import projects
from autoflow.server.db.access import caller
from autoflow.server.db.schema import versions
from autoflow.server.errors import Forbidden, NotFound
from autoflow.server.maintenance.blob_usage import Scope
from autoflow.server.maintenance.garbage_collection import GarbageCollector
from autoflow.server.maintenance.integrity_check import IntegrityCheck
from autoflow.server.maintenance.resumable_job import JobState, run_stages
from autoflow.server.operations import Batch, Operation, OperationContext, by_name, implements
from autoflow.server.versions.versions import COMMITTED
from autoflow.wire.contract import admin as contract

COLLECTION_COUNTS = ("rows", "files", "blobs", "bytes", "strays", "emptied")
VERIFICATION_COUNTS = ("versions", "blobs", "bytes", "sources", "problems")


def _check_permitted(conn: Connection) -> None:
    """Raise Forbidden unless the caller sees all teams."""
    if caller(conn).teams is not None:
        raise Forbidden("only a caller who sees all teams may do this: run the command on the server's machine")


def _response(state: JobState, names: tuple[str, ...], *, done: bool) -> contract.MaintenanceResponse:
    return {
        "done": done,
        "state": None if done else state.encode(),
        "counts": {name: state.counts.get(name, 0) for name in names},
    }


@implements(contract.COLLECT)
def collect(context: OperationContext, request: contract.CollectRequest) -> contract.MaintenanceResponse:
    """``autoflow.upkeep.collect``: remove history rows, team files and blobs that nothing references any more.

    The counts are rows of history, team files, blobs and their bytes, temporary files of uploads that were not
    finished (``strays``), and files deleted from the trash (``emptied``). ``confirm`` allows removing a large share of
    all blobs; ``emptyTrash`` deletes everything in the trash at once.

    Raises:
        Conflict: it would remove a large share of all blobs, and ``confirm`` is not set.
        StoreUnavailable: the blobs are another store's.
    """
    state = JobState.decode(request.state)
    with context.store.read() as conn:
        _check_permitted(conn)
    context.store.check_identity()
    confirmed, empty = request.confirm, request.empty_trash
    done = run_stages(GarbageCollector(context, confirmed=confirmed, empty=empty).stages, state)
    return _response(state, COLLECTION_COUNTS, done=done)


@implements(contract.VERIFY)
def verify(context: OperationContext, request: contract.VerifyRequest) -> contract.VerifyResponse:
    """``autoflow.upkeep.verify``: check the store at a ``level`` from 1 to 3.

    The scope is everything, a project (``projectId``) or a version (``id``). ``problems`` are those that this call
    detected.
    """
    state = JobState.decode(request.state)
    with context.store.read() as conn:
        _check_permitted(conn)
        scope = _scope(conn, request)
    integrity_check = IntegrityCheck(context, request.level, scope)
    done = run_stages(integrity_check.stages, state)
    return {**_response(state, VERIFICATION_COUNTS, done=done), "problems": integrity_check.problems}


def _scope(conn: Connection, request: contract.VerifyRequest) -> Scope:
    if request.id is not None:
        version_id = request.id
        version_row = (
            conn.execute(select(versions).where(versions.c.id == version_id, COMMITTED)).mappings().one_or_none()
        )
        if version_row is None:
            raise NotFound("version", version_id)
        return Scope(version_row["project_id"], version_row["epoch"], version_id)
    if request.project_id is not None:
        return Scope(projects.get(conn, request.project_id)["id"])
    return Scope()


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = {}
BATCHES: Mapping[str, Batch] = by_name(collect, verify)
