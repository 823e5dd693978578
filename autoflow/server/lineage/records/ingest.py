"""Sets of records applied in a transaction; a refused record does not affect the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from autoflow.errors import ServerRefused
from autoflow.server.db.error_translation import translate_data_errors
from autoflow.server.db.scopes import Scope
from autoflow.server.lineage.records import changes, parse, reading, writing
from autoflow.server.lineage.records.parse import Change
from autoflow.server.lineage.records.reading import Names
from autoflow.server.lineage.records.state import State
from autoflow.server.request_parser import RequestParser, as_text

Pause = Callable[[], None]


class Parsed(NamedTuple):
    """A record, or an edge of a request of its own.

    Args:
        change: what it changes, or the reason why it can never be applied.
        key: its idempotency key, None if it has none.
        run: the run that it names, None if it names none.
    """

    change: Change | ServerRefused
    key: str | None = None
    run: str | None = None


class Outcome(NamedTuple):
    """The outcome of a record: `refusal` is None if it was applied, now or before (`duplicate`)."""

    refusal: ServerRefused | None = None
    duplicate: bool = False


_APPLIED, _DUPLICATE = Outcome(), Outcome(duplicate=True)


class Applied(NamedTuple):
    """The outcomes of records.

    Args:
        outcomes: in the order of the records.
        tasks: the tasks of the runs that they name.
        by_scope: all tasks that they name, by the scopes of runs and numbers.
    """

    outcomes: list[Outcome]
    tasks: dict[str, int]
    by_scope: Mapping[Scope, tuple[int, ...]] = {}


def parse_record(record: Any) -> Parsed:
    """Parse a record; a malformed one is parsed as its refusal."""
    key = run = None
    try:
        request = RequestParser(record)
        run = as_text(request.fields.get("run"))
        key = request.text("key")
        return Parsed(parse.change(request), key, run)
    except ServerRefused as refusal:
        return Parsed(refusal, key, run)


def apply(conn: Connection, records: Sequence[Parsed], pause: Pause, *, defer: bool = False) -> Applied:
    """Apply records as one set, with a number of statements that does not grow with it.

    Args:
        conn: the transaction.
        records: the set.
        pause: see `State`.
        defer: whether the transaction ends after it, so that statements may be deferred (`db.pipeline`).

    Raises:
        ServerRefused: the database refused the set, and with it the transaction; see `apply_each`.
    """
    names = Names()
    for record in records:
        if record.key is not None:
            names.keys.append(record.key)
        if record.run is not None:
            names.runs.add(record.run)
        if not isinstance(record.change, ServerRefused):
            names.add(record.change)
    state = reading.read(conn, names, pause)
    outcomes = []
    for record in records:
        outcomes.append(_apply(state, record))
        pause()
    writing.write(conn, state, defer=defer)
    runs = {record.run: None for record in records if record.run in state.runs}
    tasks = {run: task for run in runs if state.sees(task := state.runs[run])}
    return Applied(outcomes, tasks, state.tasks_by_scope())


def _apply(state: State, record: Parsed) -> Outcome:
    key, change = record.key, record.change
    if key is not None and (key in state.keys or key in state.new_keys):
        return _DUPLICATE
    if isinstance(change, ServerRefused):
        return Outcome(change)
    state.savepoint()
    try:
        changes.apply(state, change)
    except ServerRefused as refusal:
        state.rollback()
        return Outcome(refusal)
    if key is not None:
        state.new_keys[key] = None
    return _APPLIED


def apply_each(conn: Connection, records: Sequence[Parsed], pause: Pause) -> Applied:
    """Apply records one by one, each in a savepoint, so that one that the database refuses does not affect others."""
    outcomes: list[Outcome] = []
    tasks: dict[str, int] = {}
    for record in records:
        try:
            with translate_data_errors(), conn.begin_nested():
                applied = apply(conn, [record], pause)
        except ServerRefused as refusal:
            outcomes.append(Outcome(refusal))
        else:
            outcomes += applied.outcomes
            tasks.update(applied.tasks)
    return Applied(outcomes, tasks)
