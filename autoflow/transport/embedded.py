"""The server embedded in this process, called without HTTP. Needs ``autoflow-lineage[server]``."""

from __future__ import annotations

import contextlib
import functools
import logging
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autoflow.distribution import install
from autoflow.errors import ServerBusy, ServerExtraMissing, ServerUnreachable
from autoflow.process import threads
from autoflow.process.forks import ProcessLock, defer_forks
from autoflow.transport import typed
from autoflow.wire.contract.records import RECORDS_ADD, AddRecordsRequest, AddRecordsResponse
from autoflow.wire.parts import Part

if TYPE_CHECKING:
    from autoflow.server.db.access import Caller
    from autoflow.server.server import Server

logger = logging.getLogger("autoflow")

ORIGIN = "embedded"
OPENING_SECONDS = 1.0
DUE_INTERVAL = 3600.0  # seconds between two looks for rules of retention that are due
MAINTENANCE_SECONDS = 5.0  # of work on an erasure


def _apply_rules(server: Server) -> None:
    """Apply rules of retention in a thread, so that the call that met them does not wait."""
    try:
        server.apply_retention(MAINTENANCE_SECONDS)
        server.complete_erasures(MAINTENANCE_SECONDS)
    except Exception:
        logger.debug("autoflow: rules of retention are applied by the next process", exc_info=True)


class EmbeddedTransport:
    """The server in a folder, opened at first use.

    Args:
        folder: folder of the database and the blobs; None when none can be used.
        token: of the reproduction whose command this process is, so that it sees the recorded data.
    """

    origin = ORIGIN

    def __init__(self, folder: str | None, token: str | None = None) -> None:
        self._folder = folder
        self._token = token
        self._server: Server | None = None
        self._opening = ProcessLock()
        self._opened = False  # whether opening has begun
        self._look_at = 0.0  # the monotonic time of the next look for rules that are due

    @property
    def exit_seconds(self) -> float:
        """Seconds that a process that exits may wait for this transport.

        0 before its first use, which imports much and opens a database; `OPENING_SECONDS` while that is under way.
        """
        if self._server is not None:
            return math.inf
        return OPENING_SECONDS if self._opened else 0.0

    def _open(self) -> Server:
        with self._opening:
            if self._server is None:
                self._opened = True
                if self._folder is None:
                    raise ServerUnreachable("there is no folder for the server on this machine; set AUTOFLOW_HOME")
                try:
                    with defer_forks():
                        from autoflow.server.server import Server
                except ImportError as error:
                    raise ServerExtraMissing(
                        f"the server on this machine needs more: {install('server')} ({error})"
                    ) from error
                notes = os.path.join(os.path.dirname(self._folder), "stores")
                self._server = Server.open(self._folder, notes=notes, lazy=True)
            return self._server

    def _caller(self, server: Server) -> Caller:
        """Return the user of the token, else of this process."""
        return server.tokens.caller(self._token) if self._token is not None else server.process_user()

    def call(self, method: str, body: Mapping[str, Any] | Sequence[Any], *, timeout: float | None = None) -> Any:
        """See `Transport.call`; only the database is waited for, so `timeout` has no effect."""
        server = self._open()
        response = server.call(method, body, self._caller(server))
        if self._token is None and time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + DUE_INTERVAL
            with contextlib.suppress(ServerBusy):
                if server.is_retention_due():
                    threads.start(functools.partial(_apply_rules, server), "autoflow-retention")
        return response

    def deliver(self, records: Sequence[Mapping[str, Any]]) -> AddRecordsResponse:
        """See `Transport.deliver`."""
        return typed.call(self, RECORDS_ADD, AddRecordsRequest(records=list(records)))

    def upload(self, method: str, parts: Sequence[Part], query: Mapping[str, str | int] | None = None) -> Any:
        """See `Transport.upload`."""
        server = self._open()
        return server.upload(method, parts, query or {}, self._caller(server))

    def download(self, method: str, body: Mapping[str, Any]) -> Iterator[bytes]:
        """See `Transport.download`."""
        server = self._open()
        return server.download(method, body, self._caller(server))

    def local_paths(self, version: int, hashes: Sequence[str]) -> dict[str, str]:
        """Return the paths of a version's blobs by their hashes, as far as they are files on this machine."""
        from autoflow.wire.contract.folders import FOLDER_PATHS, FolderPathsRequest

        return typed.call(self, FOLDER_PATHS, FolderPathsRequest(id=version, hashes=list(hashes)))["paths"]

    def token_fingerprint(self) -> int:
        """Return 0: there is no token."""
        return 0

    def close(self) -> None:
        """Close the server; the next call opens it again."""
        with self._opening:
            if self._server is not None:
                self._server.close()
                self._server = None
