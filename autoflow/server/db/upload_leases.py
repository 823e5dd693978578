"""Who is writing files that no row names yet: a row for each such process, with a lease it renews while it works.

A file's generation begins with its session's key. A file without a row, whose session is over, is nobody's: the
session's row is gone, none ever gets its key again, and a transaction that names a file sees that the session's lease
holds. So no file's age has to be guessed at. A process begins a new session now and then: what an upload that failed
left behind is nobody's soon, also while the process lives.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import time

from sqlalchemy import Connection, delete, insert, update

from autoflow.errors import ServerBusy
from autoflow.process.forks import ProcessLock
from autoflow.server.db import clock
from autoflow.server.db.engine import Store
from autoflow.server.db.schema import upload_leases
from autoflow.server.errors import Busy

LEASE = 15 * 60.0  # seconds
_RENEWALS = 15  # in a lease
_KEY = 12  # hexadecimal digits


def lease_key(generation: str) -> str:
    """The session that a generation begins with; what has none is given one that never was."""
    return generation.partition("-")[0]


class UploadLease:
    """One session of this process."""

    def __init__(self, store: Store) -> None:
        self.key = secrets.token_hex(_KEY // 2)
        self.begun = time.monotonic()
        self.over = False
        self.pid = os.getpid()
        self._store = store
        self._numbers = itertools.count(1)
        self._renewed = self.begun
        with store.write(count_change=False) as conn:
            conn.execute(insert(upload_leases).values(key=self.key, lease_until=clock.after(conn, LEASE)))

    def generation(self) -> str:
        """A generation never used before."""
        return f"{self.key}-{next(self._numbers):x}"

    def keep(self) -> None:
        """Renew the lease when it is time; one that fails is passed over: that it held is seen when files are named."""
        moment = time.monotonic()
        if moment < self._renewed + LEASE / _RENEWALS:
            return
        self._renewed = moment
        with contextlib.suppress(ServerBusy), self._store.write(count_change=False) as conn:
            self.hold(conn)

    def hold(self, conn: Connection) -> None:
        """See that the lease holds, and begin it anew.

        Raises:
            ServerBusy: it does not: what was written under it may be gone. Sent again, it is written again.
        """
        held = update(upload_leases).where(
            upload_leases.c.key == self.key, upload_leases.c.lease_until > clock.now(conn)
        )
        self.over = conn.execute(held.values(lease_until=clock.after(conn, LEASE))).rowcount == 0
        if self.over:
            raise Busy("the upload took too long, or its process was held up; send it again")


class UploadLeases:
    """The sessions of this process over one store; safe from any thread, and in forked children."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = ProcessLock()
        self._lease: UploadLease | None = None

    def lease(self) -> UploadLease:
        """The session to write under now, begun when there is none, or its time is over.

        Raises:
            ServerBusy: the database does not take it now.
        """
        with self._lock:
            lease = self._lease
            if lease is not None:
                lease.keep()
            if lease is None or lease.over or lease.pid != os.getpid() or time.monotonic() > lease.begun + LEASE:
                lease = self._lease = UploadLease(self._store)
            return lease


def delete_expired(conn: Connection) -> int:
    """Remove the sessions whose lease is over; gives how many."""
    return conn.execute(
        delete(upload_leases).where(~clock.is_active(conn, upload_leases.c.lease_until, LEASE))
    ).rowcount
