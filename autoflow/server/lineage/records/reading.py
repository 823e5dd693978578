"""One statement reads everything that a set of changes names; a second one reads what new tasks need."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    Text,
    bindparam,
    func,
    literal_column,
    select,
    union_all,
)

from autoflow.model.entity_types import ENTITY_TYPES
from autoflow.server.db import compiled, counters, json_rows, scopes
from autoflow.server.db.access import Caller, caller, visible_to
from autoflow.server.db.schema import files, metadata, record_keys, runs, task_numbers, tasks, teams, workspaces
from autoflow.server.db.scopes import Scope
from autoflow.server.lineage.records.parse import ByRun, Change, Edge, Facts, Start
from autoflow.server.lineage.records.state import NOT_READ, TASK_COLUMNS, State

ANY_TEAM = 0  # the team of keys stored before keys belonged to a team
_INTEGER, _TEXT = BigInteger(), Text()
_TABLES = sorted({entity.table for entity in ENTITY_TYPES.values() if entity.table})


@dataclass
class Names:
    """The identifiers that a set of changes names, by kind."""

    keys: list[str] = field(default_factory=list)
    runs: set[str] = field(default_factory=set)
    numbers: set[int] = field(default_factory=set)  # of tasks
    origins: set[str] = field(default_factory=set)  # of these numbers
    teams: set[int] = field(default_factory=set)
    workspaces: set[int] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    entities: dict[str, set[int]] = field(default_factory=dict)  # by table
    facts: bool = False  # whether facts of tasks are changed

    def add(self, change: Change) -> None:
        """Add what a change names."""
        task = change.task
        if isinstance(task, ByRun):
            self.runs.add(task.run)
            if task.workspace is not None:
                self.workspaces.add(task.workspace)
        if task.number is not None:
            self.numbers.add(task.number)
            if task.origin:
                self.origins.add(task.origin)
        if task.team is not None:
            self.teams.add(task.team)
        if isinstance(change, Edge):
            self._add_entity(change)
        elif isinstance(change, (Start, Facts)):
            self.facts = True

    def _add_entity(self, edge: Edge) -> None:
        name = edge.entity
        entity_type = ENTITY_TYPES[name.type]
        if name.origin or name.id is None or entity_type.by_path:
            return
        if isinstance(name.id, str):
            self.paths.add(name.id)
        elif entity_type.is_task:
            self.numbers.add(name.id)
        elif entity_type.table:
            self.entities.setdefault(entity_type.table, set()).add(name.id)

    def parameters(self) -> dict[str, Collection[Any]]:
        """Return the identifiers that there are, by the statement's parameters."""
        named: dict[str, Collection[Any]] = {
            "keys": self.keys,
            "runs": self.runs,
            "numbers": self.numbers,
            "origins": self.origins,
            "paths": self.paths,
            **self.entities,
        }
        return {name: identifiers for name, identifiers in named.items() if identifiers}


def read(conn: Connection, names: Names, pause: Callable[[], None]) -> State:
    """Return the stored rows that a set of changes names; see `State` for `pause`."""
    who = caller(conn)
    state = State(who, _NewTaskReader(conn, names), pause)
    parameters = names.parameters()
    if parameters:
        statement = _named_rows(conn.dialect.name, Caller(teams=who.teams), frozenset(parameters), names.facts)
        encoded = {name: json_rows.encode(identifiers) for name, identifiers in parameters.items()}
        for row in compiled.execute(conn, statement, {"team": who.default_team, **encoded}):
            _take(state, row.source, json.loads(row.document))
            pause()
    return state


