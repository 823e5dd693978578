"""The identity of a store: a random id in its database, and marks of it outside of the database.

A mark is kept with the blobs, and in a file on each machine that serves the store. It contains the store's id, the
value of the change counter and the last ids assigned. It is written after the database has committed. So a database
whose counter is lower than its mark's is an older copy, and a database without the mark's id belongs to another store
or replaces a lost one.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from sqlalchemy import Connection, insert, inspect, select, text

from autoflow.errors import StoreUnavailable
from autoflow.server import timestamps
from autoflow.server.db import counters, schema
from autoflow.server.db.schema import identity

DAMAGED = "damaged"
LOST = "lost"
FOREIGN = "foreign"
OLDER = "older"
BLOBS_LOST = "blobs-lost"
FOREIGN_LOG = "foreign-log"

MARGIN = 1000  # ids skipped after the last one in a mark: they may have been assigned since it was written


class Identity(NamedTuple):
    """The identity stored in a database: its id, whether its blobs were marked with it, and its change counter."""

    key: str
    marked: bool
    changes: int


class Mark(NamedTuple):
    """The record of a store that is kept outside of its database.

    Args:
        key: the store's id.
        changes: the change counter when the mark was written.
        numbers: the last id assigned, by table or counter.
    """

    key: str
    changes: int
    numbers: Mapping[str, int] = {}

    def encode(self) -> bytes:
        """Return the mark as one line of JSON."""
        fields = {"store": self.key, "changes": self.changes, "numbers": dict(self.numbers)}
        return json.dumps(fields, sort_keys=True).encode() + b"\n"

    @classmethod
    def decode(cls, content: bytes) -> Mark:
        """Decode a mark; an unreadable one belongs to no store."""
        try:
            fields = json.loads(content)
            numbers = {str(name): int(value) for name, value in fields["numbers"].items()}
            return cls(str(fields["store"]), int(fields["changes"]), numbers)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return cls("(unreadable)", 0)


class Witness(Protocol):
    """A file or an object that keeps a store's mark outside of the database."""

    @property
    def address(self) -> str:
        """Its location, for messages."""
        ...

    @property
    def blobs(self) -> bool:
        """True if it is kept with the store's blobs."""
        ...

    def read(self) -> bytes | None:
        """Return the mark; None if there is none.

        Raises:
            ServerBusy, OSError: it is unavailable.
        """
        ...

    def write(self, mark: bytes) -> None:
        """Replace the mark.

        Raises:
            ServerBusy, OSError: it is unavailable.
        """
        ...

    def is_used(self) -> bool:
        """Return whether blobs are stored there."""
        ...


Marks = Sequence[tuple[Witness, Mark | None]]


def marks_of(witnesses: Iterable[Witness]) -> Marks:
    """Read the marks of all witnesses."""
    contents = [(witness, witness.read()) for witness in witnesses]
    return [(witness, Mark.decode(content) if content is not None else None) for witness, content in contents]


def seed(conn: Connection, key: str | None = None) -> None:
    """Give a new store its id: `key`, or a random one."""
    conn.execute(insert(identity).values(key=key or secrets.token_hex(16), marked=False, created_at=timestamps.now()))


def read(conn: Connection) -> Identity | None:
    """Return the identity in a database; None in a store from before there were ids."""
    inspector = inspect(conn)
    if not inspector.has_table(identity.name):
        return None
    row = conn.execute(select(identity.c.key, identity.c.marked)).first()
    changes = counters.changes(conn, None, sharded=inspector.has_table(schema.change_counts.name))
    return Identity(row.key, row.marked, changes) if row is not None else None


def mark_of(conn: Connection, key: str) -> Mark:
    """Return the mark of a database as it is now."""
    return Mark(key, counters.value(conn, counters.CHANGE), numbers(conn))


def numbers(conn: Connection) -> dict[str, int]:
    """Return the last id assigned by each table and counter."""
    last = {f"counter {name}": counters.value(conn, name) for name in counters.IDS}
    if conn.dialect.name == "sqlite":
        query = "SELECT name, seq FROM sqlite_sequence"
    else:
        query = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema()"
    for name, value in conn.execute(text(query)):
        table = name.removesuffix("_id_seq")
        if table in schema.metadata.tables and value is not None:
            last[table] = int(value)
    return last


def reserve_numbers(conn: Connection, assigned: Mapping[str, int]) -> None:
    """Skip all ids that were assigned according to a mark, or may have been since it was written."""
    now = numbers(conn)
    for name, value in assigned.items():
        target = value + MARGIN
        if now.get(name, 0) >= target:
            continue
        kind, _, counter = name.partition("counter ")
        if not kind and counter in counters.IDS:
            counters.skip_to(conn, counter, target)
        elif name not in schema.metadata.tables or "id" not in schema.metadata.tables[name].c:
            continue
        elif conn.dialect.name == "sqlite":
            values = {"name": name, "target": target}
            conn.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), values)
            conn.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :target)"), values)
        else:
            query = "SELECT setval(pg_get_serial_sequence(:name, 'id'), :target)"
            conn.execute(text(query), {"name": name, "target": target})


def check_identity(
    database: str, remedy: str, database_identity: Identity | None, marks: Marks, expected: str | None = None
) -> None:
    """Compare a database with the marks of its store.

    Args:
        database: its address, for messages.
        remedy: the command that inspects the store, for messages.
        database_identity: the identity in the database; None if it holds no store.
        marks: the marks of the witnesses.
        expected: the id that this process opened before.

    Raises:
        StoreUnavailable: it is lost, another store's, an older copy, or its blobs are missing.
    """
    problem = (
        _why_lost(marks, expected) if database_identity is None else _why_another(database_identity, marks, expected)
    )
    if problem is not None:
        reason, message = problem
        raise StoreUnavailable(reason, f"{database}: {message}. Nothing was changed. To look at it: {remedy}")


def _why_lost(marks: Marks, expected: str | None) -> tuple[str, str] | None:
    """Return why a database without a store must have had one; None if nothing indicates it."""
    for witness, mark in marks:
        if mark is not None:
            return LOST, f"the store {mark.key} is not there, and {witness.address} belongs to it"
    if expected is not None:
        return LOST, f"the store {expected} was there, and is gone"
    for witness, _ in marks:
        if witness.is_used():
            return LOST, f"there is no store, and there are blobs of one in {witness.address}"
    return None


def _why_another(database_identity: Identity, marks: Marks, expected: str | None) -> tuple[str, str] | None:
    """Return why a store is not the expected one; None if it is."""
    if expected is not None and database_identity.key != expected:
        return FOREIGN, f"it was replaced; it is the store {database_identity.key} now, and was the store {expected}"
    for witness, mark in marks:
        if mark is not None and mark.key != database_identity.key:
            return (
                FOREIGN,
                f"it is the store {database_identity.key}, and {witness.address} belongs to the store {mark.key}",
            )
    for witness, mark in marks:
        if mark is not None and mark.changes > database_identity.changes:
            counts = f"{database_identity.changes:,} changes, where {witness.address} had {mark.changes:,}"
            return OLDER, f"it is an older copy of its store, with {counts}"
        if mark is None and witness.blobs and database_identity.marked:
            return BLOBS_LOST, f"its blobs are not in {witness.address}"
    return None
