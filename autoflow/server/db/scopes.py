"""The scopes of write transactions, and their advisory locks on PostgreSQL.

A write names the scopes that it changes: projects, new ones of a workspace, the files of a team, runs and tasks. It
holds the lock of the store in shared mode and those of its scopes exclusively. So writes of different scopes do not
wait for each other, and what a write reads within its scopes stays true until it commits. A write without scopes holds
the lock of the store exclusively. All locks are taken in one order, the store's first, and before the write's own
statements: there are no deadlocks among them.

Rows outside of all scopes (blobs and leases on them, documents, apps, entities of other servers, notes, the audit log)
are only inserted, or changed in ways that commute; those statements are in an order, too. The versions of a model are
numbered under a lock of the model's row, which is the last lock taken.

SQLite has one writer, and ignores scopes.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

from sqlalchemy import Connection

from autoflow.server.db import pipeline
from autoflow.server.db.pipeline import Statement
from autoflow.server.errors import Busy

SCOPED = "autoflow_scoped"  # a transaction's option: it holds the lock of the store in shared mode only
HELD = "autoflow_held_scopes"  # a transaction's option: the scopes whose locks it holds; the whole store without it
MOST = 64  # locks of one transaction, as PostgreSQL's table of locks is bounded; above it the store's is taken

_KEYS = 1 << 31  # of the locks of one kind; scopes that share a key wait for each other in vain, and no more

_TRY_LOCK = (
    "SELECT kind, number FROM unnest(%(kinds)s::int[], %(numbers)s::int[]) AS keys(kind, number) "
    "WHERE pg_try_advisory_xact_lock(kind, number)"
)


class ScopeKind(IntEnum):
    """The kinds of scopes, in the order in which their locks are taken."""

    PROJECT = 1
    FILES = 2
    RUN = 3
    TASK = 4
    WORKSPACE = 5


class Scope(NamedTuple):
    """A part of the store that a write changes.

    Args:
        kind: its kind.
        key: the project's, the team's or the workspace's id, the run's key, or the task's origin and number.
    """

    kind: ScopeKind
    key: str

    @property
    def lock_key(self) -> tuple[int, int]:
        """The two numbers of its advisory lock."""
        number = int(self.key) if self.key.isdecimal() else zlib.crc32(self.key.encode())
        return int(self.kind), number % _KEYS


def project(project_id: int) -> Scope:
    """Return the scope of a project: its rows and those of its datasets, items, definitions and versions."""
    return Scope(ScopeKind.PROJECT, str(project_id))


def files(team_id: int) -> Scope:
    """Return the scope of a team's files."""
    return Scope(ScopeKind.FILES, str(team_id))


def workspace(workspace_id: int) -> Scope:
    """Return the scope of new projects of a workspace: no two get the same name."""
    return Scope(ScopeKind.WORKSPACE, str(workspace_id))


def run(key: str) -> Scope:
    """Return the scope of a run by its key: its row, which may not exist yet."""
    return Scope(ScopeKind.RUN, f"run {key}")


def task(number: int, origin: str = "") -> Scope:
    """Return the scope of a task's id, or of a number that denotes or will denote one: its row, edges and log."""
    return Scope(ScopeKind.TASK, f"{origin} {number}" if origin else str(number))


# The scopes of a request; None for the whole store. It is called before the locks are taken and, as a rule, after it.
ScopeResolver = Callable[[Connection], Collection[Scope] | None]
Scopes = Collection[Scope] | ScopeResolver | None


class ScopeNotHeld(Busy):
    """A transaction would change a scope whose lock it does not hold."""


def lock_statement(scopes: Iterable[Scope]) -> Statement:
    """Return the statement that takes the locks of scopes, in their order."""
    keys = sorted({scope.lock_key for scope in scopes})
    locks = ", ".join(f"pg_advisory_xact_lock({kind}, {number})" for kind, number in keys)
    return f"SELECT {locks}", {}


def hold(conn: Connection, scopes: Collection[Scope]) -> None:
    """Note that a transaction holds the locks of these scopes, and of no others."""
    conn.execution_options(**{HELD: frozenset(scopes)})


def resolve_and_lock(conn: Connection, resolve: ScopeResolver) -> bool:
    """Determine the scopes of a transaction that holds the lock of the store in shared mode, and take their locks.

    Returns:
        False if the scopes changed meanwhile, or are the whole store: the transaction must be begun again.
    """
    wanted = resolve(conn)
    if wanted is None or len(wanted) > MOST:
        return False
    if wanted:
        pipeline.execute(conn, [lock_statement(wanted)])
        if any(scope.kind is not ScopeKind.PROJECT for scope in wanted):  # no row changes its project
            current = resolve(conn)
            if current is None or not set(wanted).issuperset(current):
                return False
    hold(conn, wanted)
    return True


def try_lock(conn: Connection, candidates: Sequence[Scope]) -> set[Scope]:
    """Take the locks of those further scopes that no other transaction holds; return the ones that are held now."""
    held: frozenset[Scope] | None = conn.get_execution_options().get(HELD)
    if held is None:
        return set(candidates)
    further = [scope for scope in candidates if scope not in held]
    kinds, numbers = zip(*(scope.lock_key for scope in further), strict=True) if further else ((), ())
    free = set(pipeline.execute(conn, [(_TRY_LOCK, {"kinds": [*kinds], "numbers": [*numbers]})])[0])
    locked = {scope for scope in further if scope.lock_key in free}
    conn.execution_options(**{HELD: held | locked})
    return locked | held.intersection(candidates)


def require(conn: Connection, scope: Scope) -> None:
    """Check that a transaction holds the lock of a scope.

    Raises:
        ScopeNotHeld: it does not: the row has come into being since the transaction's scopes were determined.
    """
    held: frozenset[Scope] | None = conn.get_execution_options().get(HELD)
    if held is not None and scope not in held:
        raise ScopeNotHeld(f"{scope.kind.name.lower()} {scope.key} was changed meanwhile; send the request again")
