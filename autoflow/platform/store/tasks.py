"""Tasks: what runs are numbered by. A number the platform gives is the row's id; a number given from outside is
taken as it is when it is the platform's own, and kept beside an id of ours when it is another server's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, insert, select, update

from autoflow.model.entity import EntityRef
from autoflow.platform import documents, times
from autoflow.platform.paging import chunks
from autoflow.platform.refusals import bad, unknown
from autoflow.platform.store import counters, teams
from autoflow.platform.store.access import check, sees, visible
from autoflow.platform.store.schema import apps, logs, runs, tasks
from autoflow.platform.store.upsert import insert_new

STATES = ("running", "finished", "failed", "ended", "lost")
SURE = ("finished", "failed", "ended")  # what a takeover's guess never overwrites

# Asked for every record: made once.
_OF_RUN = select(runs.c.task_id).where(runs.c.key == bindparam("key"))


def listing(rows: Connection) -> Select[Any]:
    """All tasks, each with its app's name."""
    query = select(tasks, apps.c.name.label("app_name")).join_from(tasks, apps, isouter=True)
    return query.where(visible(rows, tasks))


def get(rows: Connection, number: int) -> RowMapping:
    """A task by its number here.

    Raises:
        ServerRefused: 404, there is none.
    """
    found = rows.execute(listing(rows).where(tasks.c.id == number)).mappings().one_or_none()
    if found is None:
        raise unknown("task", number)
    return found


def at_origin(rows: Connection, origin: str, number: int) -> int | None:
    """The id of the task that has a number at its origin."""
    return rows.execute(select(tasks.c.id).where(tasks.c.origin == origin, tasks.c.number == number)).scalar()


def of_cards(rows: Connection, refs: Iterable[EntityRef]) -> dict[int, str]:
    """The tasks whose cards are among these, as far as the caller sees them: the card's key, by the task's id."""
    numbers: dict[str, list[int]] = {}
    for ref in refs:
        if ref.type == "task" and isinstance(ref.id, int):
            numbers.setdefault(ref.origin, []).append(ref.id)
    found: dict[int, str] = {}
    for origin, own in numbers.items():  # pairs of values would make SQLite read the whole table
        for part in chunks(own):
            query = select(tasks.c.id, tasks.c.number).where(tasks.c.origin == origin, tasks.c.number.in_(part))
            for row in rows.execute(query.where(visible(rows, tasks))):
                found[row.id] = EntityRef(origin, "task", row.number).key
    return found


def _exists(rows: Connection, number: int) -> bool:
    return rows.execute(select(tasks.c.id).where(tasks.c.id == number)).first() is not None


def _free(rows: Connection) -> int:
    """The next number; those that were given from outside are passed over."""
    while _exists(rows, number := counters.advance(rows, counters.TASK)):
        pass
    return number


def add(
    rows: Connection,
    *,
    number: int | None = None,
    origin: str = "",
    team: int | None = None,
    workspace: int | None = None,
) -> int:
    """Make a task; gives its id. `number` is its number at `origin`, None for a new one of ours."""
    own = number if number is not None and not origin else _free(rows)
    team_id, workspace_id = teams.place(rows, *((team, workspace) if not origin else (None, None)))
    moment = times.now()
    rows.execute(
        insert(tasks).values(
            id=own,
            origin=origin,
            number=own if number is None else number,
            team_id=team_id,
            workspace_id=workspace_id,
            created_at=moment,
            updated_at=moment,
        )
    )
    return own


def given(
    rows: Connection, number: int, origin: str = "", team: int | None = None, workspace: int | None = None
) -> int:
    """The task of a number given from outside, made if it is new; gives its id.

    Raises:
        ServerRefused: it can be no task's number, or is that of another team's task.
    """
    if number < 1:
        raise bad(f"{number} is no task's number")
    found = at_origin(rows, origin, number) if origin else (number if _exists(rows, number) else None)
    if found is None:
        return add(rows, number=number, origin=origin, team=team, workspace=workspace)
    check(rows, tasks, "task", found)
    return found