@functools.lru_cache(maxsize=256)
def _named_rows(dialect: str, who: Caller, parameters: frozenset[str], facts: bool) -> CompoundSelect[Any]:
    """Return a query for the rows that parameters name, each as its source and a JSON array of its columns."""

    def among(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
        value_type = _TEXT if isinstance(column.type, Text) else _INTEGER
        return column.in_(json_rows.values(dialect, parameter, value_type))

    def rows(source: str, columns: Iterable[ColumnElement[Any]], *conditions: ColumnElement[bool]) -> Select[Any]:
        parts: list[ColumnElement[Any]] = [
            literal_column(f"'{source}'").label("source"),
            json_rows.array(dialect, list(columns)).label("document"),
        ]
        return select(*parts).where(*conditions)

    no_facts: ColumnElement[Any] = literal_column(f"'{NOT_READ}'")
    task_columns = [column if facts or column is not tasks.c.facts else no_facts for column in tasks.c]
    of_runs = select(runs.c.task_id).where(among(runs.c.key, "runs"))
    of_numbers = select(task_numbers.c.task_id).where(among(task_numbers.c.number, "numbers"))
    queries: dict[str, list[Select[Any]]] = {
        "keys": [
            rows(
                "key",
                [record_keys.c.key],
                record_keys.c.team_id.in_((ANY_TEAM, bindparam("team", required=False))),
                among(record_keys.c.key, "keys"),
            )
        ],
        "runs": [
            rows("run", [runs.c.key, runs.c.task_id], among(runs.c.key, "runs")),
            rows("task", task_columns, tasks.c.id.in_(of_runs)),
        ],
        "numbers": [
            rows("number", task_numbers.c, among(task_numbers.c.number, "numbers")),
            rows("task", task_columns, among(tasks.c.id, "numbers")),
            rows("task", task_columns, tasks.c.id.in_(of_numbers)),
        ],
        "origins": [rows("task", task_columns, among(tasks.c.origin, "origins"), among(tasks.c.number, "numbers"))],
        "paths": [
            rows(
                "file",
                [files.c.team_id, files.c.path, files.c.id],
                files.c.team_id.in_(select(teams.c.id).where(visible_to(who, teams))),
                among(files.c.path, "paths"),
                files.c.current,
            )
        ],
    }
    for name in _TABLES:
        table = metadata.tables[name]
        queries[name] = [rows(name, [table.c.id], among(table.c.id, name), visible_to(who, table))]
    return union_all(*(query for name, of_name in queries.items() if name in parameters for query in of_name))


def _take(state: State, source: str, values: list[Any]) -> None:
    """Add a row of the query to what is known."""
    if source == "key":
        state.keys[values[0]] = None
    elif source == "run":
        state.runs[values[0]] = values[1]
    elif source == "task":
        row = dict(zip(TASK_COLUMNS, values, strict=True))
        state.tasks[row["id"]] = row
        if row["origin"]:
            state.outside[row["origin"], row["number"]][row["team_id"]] = row["id"]
    elif source == "number":
        team_id, number, task_id = values
        state.outside["", number][team_id] = task_id
    elif source == "file":
        state.files[values[0], values[1]] = values[2]
    else:
        state.entities.add((source, values[0]))


class _NewTaskReader:
    """Reads the rows that a new task needs, when the first task is added.

    Args:
        conn: the transaction.
        names: what the set of changes names.
    """

    def __init__(self, conn: Connection, names: Names) -> None:
        self._conn = conn
        self._names = names

    def read(self, state: State) -> None:
        """Read the workspaces that tasks may belong to."""
        conn, who = self._conn, state.caller
        of_teams = {who.default_team, *self._names.teams, *(row["team_id"] for row in state.tasks.values())}
        named = workspaces.c.id.in_(self._names.workspaces)
        of_named = select(workspaces.c.team_id).where(named)
        of_a_team = workspaces.c.team_id.in_(of_teams) | workspaces.c.team_id.in_(of_named)
        first = select(func.min(workspaces.c.id)).where(of_a_team).group_by(workspaces.c.team_id)
        query = select(workspaces.c.id, workspaces.c.team_id).where(named | workspaces.c.id.in_(first))
        query = query.where(visible_to(who, workspaces))
        for workspace_id, team_id in conn.execute(query.order_by(workspaces.c.id)):
            state.teams[workspace_id] = team_id
            state.workspaces.setdefault(team_id, workspace_id)

    def new_ids(self, state: State) -> tuple[int, list[int]]:
        """Reserve ids for all tasks that may be new; return the last id before them, and those that are free."""
        numbers = self._names.numbers if self._names.origins else ()
        count = max(len(self._names.runs - state.runs.keys()) + len(numbers), 1)
        last = counters.advance(self._conn, counters.TASK, count)
        reserved = range(last - count + 1, last + 1)
        # another transaction may be about to use a number from elsewhere as an id, or have just done so
        locked = scopes.try_lock(self._conn, [scopes.task(number) for number in reserved])
        used = set(self._conn.execute(select(tasks.c.id).where(tasks.c.id.between(last - count + 1, last))).scalars())
        return last - count, [number for number in reserved if scopes.task(number) in locked and number not in used]

    def require(self, scope: Scope) -> None:
        """See `scopes.require`."""
        scopes.require(self._conn, scope)
