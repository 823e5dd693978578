"""Leases of running backups: while one is active, garbage collection deletes no blob.

They are rows of `upload_leases` whose keys have a prefix that no generation of a file has. A backup takes its lease
before it reads a snapshot, and the collector checks for leases in the transaction that deletes rows of blobs. So each
blob that the snapshot names stays until it is copied.
"""

from __future__ import annotations

import contextlib
import secrets
import time

from sqlalchemy import Connection, delete, insert, select, update

from autoflow.errors import ServerBusy
from autoflow.server.db import clock
from autoflow.server.db.engine import Store
from autoflow.server.db.schema import upload_leases
from autoflow.server.db.upload_leases import LEASE

_PREFIX = "backup:"
_RENEWALS = 15  # in a lease


class BackupLease:
    """The lease of one backup, active until `end` or for `LEASE` seconds after the last renewal."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key = _PREFIX + secrets.token_hex(8)
        self._renewed = time.monotonic()
        with store.write(count_change=False) as conn:
            self._insert(conn)

    def _insert(self, conn: Connection) -> None:
        conn.execute(insert(upload_leases).values(key=self._key, lease_until=clock.after(conn, LEASE)))

    def renew_if_due(self) -> None:
        """Renew the lease if a renewal is due; ignore a failure, which the next renewal repeats.

        A lease that has ended begins again. Content that was collected meanwhile is noticed when it is copied.
        """
        now = time.monotonic()
        if now < self._renewed + LEASE / _RENEWALS:
            return
        self._renewed = now
        with contextlib.suppress(ServerBusy), self._store.write(count_change=False) as conn:
            own = upload_leases.c.key == self._key
            if (
                conn.execute(update(upload_leases).where(own).values(lease_until=clock.after(conn, LEASE))).rowcount
                == 0
            ):
                self._insert(conn)

    def end(self) -> None:
        """End the lease; ignore a failure, as it expires by itself."""
        with contextlib.suppress(ServerBusy), self._store.write(count_change=False) as conn:
            conn.execute(delete(upload_leases).where(upload_leases.c.key == self._key))


def is_backup_running(conn: Connection) -> bool:
    """Return whether a backup has an active lease."""
    active = clock.is_active(conn, upload_leases.c.lease_until, LEASE)
    query = select(upload_leases.c.key).where(upload_leases.c.key.like(f"{_PREFIX}%"), active)
    return conn.execute(query.limit(1)).first() is not None
