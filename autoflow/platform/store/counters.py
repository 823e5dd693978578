"""Counters: numbers that only grow, and the count of writes that a live page polls."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, insert, select, update

from autoflow.platform.store.schema import counters

CHANGE = "change"
TASK = "task"
CLASS = "class"  # of a project: of objects and of tags
TAG = "tag"  # put on an image
NAMES = (CHANGE, TASK, CLASS, TAG)


def seed(rows: Connection) -> None:
    """Put the counters into a new store."""
    rows.execute(insert(counters), [{"name": name, "value": 0} for name in NAMES])


def add(rows: Connection, name: str, by: int = 1) -> None:
    """Add to a counter; the row stays locked until the transaction ends."""
    rows.execute(update(counters).where(counters.c.name == name).values(value=counters.c.value + by))


def advance(rows: Connection, name: str, by: int = 1) -> int:
    """Add to a counter and give its new value."""
    add(rows, name, by)
    return value(rows, name)


def reserve(rows: Connection, name: str, count: int) -> Iterator[int]:
    """Take so many numbers of a counter at once; gives them in order."""
    last = advance(rows, name, count) if count else 0
    return iter(range(last - count + 1, last + 1))


def value(rows: Connection, name: str) -> int:
    """A counter's value."""
    return int(rows.execute(select(counters.c.value).where(counters.c.name == name)).scalar_one())
