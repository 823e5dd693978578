"""The scopes of records: their runs, the tasks of these, and the numbers that may become tasks (`db.scopes`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Select, or_, select, tuple_, union

from autoflow.model.entity_types import ENTITY_TYPES
from autoflow.process.lru_cache import LruCache
from autoflow.server.db import scopes
from autoflow.server.db.access import visible
from autoflow.server.db.schema import runs, task_numbers, tasks
from autoflow.server.db.scopes import Scope
from autoflow.server.paging import chunks
from autoflow.server.request_parser import as_number, as_text


class _Names:
    """The names in records, as far as they are well-formed; others are refused when the records are applied."""

    def __init__(self, records: Iterable[Any]) -> None:
        self.runs: set[str] = set()
        self.numbers: set[tuple[str, int]] = set()  # tasks to write to, each an origin and a number
        self.inputs: set[int] = set()  # tasks to refer to
        for record in records:
            if isinstance(record, Mapping):
                self._add(record)

    def _add(self, record: Mapping[str, Any]) -> None:
        if (run := as_text(record.get("run"))) is not None:
            self.runs.add(run)
        if (number := as_number(record.get("task"))) is not None:
            self.numbers.add((as_text(record.get("origin")) or "", number))
        entity = record.get("entity")
        if isinstance(entity, Mapping) and not as_text(entity.get("origin")):
            entity_type: Any = entity.get("type")
            is_task = isinstance(entity_type, str) and entity_type in ENTITY_TYPES and ENTITY_TYPES[entity_type].is_task
            if is_task and (number := as_number(entity.get("id"))) is not None:
                self.inputs.add(number)


def expected_scopes(known: LruCache[Scope, tuple[int, ...]], records: Iterable[Any]) -> set[Scope] | None:
    """Return the scopes that records probably write to, without a query; None if a run is not known.

    A task that is not among them is noticed when it is about to be changed, see `scopes.require`.

    Args:
        known: the tasks that runs and numbers denoted lately, by their scopes.
        records: as they were sent.
    """
    names = _Names(records)
    expected = {scopes.task(number, origin) for origin, number in names.numbers}
    for key in names.runs:
        if known.get(scopes.run(key)) is None:
            return None
        expected.add(scopes.run(key))
    task_ids = {task_id for scope in expected for task_id in known.get(scope) or ()}
    return expected.union(map(scopes.task, task_ids))


def scopes_of_records(conn: Connection, records: Iterable[Any]) -> set[Scope]:
    """Return the scopes that records write to; a task that exists and is only referred to is none of them."""
    names = _Names(records)
    written = {scopes.run(key) for key in names.runs} | {
        scopes.task(number, origin) for origin, number in names.numbers
    }
    for query in _task_queries(names):
        written.update(scopes.task(task_id) for task_id in conn.execute(query).scalars())
    for part in chunks(sorted(names.inputs)):
        known = union(
            select(tasks.c.id).where(tasks.c.id.in_(part), visible(conn, tasks)),
            select(task_numbers.c.number)
            .join(tasks, tasks.c.id == task_numbers.c.task_id)
            .where(task_numbers.c.number.in_(part), visible(conn, tasks)),
        )
        written.update(map(scopes.task, set(part).difference(conn.execute(known).scalars())))
    return written


def _task_queries(names: _Names) -> Iterable[Select[Any]]:
    """Yield the queries for the ids of the tasks that runs and numbers denote, whichever team's."""
    for keys in chunks(sorted(names.runs)):
        yield select(runs.c.task_id).where(runs.c.key.in_(keys))
    for numbers in chunks(sorted(names.numbers)):
        own = [number for origin, number in numbers if not origin]
        if own:
            yield select(task_numbers.c.task_id).where(task_numbers.c.number.in_(own))
        others = [pair for pair in numbers if pair[0]]
        if others:
            yield select(tasks.c.id).where(or_(tuple_(tasks.c.origin, tasks.c.number).in_(others)))
