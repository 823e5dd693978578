"""Tasks: the server's numbers for runs.

A number that the server assigns is the row's id. A number from outside belongs to a team: `task_numbers` maps it to the
team's task. It is also that task's id, unless another task has it. Another server's number is stored beside an id of
ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, func, insert, select, update

from autoflow.model.entity import EntityRef
from autoflow.server import timestamps
from autoflow.server.db import counters, json_codec, run_values, scopes, teams, webhooks
from autoflow.server.db.access import caller, can_see, check_own, check_visible, visible
from autoflow.server.db.json_rows import among
from autoflow.server.db.schema import apps, edges, logs, runs, task_facts, task_numbers, tasks
from autoflow.server.db.upsert import insert_or_ignore
from autoflow.server.errors import Conflict, Invalid, NotFound
from autoflow.server.paging import chunks

STATES = ("running", "finished", "failed", "ended", "lost")
FAILURES = ("failed", "lost")
CONFIRMED_STATES = ("finished", "failed", "ended")  # a takeover's guess never overwrites these
FINAL_FOR: Mapping[str, tuple[str, ...]] = {
    "lost": CONFIRMED_STATES,
    "ended": ("finished", "failed"),
}  # by new state, the states that it does not replace

# Executed for every record: compiled once.
_OF_RUN = select(runs.c.task_id).where(runs.c.key == bindparam("key"))


def listing(conn: Connection) -> Select[Any]:
    """Return a query for all tasks, each with its app's name."""
    query = select(tasks, apps.c.name.label("app_name")).join_from(tasks, apps, isouter=True)
    return query.where(visible(conn, tasks))


