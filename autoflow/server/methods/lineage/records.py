"""``autoflow.records.add``, batches of records, and ``autoflow.runs.ensure`` (see `wire.records`).

A record's key is an idempotency key: it is stored in the transaction that applies the record, so that a record is
applied once, however often it is sent. A transaction applies records for `SLICE` seconds, so that no batch holds the
write lock for long. `GROUP` records share a savepoint; if one of them is refused, each is applied in a savepoint of its
own, so that a refused record does not affect the others.

In the embedded server, the thread sleeps for `PAUSE` after each record: it shares the interpreter with the app. A
thread that waits for the interpreter lock gets it at a sleep, but not at a database call, which ends before the other
thread wakes.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from autoflow.errors import ServerRefused
from autoflow.model.run import RunFacts
from autoflow.server import timestamps
from autoflow.server.db import access, run_contents, tasks, teams
from autoflow.server.db.error_translation import translate_data_errors
from autoflow.server.db.schema import record_keys
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.errors import Invalid
from autoflow.server.methods.lineage.edges import add_edge
from autoflow.server.methods.lineage.record_scopes import scopes_of_records
from autoflow.server.operations import Batch, Operation, OperationContext, by_name, implements
from autoflow.server.request_parser import RequestParser, as_number, as_text, clean_name, clean_text
from autoflow.wire import methods
from autoflow.wire.contract import records as contract

ANY_TEAM = 0  # the team of keys stored before keys belonged to a team
_FACTS = tuple(RunFacts.__annotations__)
DIRECTIONS = tuple(methods.ADD_EDGE)
SLICE = 0.05  # seconds during which one transaction applies records
PAUSE = 0.0002  # seconds between two records in an embedded server
GROUP = 10  # records of a savepoint
MAX_CONTENTS = 32  # pieces of one response
GAP = 0.005  # seconds between two transactions of a batch: waiters for the write lock poll it


def _ensure_task(conn: Connection, request: RequestParser) -> int:
    """Return the id of the task of a record's run, created by its first record."""
    return tasks.ensure_for_run(
        conn,
        request.text("run"),
        number=request.optional_number("task"),
        origin=request.text("origin", ""),
        team=as_number(request.fields.get("team")),
        workspace=as_number(request.fields.get("workspace")),
    )


def _run(conn: Connection, request: RequestParser, timestamp: str) -> None:
    task_id = _ensure_task(conn, request)
    tasks.check_author(conn, task_id)
    tasks.set_name(conn, task_id, clean_name(request.fields.get("name")))
    tasks.start(conn, task_id, timestamp)
    facts = {name: request.fields[name] for name in _FACTS if request.has(name)}
    tasks.add_facts(conn, task_id, {**facts, **request.mapping("facts")}, timestamp)
    parent = as_text(request.fields.get("parent"))
    if parent:
        tasks.set_parent(conn, request.text("run"), parent)


def _facts(conn: Connection, request: RequestParser, timestamp: str) -> None:
    task_id = _run_task(conn, request)
    tasks.add_facts(conn, task_id, request.mapping("facts"), timestamp)
    if contents := request.mapping("contents"):
        run_contents.add(conn, tasks.get(conn, task_id)["team_id"], contents)


def _finish(conn: Connection, request: RequestParser, timestamp: str) -> None:
    state = request.text("state")
    if state not in tasks.STATES[1:]:
        raise Invalid(f'"state" must be one of {", ".join(tasks.STATES[1:])}')
    tasks.finish(conn, _run_task(conn, request), state, clean_text(request.fields.get("error")) or None, timestamp)


def _log(conn: Connection, request: RequestParser, timestamp: str) -> None:
    tasks.append_log(conn, _run_task(conn, request), timestamp, clean_text(request.fields.get("lines")))


def _node(conn: Connection, request: RequestParser, _timestamp: str) -> None:
    tasks.set_card_settings(conn, _target_task(conn, request), request.mapping("node"))


