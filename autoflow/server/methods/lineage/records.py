"""Records in batches: ``autoflow.records.add`` and ``autoflow.runs.ensure`` (what they hold: `wire.records`).

Records are applied with their keys, in a transaction of as many as fit in a moment: a record is applied once however
often it is sent, one that is refused costs no other, and no batch holds the store's write lock long. A few at a time
are a savepoint; only when one of them is refused is each tried in a savepoint of its own.

Embedded, the thread sleeps for an instant after each record: it shares the interpreter with the app, and a thread that
waits for the interpreter gets it at a sleep, not at a database's call, which is over before the other wakes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from autoflow.errors import ServerRefused
from autoflow.model.run import RunFacts
from autoflow.server import timestamps
from autoflow.server.db import access, tasks, teams
from autoflow.server.db.error_translation import translate_data_errors
from autoflow.server.db.schema import record_keys
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.errors import Invalid
from autoflow.server.methods.lineage.edges import draw
from autoflow.server.operations import Batch, Operation, OperationContext
from autoflow.server.request_parser import RequestParser, as_number, as_text, clean_name, clean_text
from autoflow.wire import methods

OLD_KEYS = 0  # the team of keys from before they were a team's own
_FACTS = tuple(RunFacts.__annotations__)
DIRECTIONS = tuple(methods.ADD_EDGE)
SLICE = 0.05  # seconds a transaction goes on to take records
PAUSE = 0.0002  # seconds between two records, beside an app
PART = 10  # records of a savepoint
GAP = 0.005  # seconds between two transactions of a batch: who waits for the write lock only looks now and then


def _ensure(conn: Connection, request: RequestParser) -> int:
    """The task of a record's run, made if this is the first that is heard of it."""
    return tasks.ensure_for_run(
        conn,
        request.text("run"),
        number=request.optional_number("task"),
        origin=request.text("origin", ""),
        team=as_number(request.fields.get("team")),
        workspace=as_number(request.fields.get("workspace")),
    )


def _run(conn: Connection, request: RequestParser, moment: str) -> None:
    task_id = _ensure(conn, request)
    tasks.check_author(conn, task_id)
    tasks.set_name(conn, task_id, clean_name(request.fields.get("name")))
    tasks.start(conn, task_id, moment)
    told = {name: request.fields[name] for name in _FACTS if request.has(name)}
    tasks.add_facts(conn, task_id, {**told, **request.mapping("facts")}, moment)
    parent = as_text(request.fields.get("parent"))
    if parent:
        tasks.set_parent(conn, request.text("run"), parent)


def _facts(conn: Connection, request: RequestParser, moment: str) -> None:
    tasks.add_facts(conn, _of_run(conn, request), request.mapping("facts"), moment)


def _finish(conn: Connection, request: RequestParser, moment: str) -> None:
    state = request.text("state")
    if state not in tasks.STATES[1:]:
        raise Invalid(f'"state" must be one of {", ".join(tasks.STATES[1:])}')
    tasks.finish(conn, _of_run(conn, request), state, clean_text(request.fields.get("error")) or None, moment)


def _log(conn: Connection, request: RequestParser, moment: str) -> None:
    tasks.append_log(conn, _of_run(conn, request), moment, clean_text(request.fields.get("lines")))


def _node(conn: Connection, request: RequestParser, _moment: str) -> None:
    tasks.set_card_settings(conn, _of_task(conn, request), request.mapping("node"))


def _edge(conn: Connection, request: RequestParser, moment: str) -> None:
    direction = request.text("direction")
    if direction not in DIRECTIONS:
        raise Invalid(f'"direction" must be one of {", ".join(DIRECTIONS)}')
    entity = RequestParser(request.mapping("entity"), "entity.")
    draw(conn, _of_task(conn, request), direction, entity, request.mapping("meta"), moment)


def _of_run(conn: Connection, request: RequestParser) -> int:
    task_id = tasks.ensure_for_run(conn, request.text("run"))
    tasks.check_author(conn, task_id)
    return task_id


