"""Records and single edges on their way into a transaction, which small ones share (`db.group_commit`)."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from autoflow.errors import ServerRefused
from autoflow.process.threads import yield_gil
from autoflow.server.db import counters
from autoflow.server.db.access import caller
from autoflow.server.db.engine import CallerStore
from autoflow.server.db.scopes import ScopeNotHeld, Scopes
from autoflow.server.lineage.records import ingest
from autoflow.server.methods.lineage.record_scopes import expected_scopes, scopes_of_records

SMALL = 20  # records that share a transaction with those of other requests


class Submission(NamedTuple):
    """The records of a request.

    Args:
        records: its records, or the one for its edge.
        parsed: the same, parsed.
    """

    records: Sequence[Any]
    parsed: Sequence[ingest.Parsed]


def _no_pause() -> None:
    """A server in a process of its own shares the interpreter with no app."""


def pause_of(store: CallerStore) -> Callable[[], None]:
    """Return what to call between short steps: in an embedded server it yields the interpreter lock to the app."""
    return _no_pause if store.caller.site else yield_gil


def commit(store: CallerStore, submission: Submission) -> ingest.Applied:
    """Apply records in a transaction, small ones together with what else waits.

    Raises:
        ServerBusy: the database cannot do it now; nothing was applied.
    """
    if len(submission.records) > SMALL:
        return _commit(store, [submission])[0]
    work = functools.partial(_commit, store)
    return store.store.groups.submit((store.caller, _scope_key(store, submission)), submission, work)


def _scope_key(store: CallerStore, submission: Submission) -> Hashable:
    """Return what differs between submissions that need not wait for each other: on PostgreSQL, their run or task."""
    if not store.store.is_remote or not submission.records:
        return None
    record = submission.records[0]
    return str((record.get("run"), record.get("task"))) if isinstance(record, Mapping) else None


def _counted(conn: Connection, applied: ingest.Applied) -> ingest.Applied:
    """Count a change, unless all records were refused or duplicates."""
    if any(outcome.refusal is None and not outcome.duplicate for outcome in applied.outcomes):
        counters.count_change(conn, caller(conn).teams)
    return applied


def _commit(store: CallerStore, group: Sequence[Submission]) -> list[ingest.Applied]:
    """Apply a group in one transaction; if the database refuses it as a set, each record in a savepoint."""
    records = [record for submission in group for record in submission.records]
    parsed = [record for submission in group for record in submission.parsed]
    try:
        applied = _apply(store, records, parsed)
    except ServerRefused:
        scope = functools.partial(scopes_of_records, records=records)
        with store.write(scope=scope, count_change=False) as conn:
            applied = _counted(conn, ingest.apply_each(conn, parsed, pause_of(store)))
    for named, task_ids in applied.by_scope.items():
        store.store.known_tasks.put(named, task_ids)
    outcomes = iter(applied.outcomes)
    parts = []
    for submission in group:
        runs = {record.run for record in submission.parsed}
        tasks = {run: task for run, task in applied.tasks.items() if run in runs}
        parts.append(ingest.Applied([next(outcomes) for _ in submission.parsed], tasks))
    return parts


def _apply(store: CallerStore, records: Sequence[Any], parsed: Sequence[ingest.Parsed]) -> ingest.Applied:
    """Apply records as one set, with the locks of the scopes that are expected, or of those that are looked up."""

    def apply(scope: Scopes) -> ingest.Applied:
        with store.write(scope=scope, count_change=False) as conn:
            return _counted(conn, ingest.apply(conn, parsed, pause_of(store), defer=True))

    expected = expected_scopes(store.store.known_tasks, records) if store.store.is_remote else None
    if expected is not None:
        with contextlib.suppress(ScopeNotHeld):
            return apply(expected)
    return apply(functools.partial(scopes_of_records, records=records))
