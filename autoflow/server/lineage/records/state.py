"""The rows that a set of changes names, in memory: what is stored, with the changes applied so far.

The lookups follow the rules of `db.tasks`, and changes can be undone back to a savepoint.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Protocol

from autoflow.model.entity import EntityRef
from autoflow.model.entity_types import ENTITY_TYPES
from autoflow.server import timestamps
from autoflow.server.db import scopes, tasks
from autoflow.server.db.access import Caller, not_own
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.db.scopes import Scope
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.lineage.records.parse import ByNumber, ByRun, EntityName

Row = Mapping[str, Any]

TASK_COLUMNS = tuple(task_table.columns.keys())
NOT_READ = ""  # the facts of a task of which a set changes none


class NewTaskReader(Protocol):
    """Reads what is needed when a task is added."""

    def read(self, state: State) -> None:
        """Read the workspaces that a task may belong to."""

    def new_ids(self, state: State) -> tuple[int, list[int]]:
        """Reserve ids; return the last one before them, and those that are free."""
        ...

    def require(self, scope: Scope) -> None:
        """Check that the transaction holds the lock of a scope."""


class State:
    """The rows that a set of changes needs, and those that it has changed.

    Args:
        caller: the user whose changes these are.
        reader: reads what new tasks need.
        pause: called between steps that each compute for a short time only.
    """

    def __init__(self, caller: Caller, reader: NewTaskReader, pause: Callable[[], None]) -> None:
        self.caller = caller
        self.pause = pause
        self.now = timestamps.now()
        self._reader = reader
        self._undo: list[tuple[MutableMapping[Any, Any], Any, Any]] = []
        # -- as stored
        self.keys: dict[str, None] = {}
        self.runs: dict[str, int] = {}
        self.tasks: dict[int, Row] = {}
        # tasks with a number from elsewhere, by origin (empty for numbers that a team uses here), number and team
        self.outside: defaultdict[tuple[str, int], dict[int, int]] = defaultdict(dict)
        self.entities: set[tuple[str, int]] = set()  # by table and id, those that the caller sees
        self.files: dict[tuple[int, str], int] = {}  # by team and path
        self.teams: dict[int, int] = {}  # the team of each workspace
        self.workspaces: dict[int, int] = {}  # the first workspace of each team
        self.used_ids = {"count": 0}  # of the reserved ids
        self._reserved: list[int] = []
        self._last_before: int | None = None  # the last id before those that were reserved
        self._read_workspaces = False
        # -- changed, each by its identity
        self.new_keys: dict[str, None] = {}
        self.new_tasks: dict[int, None] = {}
        self.changed_tasks: dict[int, None] = {}  # new ones, too
        self.new_numbers: dict[tuple[int, int], int] = {}
        self.new_runs: dict[str, int] = {}
        self.parents: dict[str, str] = {}
        self.apps: dict[tuple[int, str], None] = {}
        self.app_of_task: dict[int, tuple[int, str]] = {}
        self.contents: dict[tuple[int, str], bytes] = {}  # pieces by team and sha256
        self.new_facts: dict[int, dict[str, Any]] = {}  # of tasks, to index
        self.external: dict[tuple[int, str, str, str], str] = {}  # names of other servers' entities
        self.edges: dict[tuple[int, str, str, str, str], tuple[str, str, str | None]] = {}  # key, time, settings
        self.failed_tasks: dict[int, None] = {}  # whose runs failed or were lost
        self.models: dict[tuple[int, str, EntityRef], int] = {}  # tasks by team, model's name and file
        self.logs: dict[int, tuple[int, str, str]] = {}
        self.task_facts: dict[int, tuple[int, str, str]] = {}

    def put(self, rows: MutableMapping[Any, Any], key: Any, value: Any) -> None:
        """Set a value, so that `rollback` sets what was there before."""
        self._undo.append((rows, key, rows.get(key, self)))
        rows[key] = value

    def savepoint(self) -> None:
        """Begin to record changes for `rollback`."""
        self._undo.clear()

    def rollback(self) -> None:
        """Undo the changes since the last savepoint."""
        while self._undo:
            rows, key, before = self._undo.pop()
            if before is self:
                del rows[key]
            else:
                rows[key] = before

    # -- tasks

    @property
    def last_id(self) -> int | None:
        """The last id of a task that was assigned, None if none was reserved."""
        count = self.used_ids["count"]
        return self._reserved[count - 1] if count else self._last_before

    def sees(self, task_id: int) -> bool:
        """Return whether the caller sees a task."""
        teams = self.caller.teams
        return teams is None or self.tasks[task_id]["team_id"] in teams

    def tasks_by_scope(self) -> dict[Scope, tuple[int, ...]]:
        """Return the tasks that the runs and numbers of the changes denote for the caller, by their scopes."""
        by_scope: dict[Scope, tuple[int, ...]] = {scopes.run(key): (task_id,) for key, task_id in self.runs.items()}
        for origin, number in self.outside:
            task_ids = tuple(self._visible_outside(origin, number).values())
            if task_ids and (origin or task_ids != (number,)):
                by_scope[scopes.task(number, origin)] = task_ids
        return by_scope

    def change_task(self, task_id: int, **values: Any) -> None:
        """Change columns of a task."""
        self.put(self.tasks, task_id, {**self.tasks[task_id], **values})
        self.put(self.changed_tasks, task_id, None)

    def task(self, name: ByRun | ByNumber) -> int:
        """Return the id of the task that a change names, created if it is new, to which the caller may add.

        Raises:
            ServerRefused: see `tasks.ensure_for_run`, `tasks.get_or_create` and `tasks.check_author`.
        """
        if isinstance(name, ByRun):
            task_id = self._of_run(name)
        else:
            task_id = self._of_number(name.number, name.origin, name.team, None)
        self._check_author(task_id)
        return task_id

    def _of_run(self, name: ByRun) -> int:
        self._reader.require(scopes.run(name.run))
        task_id = self.runs.get(name.run)
        if task_id is not None:
            if not self.sees(task_id):
                raise NotFound("task", task_id)
            return task_id
        if name.number is None:
            # a run without a number is ours, and so is its task; origin is the server of team and workspace
            task_id = self._add(None, "", *((name.team, name.workspace) if not name.origin else (None, None)))
        else:
            task_id = self._of_number(name.number, name.origin, name.team, name.workspace)
        self.put(self.runs, name.run, task_id)
        self.put(self.new_runs, name.run, task_id)
        return task_id

    def _of_number(self, number: int, origin: str, team: int | None, workspace: int | None) -> int:
        if number < 1:
            raise Invalid(f"{number} is not a task's number")
        task_id = self._at_origin(origin, number) if origin else self._known(number, team)
        if task_id is not None:
            return task_id
        if not origin and number in self.tasks and number not in self.outside["", number].values():
            raise NotFound("task", number)
        return self._add(number, origin, team, workspace)

    def _known(self, number: int, team: int | None) -> int | None:
        """Return the task that a number of this server, or one from elsewhere, denotes for the caller."""
        if team is not None and (task_id := self._visible_outside("", number).get(team)) is not None:
            return task_id
        if number in self.tasks and self.sees(number):
            return number
        return self._at_origin("", number)

    def _at_origin(self, origin: str, number: int) -> int | None:
        by_team = self._visible_outside(origin, number)
        return by_team[min(by_team)] if by_team else None

    def _visible_outside(self, origin: str, number: int) -> dict[int, int]:
        by_team = self.outside.get((origin, number), {})
        return {team: task_id for team, task_id in by_team.items() if self.sees(task_id)}

    def _add(self, number: int | None, origin: str, team: int | None, workspace: int | None) -> int:
        if number is not None:
            self._reader.require(scopes.task(number, origin))
        if not self._read_workspaces:
            self._read_workspaces = True
            self._reader.read(self)
        outside = number if not origin else None
        task_id = outside if outside is not None and outside not in self.tasks else self._free_id()
        team_id, workspace_id = self._workspace_of_new(*((team, workspace) if not origin else (None, None)))
        row: dict[str, Any] = {
            **dict.fromkeys(TASK_COLUMNS),
            "id": task_id,
            "origin": origin,
            "number": number if origin and number is not None else task_id,
            "name": "",
            "team_id": team_id,
            "workspace_id": workspace_id,
            "state": "running",
            "facts": "{}",
            "created_at": self.now,
            "updated_at": self.now,
            "created_by": self.caller.user,
        }
        self.put(self.tasks, task_id, row)
        self.put(self.new_tasks, task_id, None)
        self.put(self.changed_tasks, task_id, None)
        if number is not None:
            self.put(self.outside[origin, number], team_id, task_id)
        if outside is not None:
            self.put(self.new_numbers, (outside, team_id), task_id)
        return task_id

    def _free_id(self) -> int:
        while True:
            count = self.used_ids["count"]
            if count == len(self._reserved):
                before, reserved = self._reader.new_ids(self)
                self._reserved += reserved
                self._last_before = before if self._last_before is None else self._last_before
            else:
                self.put(self.used_ids, "count", count + 1)
                if self._reserved[count] not in self.tasks:
                    return self._reserved[count]

    def _workspace_of_new(self, team: int | None, workspace: int | None) -> tuple[int, int]:
        """Return the team and the workspace of a new task; see `teams.resolve_workspace`."""
        if workspace is not None and workspace in self.teams:
            return self.teams[workspace], workspace
        for team_id in (team, self.caller.default_team):
            if team_id is not None and team_id in self.workspaces:
                return team_id, self.workspaces[team_id]
        raise NotFound("team", team)

    def _check_author(self, task_id: int) -> None:
        self._reader.require(scopes.task(task_id))
        row, who = self.tasks[task_id], self.caller
        if who.since is not None and not (row["created_by"] == who.user and row["created_at"] >= who.since):
            raise not_own("task", task_id)
        if (
            who.teams is not None
            and row["state"] in tasks.CONFIRMED_STATES
            and row["created_by"] not in {None, who.user}
        ):
            raise tasks.ended(task_id)

    # -- entities

    def entity(self, name: EntityName, task_id: int) -> EntityRef:
        """Return the entity that an edge of a task names.

        Raises:
            NotFound: this server has no such entity.
        """
        entity_type = ENTITY_TYPES[name.type]
        team_id = self.tasks[task_id]["team_id"]
        if name.id is None:
            return EntityRef(self.tasks[task_id]["origin"], name.type, self.tasks[task_id]["number"])
        if name.origin:
            self._name_external(team_id, name)
        elif entity_type.is_task:
            assert isinstance(name.id, int)
            row = self.tasks[self._of_number(name.id, "", team_id, None)]
            return EntityRef(row["origin"], name.type, row["number"])
        elif isinstance(name.id, str) and not entity_type.by_path:
            file_id = self.files.get((team_id, name.id))
            if file_id is None:
                raise NotFound("file", name.id)
            return EntityRef("", name.type, file_id)
        elif entity_type.table and (entity_type.table, name.id) not in self.entities:
            raise NotFound(entity_type.reference, name.id)
        return EntityRef(name.origin, name.type, name.id)

    def _name_external(self, team_id: int, name: EntityName) -> None:
        key = (team_id, name.origin, name.type, str(name.id))
        if key not in self.external or (name.name and self.caller.since is None):
            self.put(self.external, key, name.name)
