"""``autoflow.records.add``, batches of records, and ``autoflow.runs.ensure`` (see `wire.records`).

A record's key is an idempotency key: it is stored in the transaction that applies the record, so that a record is
applied once, however often it is sent. A transaction applies up to `GROUP` records as one set (`lineage.records`), so
that no batch holds the write lock for long.

In the embedded server, the thread yields the interpreter lock to the app whenever it has computed for a slice. A thread
that waits for that lock gets it at a sleep, but not at a short database call, which ends before the other thread wakes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection

from autoflow.server.db import access, run_contents, tasks
from autoflow.server.db.engine import CallerStore
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.lineage.records import ingest
from autoflow.server.methods.lineage import submission
from autoflow.server.operations import Batch, Operation, OperationContext, by_name, implements
from autoflow.server.request_parser import clean_name
from autoflow.wire.contract import records as contract

GROUP = 500  # records of a transaction
MAX_CONTENTS = 32  # pieces of one response
GAP = 0.005  # seconds between two transactions of a batch: waiters for the write lock poll it


def _result(record: Any, outcome: ingest.Outcome) -> contract.RecordResult:
    key = record.get("key") if isinstance(record, Mapping) else None
    if outcome.refusal is not None:
        return {"key": key, "status": "refused", "reason": str(outcome.refusal)}
    return {"key": key, "status": "duplicate" if outcome.duplicate else "applied", "reason": None}


@implements(contract.RECORDS_ADD)
def add(context: OperationContext, request: contract.AddRecordsRequest) -> contract.AddRecordsResponse:
    """``autoflow.records.add``: apply records in order, in transactions of a bounded size."""
    assert isinstance(context.store, CallerStore)
    results: list[contract.RecordResult] = []
    task_ids: dict[str, int] = {}
    for start in range(0, len(request.records), GROUP):
        if start:
            time.sleep(GAP)
        group = request.records[start : start + GROUP]
        parsed = list(_parse(group, submission.pause_of(context.store)))
        applied = submission.commit(context.store, submission.Submission(group, parsed))
        results += map(_result, group, applied.outcomes)
        task_ids.update(applied.tasks)
    return {"results": results, "tasks": task_ids}


def _parse(records: Iterable[Any], pause: Callable[[], None]) -> Iterator[ingest.Parsed]:
    for record in records:
        yield ingest.parse_record(record)
        pause()


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


@implements(contract.RUN_CONTENTS)
def contents(conn: Connection, request: contract.RunContentsRequest) -> contract.RunContentsResponse:
    """``autoflow.runs.contents``: return pieces of the contents that the facts of a task name."""
    team_id = tasks.get(conn, request.task)["team_id"]
    return {"contents": run_contents.read(conn, team_id, request.pieces[:MAX_CONTENTS])}


READS: Mapping[str, Operation] = by_name(contents)
WRITES: Mapping[str, Operation] = by_name(ensure)
BATCHES: Mapping[str, Batch] = by_name(add)
