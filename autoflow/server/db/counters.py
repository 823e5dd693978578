"""Counters: numbers that only grow, and the count of writes that a live page polls."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import Connection, func, insert, select, update

from autoflow.server.db.schema import counters

CHANGE = "change"
EVERY_TEAM = 0  # what was written by whoever sees all teams
TASK = "task"
CLASS = "class"  # of a project: of objects and of tags
TAG = "tag"  # put on an image
WRITE = "write"  # transactions, on SQLite: see `store.wal`
NAMES = (CHANGE, TASK, CLASS, TAG, WRITE)


def seed(conn: Connection) -> None:
    """Put the counters into a new store."""
    conn.execute(insert(counters), [{"name": name, "value": 0} for name in NAMES])


def add(conn: Connection, name: str, by: int = 1) -> None:
    """Add to a counter; the row stays locked until the transaction ends."""
    conn.execute(update(counters).where(counters.c.name == name).values(value=counters.c.value + by))


def advance(conn: Connection, name: str, by: int = 1) -> int:
    """Add to a counter and give its new value."""
    add(conn, name, by)
    return value(conn, name)


def reserve(conn: Connection, name: str, count: int) -> Iterator[int]:
    """Take so many numbers of a counter at once; gives them in order."""
    last = advance(conn, name, count) if count else 0
    return iter(range(last - count + 1, last + 1))


def count_change(conn: Connection, teams: Collection[int] | None) -> None:
    """Count a write that pages show: for all, and for the teams of whoever wrote; without teams for each."""
    names = [CHANGE, *(_change_of(team) for team in (teams if teams is not None else [EVERY_TEAM]))]
    table = counters
    written = conn.execute(update(table).where(table.c.name.in_(names)).values(value=table.c.value + 1)).rowcount
    if written < len(names):
        there = set(conn.execute(select(table.c.name).where(table.c.name.in_(names))).scalars())
        conn.execute(insert(table), [{"name": name, "value": 1} for name in names if name not in there])


def changes(conn: Connection, teams: Collection[int] | None) -> int:
    """How many writes there were that somebody in these teams may see; all without teams."""
    if teams is None:
        return value(conn, CHANGE)
    names = [_change_of(team) for team in (*teams, EVERY_TEAM)]
    query = select(func.coalesce(func.sum(counters.c.value), 0)).where(counters.c.name.in_(names))
    return int(conn.execute(query).scalar_one())


def _change_of(team: int) -> str:
    return f"{CHANGE}:{team}"


def value(conn: Connection, name: str) -> int:
    """A counter's value."""
    return int(conn.execute(select(counters.c.value).where(counters.c.name == name)).scalar_one())
