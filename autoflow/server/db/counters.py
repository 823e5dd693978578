"""Counters: ids beside the tables' own, and the count of writes that pages poll for changes.

On SQLite each is a row of `counters`. On PostgreSQL, where writes of different scopes run side by side, no row is
written by all of them: ids come from sequences, and a write is counted in a shard that no other transaction holds.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    bindparam,
    func,
    insert,
    inspect,
    literal,
    select,
    text,
    union_all,
    update,
)

from autoflow.server.db import pipeline
from autoflow.server.db.schema import change_counts, counters

CHANGE = "change"
EVERY_TEAM = 0  # writes of a caller without teams, which are visible to all
NO_TEAM = -1  # writes of a caller in no team, which only callers with access to all see
TASK = "task"
CLASS = "class"  # ids of object classes and tag classes
TAG = "tag"  # ids of tags on images
WRITE = "write"  # the number of write transactions, on SQLite (`db.wal`)
NAMES = (CHANGE, TASK, CLASS, TAG, WRITE)
IDS = (TASK, CLASS, TAG)

# A sequence hands out numbers without waiting for other transactions, but blocks of them may interleave. The lock is
# released with the subtransaction, which is rolled back; sequences are not.
_RESERVE = """
CREATE FUNCTION autoflow_reserve(counter text, numbers bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE last bigint;
BEGIN
    BEGIN
        PERFORM pg_advisory_xact_lock(0, hashtext(counter));
        last := nextval(('counter_' || counter)::regclass) + numbers - 1;
        PERFORM setval(('counter_' || counter)::regclass, last);
        RAISE EXCEPTION USING ERRCODE = 'AF001';
    EXCEPTION WHEN SQLSTATE 'AF001' THEN
        RETURN last;
    END;
END $$
"""

# Of the shards of a team, one that no transaction holds: a write never waits for another to count itself. If there is
# none, the shard of this connection is added.
_COUNT = text(
    "WITH free AS MATERIALIZED (SELECT shard FROM change_counts WHERE team_id = :team LIMIT 1 "
    "FOR NO KEY UPDATE SKIP LOCKED), "
    "counted AS (UPDATE change_counts SET value = value + 1 FROM free "
    "WHERE team_id = :team AND change_counts.shard = free.shard RETURNING value) "
    "INSERT INTO change_counts (team_id, shard, value) "
    "SELECT :team, pg_backend_pid(), 1 WHERE NOT EXISTS (SELECT FROM counted) "
    "ON CONFLICT (team_id, shard) DO UPDATE SET value = change_counts.value + 1"
).bindparams(bindparam("team", type_=BigInteger))
_COUNT_ROWS = "UPDATE counters SET value = value + 1 WHERE name IN (SELECT value FROM json_each(?))"  # on SQLite


def seed(conn: Connection) -> None:
    """Insert the counters into a new store."""
    conn.execute(insert(counters), [{"name": name, "value": 0} for name in NAMES])
    install_sequences(conn)


def install_sequences(conn: Connection) -> None:
    """Create the sequences of PostgreSQL, each after the value of its row in `counters`, which is deleted."""
    if conn.dialect.name == "sqlite":
        return
    for name in IDS:
        last = conn.execute(select(counters.c.value).where(counters.c.name == name)).scalar() or 0
        conn.exec_driver_sql(f"CREATE SEQUENCE counter_{name} START {last + 1}")
        conn.execute(counters.delete().where(counters.c.name == name))
    conn.exec_driver_sql(_RESERVE)


def convert(conn: Connection) -> None:
    """Bring the counters of rows from another database to the form of this one; ids are skipped by `skip_to`."""
    if conn.dialect.name == "sqlite":
        existing = set(conn.execute(select(counters.c.name).where(counters.c.name.in_(NAMES))).scalars())
        missing = [{"name": name, "value": 0} for name in NAMES if name not in existing]
        if missing:
            conn.execute(insert(counters), missing)
    elif inspect(conn).has_sequence(f"counter_{TASK}"):
        conn.execute(counters.delete().where(counters.c.name.in_(IDS)))
    else:
        install_sequences(conn)


def advance(conn: Connection, name: str, by: int = 1) -> int:
    """Take consecutive numbers from a counter of ids; return the last one."""
    if conn.dialect.name == "sqlite":
        conn.execute(update(counters).where(counters.c.name == name).values(value=counters.c.value + by))
        return value(conn, name)
    return int(conn.execute(select(func.autoflow_reserve(name, by))).scalar_one())


def reserve(conn: Connection, name: str, count: int) -> Iterator[int]:
    """Take consecutive numbers from a counter of ids and return them in order."""
    last = advance(conn, name, count) if count else 0
    return iter(range(last - count + 1, last + 1))


def skip_to(conn: Connection, name: str, target: int) -> None:
    """Set a counter of ids to a number that it has not reached, while nobody else writes."""
    if conn.dialect.name == "sqlite":
        conn.execute(update(counters).where(counters.c.name == name).values(value=target))
    else:
        conn.execute(select(func.setval(f"counter_{name}", target)))


def count_change(conn: Connection, teams: Collection[int] | None) -> None:
    """Count a write for all callers and for the writer's teams; None counts it for every team."""
    if conn.dialect.name != "sqlite":
        for team in sorted(teams or [NO_TEAM]) if teams is not None else [EVERY_TEAM]:
            pipeline.defer(conn, _COUNT, {"team": team})
        return
    names = [CHANGE, *(_change_of(team) for team in (teams if teams is not None else [EVERY_TEAM]))]
    if conn.exec_driver_sql(_COUNT_ROWS, (json.dumps(names),)).rowcount < len(names):
        table = counters
        existing = set(conn.execute(select(table.c.name).where(table.c.name.in_(names))).scalars())
        conn.execute(insert(table), [{"name": name, "value": 1} for name in names if name not in existing])


def changes(conn: Connection, teams: Collection[int] | None, *, sharded: bool = True) -> int:
    """Return the number of writes visible to these teams, None for all writes.

    It grows when a write becomes visible, as a shard is written by one transaction at a time and commits with it.

    Args:
        conn: the transaction.
        teams: the teams.
        sharded: False for a store from before there were shards.
    """
    of_teams = sorted({*teams, EVERY_TEAM}) if teams is not None else None
    names = [CHANGE] if of_teams is None else [_change_of(team) for team in of_teams]
    values = [select(counters.c.value).where(counters.c.name.in_(names))]
    if sharded:
        shards = select(change_counts.c.value)
        values.append(shards if of_teams is None else shards.where(change_counts.c.team_id.in_(of_teams)))
    counts = union_all(*values).subquery()
    return int(conn.execute(select(func.coalesce(func.sum(counts.c.value), 0))).scalar_one())


def _change_of(team: int) -> str:
    return f"{CHANGE}:{team}"


def value(conn: Connection, name: str) -> int:
    """Return a counter's value; that of `CHANGE` is the number of all writes."""
    if name == CHANGE:
        return changes(conn, None)
    query: Select[Any] = select(counters.c.value).where(counters.c.name == name)
    if conn.dialect.name != "sqlite":
        query = select(
            func.coalesce(func.pg_sequence_last_value(literal(f"counter_{name}").op("::")(text("regclass"))), 0)
        )
    return int(conn.execute(query).scalar_one())