def get(conn: Connection, number: int) -> RowMapping:
    """Return a task by id, or by a number that a team uses for it.

    Raises:
        NotFound: there is none.
    """
    row = conn.execute(listing(conn).where(tasks.c.id == number)).mappings().one_or_none()
    if row is None and (task_id := _task_of_outside_number(conn, number)) is not None:
        row = conn.execute(listing(conn).where(tasks.c.id == task_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("task", number)
    return row


def get_or_draft(conn: Connection, number: int) -> Mapping[Any, Any]:
    """Return a task as `get` does; for a number from elsewhere that no task has, the row that `get_or_create` would
    insert, of which nothing is stored: its `state` is None.

    Raises:
        NotFound: it cannot be a task's number, or this server assigned it to another team's task.
    """
    try:
        return get(conn, number)
    except NotFound:
        if not _is_claimable(conn, number):
            raise
    empty = dict.fromkeys(tasks.columns.keys(), None)
    return {**empty, **_values(conn, number, "", number, None, None), "app_name": None, "name": "", "facts": "{}"}


def _task_of_outside_number(conn: Connection, number: int, team: int | None = None) -> int | None:
    """Return the id of the task that a number from elsewhere denotes for a team, by default for any of the caller's."""
    query = select(task_numbers.c.task_id).join(tasks, tasks.c.id == task_numbers.c.task_id)
    query = query.where(task_numbers.c.number == number, visible(conn, tasks))
    if team is not None:
        query = query.where(task_numbers.c.team_id == team)
    return conn.execute(query.order_by(task_numbers.c.team_id).limit(1)).scalar()


def _known(conn: Connection, number: int, team: int | None) -> int | None:
    """Return the id of the task that a number of this server, or one from elsewhere, denotes for the caller."""
    if team is not None and (task_id := _task_of_outside_number(conn, number, team)) is not None:
        return task_id
    own = conn.execute(select(tasks.c.id).where(tasks.c.id == number, visible(conn, tasks))).scalar()
    return own if own is not None else _task_of_outside_number(conn, number)


def _at_origin(conn: Connection, origin: str, number: int) -> int | None:
    """Return the id of the caller's task with a number at another server."""
    query = select(tasks.c.id).where(tasks.c.origin == origin, tasks.c.number == number, visible(conn, tasks))
    return conn.execute(query.order_by(tasks.c.team_id).limit(1)).scalar()


def tasks_of_cards(conn: Connection, refs: Iterable[EntityRef]) -> dict[int, str]:
    """Return the keys of those cards that are tasks visible to the caller, by the task's id."""
    numbers: dict[str, list[int]] = {}
    for ref in refs:
        if ref.type == "task" and isinstance(ref.id, int):
            numbers.setdefault(ref.origin, []).append(ref.id)
    keys: dict[int, str] = {}
    for origin, own in numbers.items():  # pairs of values would make SQLite read the whole table
        for part in chunks(own):
            query = select(tasks.c.id, tasks.c.number).where(
                tasks.c.origin == origin, among(conn, tasks.c.number, part)
            )
            for row in conn.execute(query.where(visible(conn, tasks))):
                keys[row.id] = EntityRef(origin, "task", row.number).key
    return keys


def _exists(conn: Connection, number: int) -> bool:
    return conn.execute(select(tasks.c.id).where(tasks.c.id == number)).first() is not None


def assign_ids(conn: Connection, count: int) -> list[int]:
    """Take ids for new tasks, in order; the transaction holds the scopes of these tasks afterwards.

    Ids that tasks with numbers from elsewhere have, or are about to have, are skipped.
    """
    assigned: list[int] = []
    while len(assigned) < count:
        reserved = list(counters.reserve(conn, counters.TASK, count - len(assigned)))
        locked = scopes.try_lock(conn, list(map(scopes.task, reserved)))
        numbers = [number for number in reserved if scopes.task(number) in locked]
        used = {number for part in chunks(numbers) for number in conn.execute(_ids_in(part)).scalars()}
        assigned += [number for number in numbers if number not in used]
        if used and len(assigned) < count:
            _skip_used(conn, max(used))
    return assigned


def _ids_in(numbers: Sequence[int]) -> Select[Any]:
    return select(tasks.c.id).where(tasks.c.id.in_(numbers))


def _skip_used(conn: Connection, number: int) -> None:
    """Advance the counter to before the first unused id after a used one."""
    following = tasks.alias()
    gap = ~select(following.c.id).where(following.c.id == tasks.c.id + 1).exists()
    last_used = conn.execute(select(tasks.c.id).where(tasks.c.id >= number, gap).order_by(tasks.c.id).limit(1)).scalar()
    reached = counters.value(conn, counters.TASK)
    if last_used is not None and last_used > reached:
        counters.advance(conn, counters.TASK, last_used - reached)


def add(
    conn: Connection,
    *,
    number: int | None = None,
    origin: str = "",
    team: int | None = None,
    workspace: int | None = None,
) -> int:
    """Insert a task; return its id. `number` is its number at `origin`, None for a new one of this server."""
    if number is not None:
        scopes.require(conn, scopes.task(number, origin))
    outside = number if not origin else None
    own = outside if outside is not None and not _exists(conn, outside) else assign_ids(conn, 1)[0]
    shown_number = number if origin and number is not None else own
    values = _values(conn, own, origin, shown_number, *((team, workspace) if not origin else (None, None)))
    conn.execute(insert(tasks).values(values))
    if outside is not None:
        conn.execute(insert(task_numbers).values(team_id=values["team_id"], number=outside, task_id=own))
    return own


def _values(
    conn: Connection, task_id: int, origin: str, number: int, team: int | None, workspace: int | None
) -> dict[str, Any]:
    """Return the columns of a new task that have no default."""
    team_id, workspace_id = teams.resolve_workspace(conn, team, workspace)
    now = timestamps.now()
    return {
        "id": task_id,
        "origin": origin,
        "number": number,
        "team_id": team_id,
        "workspace_id": workspace_id,
        "created_at": now,
        "updated_at": now,
        "created_by": caller(conn).user,
    }


def get_or_create(
    conn: Connection, number: int, origin: str = "", team: int | None = None, workspace: int | None = None
) -> int:
    """Return the id of the caller's task with a number from elsewhere, creating the task if it is new.

    Raises:
        Invalid: it is not positive.
        NotFound: this server has assigned it to another team's task.
    """
    if number < 1:
        raise Invalid(f"{number} is not a task's number")
    task_id = _at_origin(conn, origin, number) if origin else _known(conn, number, team)
    if task_id is not None:
        return task_id
    if not origin and not _is_claimable(conn, number):
        raise NotFound("task", number)
    return add(conn, number=number, origin=origin, team=team, workspace=workspace)


def _is_claimable(conn: Connection, number: int) -> bool:
    """Return whether a number that no task of the caller's has can become one's: this server has not assigned it."""
    return number > 0 and (not _exists(conn, number) or _is_outside(conn, number))


def _is_outside(conn: Connection, number: int) -> bool:
    """Return whether a task's id is a number from elsewhere."""
    query = select(task_numbers.c.task_id).where(task_numbers.c.number == number, task_numbers.c.task_id == number)
    return conn.execute(query.limit(1)).first() is not None


def check_author(conn: Connection, task_id: int) -> None:
    """Check that the caller may add records to a task: once it has ended, only the user who started it may.

    Raises:
        Conflict: it has ended and belongs to another user.
        Forbidden: the caller's token is for another reproduction.
        Busy: the transaction does not hold the lock of the task's scope.
    """
    scopes.require(conn, scopes.task(task_id))
    check_own(conn, tasks, "task", task_id)
    who = caller(conn)
    if who.teams is None:
        return
    row = conn.execute(select(tasks.c.state, tasks.c.created_by).where(tasks.c.id == task_id)).one()
    if row.state in CONFIRMED_STATES and row.created_by not in {None, who.user}:
        raise ended(task_id)


def ended(task_id: int) -> Conflict:
    """Return the error for an addition to an ended task by another user; see `check_author`."""
    return Conflict(f"task {task_id} has ended, and another user started it: nothing can be added to it")


def find_by_run(conn: Connection, key: str) -> int | None:
    """Return the task of a run, None if the run is unknown."""
    task_id = conn.execute(_OF_RUN, {"key": key}).scalar()
    return task_id if task_id is None or can_see(conn, tasks, task_id) else None


def ensure_for_run(
    conn: Connection,
    key: str,
    *,
    number: int | None = None,
    origin: str = "",
    team: int | None = None,
    workspace: int | None = None,
) -> int:
    """Return the task of a run, creating it at the first call; later calls return the same task.

    Raises:
        NotFound: the run belongs to another team.
    """
    scopes.require(conn, scopes.run(key))
    existing = conn.execute(_OF_RUN, {"key": key}).scalar()
    if existing is not None:
        check_visible(conn, tasks, "task", existing)
        return int(existing)
    if number is None:
        # a run without a number is ours, and so is its task; origin is the server of team and workspace
        mine = (team, workspace) if not origin else (None, None)
        task_id = add(conn, team=mine[0], workspace=mine[1])
    else:
        task_id = get_or_create(conn, number, origin, team, workspace)
    conn.execute(
        insert(runs).values(key=key, task_id=task_id, created_at=timestamps.now(), created_by=caller(conn).user)
    )
    return task_id


def set_name(conn: Connection, task_id: int, text: str) -> None:
    """Set a task's name and its app, which is identified by team and name."""
    if not text:
        return
    team_id = conn.execute(select(tasks.c.team_id).where(tasks.c.id == task_id)).scalar_one()
    insert_or_ignore(conn, apps, team_id=team_id, name=text, created_by=caller(conn).user)
    app_id = select(apps.c.id).where(apps.c.team_id == team_id, apps.c.name == text).scalar_subquery()
    conn.execute(update(tasks).where(tasks.c.id == task_id).values(name=text, app_id=app_id))


def start(conn: Connection, task_id: int, timestamp: str) -> None:
    """Record the start of a task's run; facts of a run that has ended are moved to `task_facts`."""
    before = conn.execute(select(tasks.c.state, tasks.c.facts).where(tasks.c.id == task_id)).one()
    if before.state != "running" and before.facts != "{}":
        _keep_facts(conn, task_id, before.facts, timestamp)
    values = {"state": "running", "error": None, "finished_at": None, "updated_at": timestamp}
    conn.execute(update(tasks).where(tasks.c.id == task_id).values(started_at=timestamp, **values))


def finish(conn: Connection, task_id: int, state: str, error: str | None, timestamp: str) -> None:
    """Record the end of a task's run; a state reported by the run itself is not overwritten by others' guesses."""
    before = conn.execute(select(tasks.c.state).where(tasks.c.id == task_id)).scalar()
    query = update(tasks).where(tasks.c.id == task_id, tasks.c.state.not_in(FINAL_FOR.get(state, ())))
    changed = conn.execute(query.values(state=state, error=error, finished_at=timestamp, updated_at=timestamp)).rowcount
    if changed and state in FAILURES and state != before:
        notify_failed(conn, task_id)


def notify_failed(conn: Connection, task_id: int) -> None:
    """Add the event of a run that failed or was lost."""
    row = conn.execute(select(tasks).where(tasks.c.id == task_id)).mappings().one()
    data = {
        "ref": f"task:{row['number']}" + (f"@{row['origin']}" if row["origin"] else ""),
        "task": task_id,
        "name": row["name"],
        "state": row["state"],
        "error": row["error"],
        "link": f"/apps/sessions/{task_id}",
    }
    webhooks.notify(conn, row["team_id"], webhooks.RUN_FAILED, data)


def last_records(conn: Connection, numbers: Iterable[int]) -> dict[int, str]:
    """Return the time of the last record of each running task among these, by id."""
    last_edge = select(func.max(edges.c.id)).where(edges.c.task_id == tasks.c.id).correlate(tasks).scalar_subquery()
    at_edge = select(edges.c.at).where(edges.c.id == last_edge).correlate(tasks).scalar_subquery()
    log = select(logs.c.at).where(logs.c.task_id == tasks.c.id).order_by(logs.c.id.desc()).limit(1)
    at_log = log.correlate(tasks).scalar_subquery()
    latest: dict[int, str] = {}
    for part in chunks(list(numbers)):
        query = select(tasks.c.id, tasks.c.updated_at, at_edge, at_log)
        for number, *times_ in conn.execute(query.where(tasks.c.id.in_(part), tasks.c.state == "running")):
            latest[number] = max(at for at in times_ if at is not None)
    return latest


def add_facts(conn: Connection, task_id: int, facts: Mapping[str, Any], timestamp: str) -> None:
    """Add facts to a task. While it runs, later values replace earlier ones; once it has ended, values that differ are
    stored beside its facts, in `task_facts`.
    """
    if not facts:
        return
    row = conn.execute(select(tasks.c.facts, tasks.c.state).where(tasks.c.id == task_id)).one()
    before = json_codec.load(row.facts)
    if row.state != "running":
        changed = {name: value for name, value in facts.items() if name in before and before[name] != value}
        if changed:
            _keep_facts(conn, task_id, json_codec.dump(changed), timestamp)
        facts = {name: value for name, value in facts.items() if name not in before}
    text = json_codec.dump({**before, **facts})
    conn.execute(update(tasks).where(tasks.c.id == task_id).values(facts=text))
    run_values.index(conn, task_id, facts)


def _keep_facts(conn: Connection, task_id: int, text: str, timestamp: str) -> None:
    conn.execute(insert(task_facts).values(task_id=task_id, at=timestamp, facts=text, created_by=caller(conn).user))


def other_facts(conn: Connection, task_id: int, limit: int) -> list[RowMapping]:
    """Return facts beside a task's current ones (``at``, ``facts``, ``created_by``), the newest first."""
    query = select(task_facts).where(task_facts.c.task_id == task_id).order_by(task_facts.c.id.desc())
    return list(conn.execute(query.limit(limit)).mappings())


def append_log(conn: Connection, task_id: int, timestamp: str, lines: str) -> None:
    """Append lines to a task's log."""
    conn.execute(insert(logs).values(task_id=task_id, at=timestamp, lines=lines, created_by=caller(conn).user))


def read_log(conn: Connection, task_id: int, since: str = "") -> list[RowMapping]:
    """Return a task's log after a time: ``at`` and ``lines``, in the order of writing."""
    query = select(logs.c.at, logs.c.lines).where(logs.c.task_id == task_id, logs.c.at > since)
    return list(conn.execute(query.order_by(logs.c.id)).mappings())
