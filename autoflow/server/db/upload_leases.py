"""Upload leases: a process that writes files which no row names yet holds a row with a lease that it renews.

The generation of a file begins with its lease's key. A file without a row whose lease has ended is garbage: the lease's
row is gone, its key is never used again, and a transaction that registers a file checks that its lease is active. So
garbage collection does not depend on the age of files. A process takes a new lease now and then, so that files of a
failed upload become garbage while the process still runs.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import time

from sqlalchemy import Connection, delete, insert, select, update

from autoflow.errors import ServerBusy
from autoflow.process.forks import ProcessLock
from autoflow.server.db import clock
from autoflow.server.db.engine import Store
from autoflow.server.db.schema import upload_leases
from autoflow.server.errors import Busy

LEASE = 15 * 60.0  # seconds
_RENEWALS = 15  # in a lease
_KEY_DIGITS = 12  # hexadecimal


def lease_key(generation: str) -> str:
    """Return the key of the lease that a file with this generation was written under."""
    return generation.partition("-")[0]


class UploadLease:
    """One lease of this process."""

    def __init__(self, store: Store) -> None:
        self.key = secrets.token_hex(_KEY_DIGITS // 2)
        self.started = time.monotonic()
        self.ended = False
        self.pid = os.getpid()
        self._store = store
        self._numbers = itertools.count(1)
        self._renewed = self.started
        with store.write(scope=(), count_change=False) as conn:
            conn.execute(insert(upload_leases).values(key=self.key, lease_until=clock.after(conn, LEASE)))

    def generation(self) -> str:
        """Return a generation that was never used before."""
        return f"{self.key}-{next(self._numbers):x}"

    def renew_if_due(self) -> None:
        """Renew the lease if a renewal is due; ignore a failure, as registering files checks the lease again."""
        now = time.monotonic()
        if now < self._renewed + LEASE / _RENEWALS:
            return
        self._renewed = now
        with contextlib.suppress(ServerBusy), self._store.write(scope=(), count_change=False) as conn:
            self.check(conn)
            own = upload_leases.c.key == self.key
            conn.execute(update(upload_leases).where(own).values(lease_until=clock.after(conn, LEASE)))

    def check(self, conn: Connection) -> None:
        """Check in a write transaction that the lease is active: it is not deleted until the transaction ends.

        The row is not written, since all uploads of the process share it.

        Raises:
            Busy: the lease has ended, and the files written under it may be gone.
        """
        active = (upload_leases.c.key == self.key, upload_leases.c.lease_until > clock.now(conn))
        self.ended = conn.execute(select(upload_leases.c.key).where(*active)).first() is None
        if self.ended:
            raise Busy("the upload took too long, or its process was held up; send it again")


class UploadLeases:
    """The upload leases of this process for one store; safe from any thread, and in forked children."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = ProcessLock()
        self._lease: UploadLease | None = None

    def current(self) -> UploadLease:
        """Return the lease to write under now, a new one if there is none or it is old.

        Raises:
            ServerBusy: the database cannot be written now.
        """
        with self._lock:
            lease = self._lease
            if lease is not None:
                lease.renew_if_due()
            if lease is None or lease.ended or lease.pid != os.getpid() or time.monotonic() > lease.started + LEASE:
                lease = self._lease = UploadLease(self._store)
            return lease


def delete_expired(conn: Connection) -> int:
    """Delete the leases that have ended; return how many."""
    expired = ~clock.is_active(conn, upload_leases.c.lease_until, LEASE)
    return conn.execute(delete(upload_leases).where(expired)).rowcount