def of_run(rows: Connection, key: str) -> int | None:
    """The task of a run, None when nothing was told of the run yet."""
    found = rows.execute(_OF_RUN, {"key": key}).scalar()
    return found if found is None or sees(rows, tasks, found) else None


def ensure(
    rows: Connection,
    key: str,
    *,
    number: int | None = None,
    origin: str = "",
    team: int | None = None,
    workspace: int | None = None,
) -> int:
    """The task of a run, made at first; the same for ever after, whatever is said later.

    Raises:
        ServerRefused: the run is another team's.
    """
    found = rows.execute(_OF_RUN, {"key": key}).scalar()
    if found is not None:
        check(rows, tasks, "task", found)
        return int(found)
    if number is None:
        # without a number of its own the run is ours, and so is the task; origin says whose the team is
        mine = (team, workspace) if not origin else (None, None)
        task_id = add(rows, team=mine[0], workspace=mine[1])
    else:
        task_id = given(rows, number, origin, team, workspace)
    rows.execute(insert(runs).values(key=key, task_id=task_id, created_at=times.now()))
    return task_id


def descend(rows: Connection, key: str, parent: str) -> None:
    """A run was started by another."""
    rows.execute(update(runs).where(runs.c.key == key).values(parent=parent))


def name(rows: Connection, task_id: int, text: str) -> None:
    """Give a task its name and its app: apps are known by team and name."""
    if not text:
        return
    team_id = rows.execute(select(tasks.c.team_id).where(tasks.c.id == task_id)).scalar_one()
    insert_new(rows, apps, team_id=team_id, name=text)
    app_id = select(apps.c.id).where(apps.c.team_id == team_id, apps.c.name == text).scalar_subquery()
    rows.execute(update(tasks).where(tasks.c.id == task_id).values(name=text, app_id=app_id))


def begin(rows: Connection, task_id: int, moment: str) -> None:
    """A run of this task began."""
    values = {"state": "running", "error": None, "finished_at": None, "updated_at": moment}
    rows.execute(update(tasks).where(tasks.c.id == task_id).values(started_at=moment, **values))


def finish(rows: Connection, task_id: int, state: str, error: str | None, moment: str) -> None:
    """A run of this task ended; that it was lost is only believed while nothing better is known."""
    query = update(tasks).where(tasks.c.id == task_id)
    if state == "lost":
        query = query.where(tasks.c.state.not_in(SURE))
    rows.execute(query.values(state=state, error=error, finished_at=moment, updated_at=moment))


def learn(rows: Connection, task_id: int, facts: Mapping[str, Any]) -> None:
    """Add to what is known of how a task ran; what is said later counts."""
    if not facts:
        return
    before = rows.execute(select(tasks.c.facts).where(tasks.c.id == task_id)).scalar_one()
    text = documents.dump({**documents.load(before), **facts})
    rows.execute(update(tasks).where(tasks.c.id == task_id).values(facts=text))


def customise(rows: Connection, task_id: int, settings: Mapping[str, Any]) -> None:
    """Put settings of the task's own card in place of those it had."""
    rows.execute(update(tasks).where(tasks.c.id == task_id).values(node=documents.dump(settings)))


def log(rows: Connection, task_id: int, moment: str, lines: str) -> None:
    """Add to a task's log."""
    rows.execute(insert(logs).values(task_id=task_id, at=moment, lines=lines))


def logged(rows: Connection, task_id: int, since: str = "") -> list[RowMapping]:
    """A task's log, ``at`` and ``lines``, in the order it was written; from a moment on."""
    query = select(logs.c.at, logs.c.lines).where(logs.c.task_id == task_id, logs.c.at > since)
    return list(rows.execute(query.order_by(logs.c.id)).mappings())