def _edge(conn: Connection, request: RequestParser, timestamp: str) -> None:
    direction = request.text("direction")
    if direction not in DIRECTIONS:
        raise Invalid(f'"direction" must be one of {", ".join(DIRECTIONS)}')
    entity = RequestParser(request.mapping("entity"), "entity.")
    add_edge(conn, _target_task(conn, request), direction, entity, request.mapping("meta"), timestamp)


def _run_task(conn: Connection, request: RequestParser) -> int:
    task_id = tasks.ensure_for_run(conn, request.text("run"))
    tasks.check_author(conn, task_id)
    return task_id


def _target_task(conn: Connection, request: RequestParser) -> int:
    """Return the id of the task that a record names, else of its run's."""
    if not request.has("task"):
        return _run_task(conn, request)
    task_id = tasks.get_or_create(conn, request.number("task"), request.text("origin", ""))
    tasks.check_author(conn, task_id)
    return task_id


_APPLY: Mapping[str, Callable[[Connection, RequestParser, str], None]] = {
    "run": _run,
    "facts": _facts,
    "finish": _finish,
    "log": _log,
    "node": _node,
    "edge": _edge,
}


def _apply(conn: Connection, record: Any) -> None:
    """Apply one record.

    Raises:
        ServerRefused: it can never be applied; the caller rolls back its changes.
    """
    request = RequestParser(record)
    record_type = request.text("type")
    if record_type not in _APPLY:
        raise Invalid(f'"type": there is no record type {record_type!r}; there are {", ".join(_APPLY)}')
    _APPLY[record_type](conn, request, timestamps.at(request.fields.get("at")))
    if not access.caller(conn).site:
        time.sleep(PAUSE)


def _apply_all(conn: Connection, records: list[Any]) -> list[contract.RecordResult]:
    """Apply records whose keys are new, all or none, and return their results.

    Raises:
        ServerRefused: one of them can never be applied.
    """
    keys = [RequestParser(record).text("key") for record in records]
    with translate_data_errors(), conn.begin_nested():
        team = teams.default_team(conn)
        of_team = record_keys.c.team_id.in_((ANY_TEAM, team))
        known = set(conn.execute(select(record_keys.c.key).where(of_team, record_keys.c.key.in_(keys))).scalars())
        new = dict.fromkeys(key for key in keys if key not in known)
        if new:
            conn.execute(insert(record_keys), [{"team_id": team, "key": key} for key in new])
        results: list[contract.RecordResult] = []
        for key, record in zip(keys, records, strict=True):
            is_new = key in new
            if is_new:
                del new[key]  # a second record with this key is a duplicate
                _apply(conn, record)
            results.append({"key": key, "status": "applied" if is_new else "duplicate", "reason": None})
    return results


def _apply_each(conn: Connection, records: list[Any]) -> list[contract.RecordResult]:
    """Apply records and return their results; if one is refused, apply each by itself."""
    try:
        return _apply_all(conn, records)
    except ServerRefused as refusal:
        if len(records) > 1:
            return [result for record in records for result in _apply_each(conn, [record])]
        key = records[0].get("key") if isinstance(records[0], Mapping) else None
        return [{"key": key, "status": "refused", "reason": str(refusal)}]


@implements(contract.RECORDS_ADD)
def add(context: OperationContext, request: contract.AddRecordsRequest) -> contract.AddRecordsResponse:
    """``autoflow.records.add``: apply records in order, in transactions of a bounded time."""
    records = request.records
    results: list[contract.RecordResult] = []
    task_ids: dict[str, int] = {}
    while len(results) < len(records):
        scope = functools.partial(scopes_of_records, records=records[len(results) :])
        with context.store.write(scope=scope) as conn:
            deadline = time.monotonic() + SLICE
            while len(results) < len(records) and time.monotonic() < deadline:
                group = records[len(results) : len(results) + GROUP]
                results += _apply_each(conn, group)
                for run in {as_text(record.get("run")) for record in group if isinstance(record, Mapping)}:
                    if run and run not in task_ids and (task_id := tasks.find_by_run(conn, run)) is not None:
                        task_ids[run] = task_id
        if len(results) < len(records):
            time.sleep(GAP)
    return {"results": results, "tasks": task_ids}


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