def _of_task(conn: Connection, request: RequestParser) -> int:
    """The task a record is about: the one it names, else its run's."""
    if not request.has("task"):
        return _of_run(conn, request)
    task_id = tasks.get_or_create(conn, request.number("task"), request.text("origin", ""))
    tasks.check_author(conn, task_id)
    return task_id


_KINDS: Mapping[str, Callable[[Connection, RequestParser, str], None]] = {
    "run": _run,
    "facts": _facts,
    "finish": _finish,
    "log": _log,
    "node": _node,
    "edge": _edge,
}


def _apply(conn: Connection, record: Any) -> None:
    """Apply one record whose key is new.

    Raises:
        ServerRefused: it can never be applied; the caller takes back what it did.
    """
    body = RequestParser(record)
    kind = body.text("type")
    if kind not in _KINDS:
        raise Invalid(f'"type": there is no kind of record {kind!r}; there are {", ".join(_KINDS)}')
    _KINDS[kind](conn, body, timestamps.at(body.fields.get("at")))
    if not access.caller(conn).site:
        time.sleep(PAUSE)


def _together(conn: Connection, records: list[Any]) -> list[dict[str, Any]]:
    """Apply records, or nothing of any.

    Raises:
        ServerRefused: one of them can never be applied.
    """
    keys = [RequestParser(record).text("key") for record in records]
    with translate_data_errors(), conn.begin_nested():
        team = teams.default_team(conn)
        mine = record_keys.c.team_id.in_((OLD_KEYS, team))
        known = set(conn.execute(select(record_keys.c.key).where(mine, record_keys.c.key.in_(keys))).scalars())
        new = dict.fromkeys(key for key in keys if key not in known)
        if new:
            conn.execute(insert(record_keys), [{"team_id": team, "key": key} for key in new])
        results = []
        for key, record in zip(keys, records, strict=True):
            status = "applied" if key in new else "duplicate"
            if key in new:
                del new[key]  # should it come again in these records
                _apply(conn, record)
            results.append({"key": key, "status": status, "reason": None})
    return results


def _results(conn: Connection, records: list[Any]) -> list[dict[str, Any]]:
    """Apply records, and say of each what became of it; when one is refused each is tried by itself."""
    try:
        return _together(conn, records)
    except ServerRefused as refusal:
        if len(records) > 1:
            return [result for record in records for result in _results(conn, [record])]
        key = records[0].get("key") if isinstance(records[0], Mapping) else None
        return [{"key": key, "status": "refused", "reason": str(refusal)}]


def add(context: OperationContext, request: RequestParser) -> dict[str, Any]:
    """``autoflow.records.add``: ``{"results": [{"key", "status", "reason"}], "tasks": {run: task}}``, in order.

    Status is ``applied``, ``duplicate`` (it had been, the same counts) or ``refused``, then with the reason.
    """
    records = request.array("records")
    results: list[dict[str, Any]] = []
    found: dict[str, int] = {}
    while len(results) < len(records):
        with context.store.write() as conn:
            until = time.monotonic() + SLICE
            while len(results) < len(records) and time.monotonic() < until:
                part = records[len(results) : len(results) + PART]
                results += _results(conn, part)
                for run in {as_text(record.get("run")) for record in part if isinstance(record, Mapping)}:
                    if run and run not in found and (task_id := tasks.find_by_run(conn, run)) is not None:
                        found[run] = task_id
        if len(results) < len(records):
            time.sleep(GAP)
    return {"results": results, "tasks": found}


def ensure(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.runs.ensure``: a run's task, made at first: ``task`` (the number here) and ``number`` (at its
    origin), ``teamId``, ``workspaceId``, ``appId``.
    """
    task_id = _ensure(conn, request)
    access.check_own(conn, task_table, "task", task_id)
    if tasks.get(conn, task_id)["app_id"] is None:
        tasks.set_name(conn, task_id, clean_name(request.fields.get("name")))
    row = tasks.get(conn, task_id)
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
