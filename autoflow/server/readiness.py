"""The checks of the readiness probe. Its report names no address and no content: it is for callers without a token."""

from __future__ import annotations

import threading
import time
from typing import Any, NamedTuple

from autoflow.errors import ServerBusy, StoreUnavailable
from autoflow.server.blobs import BlobStore
from autoflow.server.db import counters, schema, setup
from autoflow.server.db.engine import Store

BLOBS_INTERVAL = 30.0  # seconds between two trial writes to the blob store: a bucket charges for each
PASSED = "ok"


class Health(NamedTuple):
    """The result of the last integrity check; `checked_at` is None before the first one."""

    checked_at: str | None = None
    problems: int = 0


class Readiness:
    """Checks whether a server's database and blob store can be used."""

    def __init__(self, store: Store, blobs: BlobStore) -> None:
        self._store = store
        self._blobs = blobs
        self._lock = threading.Lock()
        self._blobs_due = 0.0
        self._blobs_state = PASSED

    def report(self, health: Health) -> dict[str, Any]:
        """Return the state of each part, and whether the server is ready: all parts but ``integrity`` are ``ok``.

        Damage of single versions leaves the server ready, as all others can be used; a damaged database does not.
        """
        database, revision = self._check_database()
        checks = {"database": database, "schema": self._check_revision(revision), "blobs": self._check_blobs()}
        ready = all(state == PASSED for state in checks.values())
        integrity = "unchecked" if health.checked_at is None else "damaged" if health.problems else PASSED
        return {"ready": ready, "checks": {**checks, "integrity": integrity}, **health._asdict()}

    def _check_database(self) -> tuple[str, str | None]:
        """Return the state of the database, and the revision of its schema."""
        try:
            with self._store.read() as conn:
                counters.value(conn, counters.CHANGE)
                return PASSED, setup.revision_of(conn)
        except StoreUnavailable as error:
            return error.reason, None
        except ServerBusy:
            return "unavailable", None

    def _check_revision(self, revision: str | None) -> str:
        if revision is None:
            return "unknown"
        return PASSED if revision == schema.REVISION else "migrated"

    def _check_blobs(self) -> str:
        with self._lock:
            if time.monotonic() >= self._blobs_due:
                try:
                    self._blobs.check_writable()
                    self._blobs_state = PASSED
                except ServerBusy:
                    self._blobs_state = "not writable"
                self._blobs_due = time.monotonic() + BLOBS_INTERVAL
            return self._blobs_state
