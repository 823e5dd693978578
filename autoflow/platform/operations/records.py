"""Records in batches: ``autoflow.records.add`` and ``autoflow.runs.ensure`` (what they hold: `wire.records`).

Each record is a savepoint, with its key, in a transaction of as many records as fit in a moment: a record is applied
once however often it is sent, one that is refused costs no other, and no batch holds the store's write lock long.
After each record the thread sleeps for an instant. Embedded, it shares the interpreter with the app, and a thread
that waits for the interpreter gets it at a sleep, not at a database's call: that is over before the other wakes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection

from autoflow.errors import ServerRefused
from autoflow.model.run import RunFacts
from autoflow.platform import times
from autoflow.platform.body import Body, as_number, as_text, cleaned
from autoflow.platform.operations import Batch, Operation, Place
from autoflow.platform.operations.edges import draw
from autoflow.platform.refusals import bad
from autoflow.platform.store import tasks
from autoflow.platform.store.schema import record_keys
from autoflow.platform.store.upsert import insert_new
from autoflow.wire import methods

_FACTS = tuple(RunFacts.__annotations__)
DIRECTIONS = tuple(methods.ADD_EDGE)
SLICE = 0.05  # seconds a transaction goes on to take records
PAUSE = 0.0002  # seconds between two records
GAP = 0.005  # seconds between two transactions of a batch: who waits for the write lock only looks now and then


def _ensure(rows: Connection, body: Body) -> int:
    """The task of a record's run, made if this is the first that is heard of it."""
    return tasks.ensure(
        rows,
        body.text("run"),
        number=body.maybe_number("task"),
        origin=body.text("origin", ""),
        team=as_number(body.fields.get("team")),
        workspace=as_number(body.fields.get("workspace")),
    )


def _run(rows: Connection, body: Body, moment: str) -> None:
    task_id = _ensure(rows, body)
    tasks.name(rows, task_id, cleaned(body.fields.get("name")))
    tasks.begin(rows, task_id, moment)
    told = {name: body.fields[name] for name in _FACTS if body.given(name)}
    tasks.learn(rows, task_id, {**told, **body.mapping("facts")})
    parent = as_text(body.fields.get("parent"))
    if parent:
        tasks.descend(rows, body.text("run"), parent)


def _facts(rows: Connection, body: Body, _moment: str) -> None:
    tasks.learn(rows, _of_run(rows, body), body.mapping("facts"))


def _finish(rows: Connection, body: Body, moment: str) -> None:
    state = body.text("state")
    if state not in tasks.STATES[1:]:
        raise bad(f'"state" must be one of {", ".join(tasks.STATES[1:])}')
    tasks.finish(rows, _of_run(rows, body), state, cleaned(body.fields.get("error")) or None, moment)


def _log(rows: Connection, body: Body, moment: str) -> None:
    tasks.log(rows, _of_run(rows, body), moment, cleaned(body.fields.get("lines")))


def _node(rows: Connection, body: Body, _moment: str) -> None:
    tasks.customise(rows, _of_task(rows, body), body.mapping("node"))


def _edge(rows: Connection, body: Body, moment: str) -> None:
    direction = body.text("direction")
    if direction not in DIRECTIONS:
        raise bad(f'"direction" must be one of {", ".join(DIRECTIONS)}')
    entity = Body(body.mapping("entity"), "entity.")
    draw(rows, _of_task(rows, body), direction, entity, body.mapping("meta"), moment)


def _of_run(rows: Connection, body: Body) -> int:
    return tasks.ensure(rows, body.text("run"))


def _of_task(rows: Connection, body: Body) -> int:
    """The task a record is about: the one it names, else its run's."""
    if not body.given("task"):
        return _of_run(rows, body)
    return tasks.given(rows, body.number("task"), body.text("origin", ""))


_KINDS: Mapping[str, Callable[[Connection, Body, str], None]] = {
    "run": _run,
    "facts": _facts,
    "finish": _finish,
    "log": _log,
    "node": _node,
    "edge": _edge,
}


def _apply(rows: Connection, record: Any) -> str:
    """Apply one record; gives its status.

    Raises:
        ServerRefused: it can never be applied; the caller takes back what it did.
    """
    body = Body(record)
    key, kind = body.text("key"), body.text("type")
    if kind not in _KINDS:
        raise bad(f'"type": there is no kind of record {kind!r}; there are {", ".join(_KINDS)}')
    if not insert_new(rows, record_keys, key=key):
        return "duplicate"
    _KINDS[kind](rows, body, times.at(body.fields.get("at")))
    return "applied"


def _result(rows: Connection, record: Any) -> dict[str, Any]:
    """Apply one record, or nothing of it, and say which."""
    result = {"key": record.get("key") if isinstance(record, Mapping) else None, "status": "refused", "reason": None}
    try:
        with rows.begin_nested():
            result["status"] = _apply(rows, record)
    except ServerRefused as refusal:
        result["reason"] = str(refusal)
    return result


def add(place: Place, body: Body) -> dict[str, Any]:
    """``autoflow.records.add``: ``{"results": [{"key", "status", "reason"}], "tasks": {run: task}}``, in order.

    Status is ``applied``, ``duplicate`` (it had been, the same counts) or ``refused``, then with the reason.
    """
    records = body.array("records")
    results: list[dict[str, Any]] = []
    found: dict[str, int] = {}
    while len(results) < len(records):
        with place.store.write() as rows:
            until = time.monotonic() + SLICE
            while len(results) < len(records) and time.monotonic() < until:
                record = records[len(results)]
                results.append(_result(rows, record))
                run = as_text(record.get("run")) if isinstance(record, Mapping) else None
                if run and run not in found and (task_id := tasks.of_run(rows, run)) is not None:
                    found[run] = task_id
                time.sleep(PAUSE)
        if len(results) < len(records):
            time.sleep(GAP)
    return {"results": results, "tasks": found}


def ensure(rows: Connection, body: Body) -> dict[str, Any]:
    """``autoflow.runs.ensure``: a run's task, made at first: ``task`` (the number here) and ``number`` (at its
    origin), ``teamId``, ``workspaceId``, ``appId``.
    """
    task_id = _ensure(rows, body)
    if tasks.get(rows, task_id)["app_id"] is None:
        tasks.name(rows, task_id, cleaned(body.fields.get("name")))
    row = tasks.get(rows, task_id)
    return {
        "task": task_id,
        "number": row["number"],
        "teamId": row["team_id"],
        "workspaceId": row["workspace_id"],
        "appId": row["app_id"],
    }


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = {methods.RUNS_ENSURE: ensure}
BATCHES: Mapping[str, Batch] = {methods.RECORDS_ADD: add}
