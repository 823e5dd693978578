"""Changed rows written in sets: a statement a table, whatever their number."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, Connection, Select, Table, Text, case, select
from sqlalchemy.dialects import postgresql, sqlite

from autoflow.server.db import compiled, counters, json_rows, models, pipeline, run_contents, run_values
from autoflow.server.db import tasks as task_store
from autoflow.server.db.access import Caller
from autoflow.server.db.schema import (
    apps,
    edges,
    entities,
    logs,
    record_keys,
    runs,
    task_facts,
    task_numbers,
    tasks,
)
from autoflow.server.lineage.records.state import NOT_READ, TASK_COLUMNS, State

_INSERT: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_CHANGING = ("name", "app_id", "state", "error", "card_settings", "started_at", "finished_at", "updated_at")

OnConflict = Callable[[Any], Any]


def _ignore(statement: Any) -> Any:
    return statement.on_conflict_do_nothing()


def _fail(statement: Any) -> Any:
    return statement


def _replace_task(statement: Any) -> Any:
    new = statement.excluded
    facts = case((new.facts == NOT_READ, tasks.c.facts), else_=new.facts)
    values = {name: new[name] for name in _CHANGING}
    return statement.on_conflict_do_update(index_elements=[tasks.c.id], set_={**values, "facts": facts})


def _replace_parent(statement: Any) -> Any:
    return statement.on_conflict_do_update(index_elements=[runs.c.key], set_={"parent": statement.excluded.parent})


def _replace_name(statement: Any) -> Any:
    new = statement.excluded
    key = list(entities.primary_key.columns)
    return statement.on_conflict_do_update(index_elements=key, set_={"name": new.name}, where=new.name != "")


def _replace_settings(statement: Any) -> Any:
    new = statement.excluded
    identity = [edges.c[name] for name in ("task_id", "direction", "origin", "type", "entity")]
    settings = {"meta": new.meta, "updated_ns": new.updated_ns}
    return statement.on_conflict_do_update(index_elements=identity, set_=settings, where=new.meta.is_not(None))


@functools.cache
def _statement(dialect: str, table: Table, columns: tuple[str, ...], on_conflict: OnConflict) -> Any:
    parts: list[Column[Any]] = [table.c[name] for name in columns]
    query = json_rows.rows(dialect, "rows", parts)
    return on_conflict(_INSERT[dialect](table).from_select(list(columns), query, include_defaults=False))


class _Writer(NamedTuple):
    """Inserts rows into tables.

    Args:
        conn: the transaction.
        pause: see `State`.
        defer: whether statements are deferred.
    """

    conn: Connection
    pause: Callable[[], None]
    defer: bool = False

    def insert(
        self,
        table: Table,
        columns: Sequence[str],
        rows: Collection[Sequence[Any]],
        on_conflict: OnConflict = _fail,
    ) -> None:
        """Insert rows, if there are any, in one statement."""
        if not rows:
            return
        statement = _statement(self.conn.dialect.name, table, tuple(columns), on_conflict)
        parameters = {"rows": json_rows.encode(rows)}
        if self.defer:
            pipeline.defer(self.conn, statement, parameters)
        else:
            compiled.execute(self.conn, statement, parameters)
        self.pause()


@functools.cache
def _app_ids(dialect: str) -> Select[Any]:
    columns: list[Column[Any]] = [apps.c.team_id, apps.c.name, apps.c.id]
    query = select(*columns)
    in_teams = apps.c.team_id.in_(json_rows.values(dialect, "teams", BigInteger()))
    return query.where(in_teams, apps.c.name.in_(json_rows.values(dialect, "names", Text())))


def write(conn: Connection, state: State, *, defer: bool) -> None:
    """Write the rows that a set of changes has added or changed; see `ingest.apply` for `defer`."""
    who, now = state.caller, state.now
    team = who.default_team
    app_ids = _write_apps(conn, state)
    # contents, facts, models and events of failures are written by statements that are not deferred
    at_once = state.contents or state.new_facts or state.models or state.failed_tasks
    writer = _Writer(conn, state.pause, defer and not at_once)
    writer.insert(record_keys, ("team_id", "key"), [(team, key) for key in state.new_keys])
    _write_tasks(writer, state, app_ids)
    new_runs = [(key, task_id, state.parents.get(key), now, who.user) for key, task_id in state.new_runs.items()]
    columns = ("key", "task_id", "parent", "created_at", "created_by")
    writer.insert(runs, columns, new_runs)
    others = [(key, state.runs[key], parent, now, who.user) for key, parent in state.parents.items()]
    writer.insert(runs, columns, [row for row in others if row[0] not in state.new_runs], _replace_parent)
    _write_external(writer, state)
    _write_edges(writer, state, who)
    _write_models(conn, state)
    for task_id in state.failed_tasks:
        task_store.notify_failed(conn, task_id)
    writer.insert(logs, ("task_id", "at", "lines", "created_by"), [(*row, who.user) for row in state.logs.values()])
    beside = [(*row, who.user) for row in state.task_facts.values()]
    writer.insert(task_facts, ("task_id", "at", "facts", "created_by"), beside)


def _write_apps(conn: Connection, state: State) -> dict[tuple[int, str], int]:
    """Write the apps of tasks; return the ids of those that tasks were assigned to, by team and name."""
    user = state.caller.user
    # in one order, as two transactions may add the same ones
    _Writer(conn, state.pause).insert(
        apps, ("team_id", "name", "created_by"), [(*app, user) for app in sorted(state.apps)], _ignore
    )
    if not state.app_of_task:
        return {}
    team_ids, names = (set(column) for column in zip(*state.app_of_task.values(), strict=True))
    parameters = {"teams": json_rows.encode(team_ids), "names": json_rows.encode(names)}
    app_rows = conn.execute(_app_ids(conn.dialect.name), parameters)
    return {(row.team_id, row.name): row.id for row in app_rows}


def _write_tasks(writer: _Writer, state: State, app_ids: Mapping[tuple[int, str], int]) -> None:
    new: list[list[Any]] = []
    changed: list[list[Any]] = []
    for task_id in state.changed_tasks:
        row = dict(state.tasks[task_id])
        if task_id in state.app_of_task:
            row["app_id"] = app_ids[state.app_of_task[task_id]]
        (new if task_id in state.new_tasks else changed).append([row[name] for name in TASK_COLUMNS])
    writer.insert(tasks, TASK_COLUMNS, new)
    writer.insert(tasks, TASK_COLUMNS, changed, _replace_task)
    conn = writer.conn
    run_contents.add(conn, state.contents)
    for task_id, facts in state.new_facts.items():
        run_values.index(conn, task_id, facts)
    numbers = [(team_id, number, task_id) for (number, team_id), task_id in state.new_numbers.items()]
    writer.insert(task_numbers, ("team_id", "number", "task_id"), numbers)
    if state.last_id is not None and conn.dialect.name == "sqlite":
        counters.skip_to(conn, counters.TASK, state.last_id)  # a sequence keeps the gap


def _write_external(writer: _Writer, state: State) -> None:
    columns = ("team_id", "origin", "type", "entity", "name", "created_at", "created_by")
    rows = [(*key, name, state.now, state.caller.user) for key, name in sorted(state.external.items())]
    # the token of a reproduction renames nothing
    writer.insert(entities, columns, rows, _replace_name if state.caller.since is None else _ignore)


def _write_edges(writer: _Writer, state: State, who: Caller) -> None:
    now_ns = time.time_ns()
    names = ("task_id", "direction", "origin", "type", "entity", "entity_key", "at", "meta", "updated_ns", "created_by")
    rows = [(*identity, *values, now_ns, who.user) for identity, values in state.edges.items()]
    writer.insert(edges, names, rows, _replace_settings)


def _write_models(conn: Connection, state: State) -> None:
    """Register files as versions of models, in the order of the names, as two transactions may lock the same models."""
    for (team_id, name, ref), task_id in sorted(state.models.items(), key=lambda entry: entry[0][:2]):
        models.register(conn, team_id, name, ref, task_id)
        state.pause()
