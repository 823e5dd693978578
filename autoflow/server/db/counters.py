"""Counters: sequences of ids, and the count of writes that pages poll for changes."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import Connection, func, insert, select, update

from autoflow.server.db.schema import counters

CHANGE = "change"
EVERY_TEAM = 0  # writes of a caller without teams, which are visible to all
TASK = "task"
CLASS = "class"  # ids of object classes and tag classes
TAG = "tag"  # ids of tags on images
WRITE = "write"  # the number of write transactions, on SQLite (`db.wal`)
NAMES = (CHANGE, TASK, CLASS, TAG, WRITE)


def seed(conn: Connection) -> None:
    """Insert the counters into a new store."""
    conn.execute(insert(counters), [{"name": name, "value": 0} for name in NAMES])


def add(conn: Connection, name: str, by: int = 1) -> None:
    """Add to a counter; the row stays locked until the transaction ends."""
    conn.execute(update(counters).where(counters.c.name == name).values(value=counters.c.value + by))


def advance(conn: Connection, name: str, by: int = 1) -> int:
    """Add to a counter and return its new value."""
    add(conn, name, by)
    return value(conn, name)


def reserve(conn: Connection, name: str, count: int) -> Iterator[int]:
    """Take consecutive numbers from a counter and return them in order."""
    last = advance(conn, name, count) if count else 0
    return iter(range(last - count + 1, last + 1))


def count_change(conn: Connection, teams: Collection[int] | None) -> None:
    """Count a write for all callers and for the writer's teams; None counts it for every team."""
    names = [CHANGE, *(_change_of(team) for team in (teams if teams is not None else [EVERY_TEAM]))]
    table = counters
    updated = conn.execute(update(table).where(table.c.name.in_(names)).values(value=table.c.value + 1)).rowcount
    if updated < len(names):
        existing = set(conn.execute(select(table.c.name).where(table.c.name.in_(names))).scalars())
        conn.execute(insert(table), [{"name": name, "value": 1} for name in names if name not in existing])


def changes(conn: Connection, teams: Collection[int] | None) -> int:
    """Return the number of writes visible to these teams, None for all writes."""
    if teams is None:
        return value(conn, CHANGE)
    names = [_change_of(team) for team in (*teams, EVERY_TEAM)]
    query = select(func.coalesce(func.sum(counters.c.value), 0)).where(counters.c.name.in_(names))
    return int(conn.execute(query).scalar_one())


def _change_of(team: int) -> str:
    return f"{CHANGE}:{team}"


def value(conn: Connection, name: str) -> int:
    """Return a counter's value."""
    return int(conn.execute(select(counters.c.value).where(counters.c.name == name)).scalar_one())
