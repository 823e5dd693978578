"""``autoflow.records.add``, batches of records, and ``autoflow.runs.ensure`` (see `wire.records`).

A record's key is an idempotency key: it is stored in the transaction that applies the record, so that a record is
applied once, however often it is sent. A transaction applies up to `GROUP` records as one set (`lineage.records`), so
that no batch holds the write lock for long.

In the embedded server, the thread yields the interpreter lock to the app whenever it has computed for a slice. A thread
that waits for that lock gets it at a sleep, but not at a short database call, which ends before the other thread wakes.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from autoflow.errors import ServerRefused
from autoflow.process.threads import yield_gil
from autoflow.server.db import access, tasks
from autoflow.server.db.engine import CallerStore
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.lineage.records import ingest
from autoflow.server.methods.lineage.record_scopes import scopes_of_records
from autoflow.server.operations import Batch, Operation, OperationContext, by_name, implements
from autoflow.server.request_parser import clean_name
from autoflow.wire.contract import records as contract

GROUP = 500  # records of a transaction
GAP = 0.005  # seconds between two transactions of a batch: waiters for the write lock poll it


def _no_pause() -> None:
    """A server in a process of its own shares the interpreter with no app."""


def _result(record: Any, outcome: ingest.Outcome) -> contract.RecordResult:
    key = record.get("key") if isinstance(record, Mapping) else None
    if outcome.refusal is not None:
        return {"key": key, "status": "refused", "reason": str(outcome.refusal)}
    return {"key": key, "status": "duplicate" if outcome.duplicate else "applied", "reason": None}


@implements(contract.RECORDS_ADD)
def add(context: OperationContext, request: contract.AddRecordsRequest) -> contract.AddRecordsResponse:
    """``autoflow.records.add``: apply records in order, in transactions of a bounded size."""
    assert isinstance(context.store, CallerStore)
    pause = _no_pause if context.store.caller.site else yield_gil
    results: list[contract.RecordResult] = []
    task_ids: dict[str, int] = {}
    for start in range(0, len(request.records), GROUP):
        if start:
            time.sleep(GAP)
        group = request.records[start : start + GROUP]
        applied = _commit(context.store, group, pause)
        results += map(_result, group, applied.outcomes)
        task_ids.update(applied.tasks)
    return {"results": results, "tasks": task_ids}


def _commit(store: CallerStore, records: Sequence[Any], pause: Callable[[], None]) -> ingest.Applied:
    """Apply records in a transaction; if the database refuses the set, each in a savepoint of another one."""
    parsed = []
    for record in records:
        parsed.append(ingest.parse_record(record))
        pause()
    scope = functools.partial(scopes_of_records, records=records)
    try:
        with store.write(scope=scope) as conn:
            return ingest.apply(conn, parsed, pause)
    except ServerRefused:
        with store.write(scope=scope) as conn:
            return ingest.apply_each(conn, parsed, pause)


@implements(contract.RUNS_ENSURE)
def ensure(conn: Connection, request: contract.EnsureRunRequest) -> contract.EnsureRunResponse:
    """``autoflow.runs.ensure``: return a run's task, created by the first call."""
    task_id = tasks.ensure_for_run(
        conn,
        request.run,
        number=request.task,
        origin=request.origin,
        team=request.team,
        workspace=request.workspace,
    )
    access.check_own(conn, task_table, "task", task_id)
    if tasks.get(conn, task_id)["app_id"] is None:
        tasks.set_name(conn, task_id, clean_name(request.name))
    row = tasks.get(conn, task_id)
    return {
        "task": task_id,
        "number": row["number"],
        "teamId": row["team_id"],
        "workspaceId": row["workspace_id"],
        "appId": row["app_id"],
    }


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = by_name(ensure)
BATCHES: Mapping[str, Batch] = by_name(add)
