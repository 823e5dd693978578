"""The server in this process: its own dispatcher, without HTTP. Needs ``autoflow-lineage[server]``."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autoflow.distribution import install
from autoflow.errors import ServerExtraMissing, ServerUnreachable
from autoflow.process.forks import ProcessLock, defer_forks
from autoflow.wire import methods
from autoflow.wire.parts import Part

if TYPE_CHECKING:
    from autoflow.server.server import Server

ORIGIN = "embedded"
OPENING_SECONDS = 1.0


class EmbeddedTransport:
    """The server in a folder, opened at first use.

    Args:
        folder: where the store and the blobs are; None when no folder can be used.
    """

    origin = ORIGIN

    def __init__(self, folder: str | None) -> None:
        self._folder = folder
        self._server: Server | None = None
        self._opening = ProcessLock()
        self._begun = False

    @property
    def exit_seconds(self) -> float:
        """How long a process that leaves may wait for this transport.

        Nothing before its first use, which imports much and opens a database; little while that is under way.
        """
        if self._server is not None:
            return math.inf
        return OPENING_SECONDS if self._begun else 0.0

    def _open(self) -> Server:
        with self._opening:
            if self._server is None:
                self._begun = True
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

    def call(self, method: str, body: Mapping[str, Any] | Sequence[Any], *, timeout: float | None = None) -> Any:
        """See `Transport.call`; there is nothing to wait for but the store, so `timeout` has no use."""
        return self._open().call(method, body)

    def deliver(self, records: Sequence[dict[str, Any]]) -> Mapping[str, Any]:
        """See `Transport.deliver`."""
        answer: Mapping[str, Any] = self._open().call(methods.RECORDS_ADD, {"records": list(records)})
        return answer

    def upload(self, method: str, parts: Sequence[Part], query: Mapping[str, str | int] | None = None) -> Any:
        """See `Transport.upload`."""
        return self._open().upload(method, parts, query or {})

    def download(self, method: str, body: Mapping[str, Any]) -> Iterator[bytes]:
        """See `Transport.download`."""
        return self._open().download(method, body)

    def local_paths(self, version: int, hashes: Sequence[str]) -> dict[str, str]:
        """The files of a version's contents, by their hashes, as far as they are kept in a folder of this machine."""
        found: dict[str, str] = self.call(methods.FOLDER_PATHS, {"id": version, "hashes": list(hashes)})["paths"]
        return found

    def token_fingerprint(self) -> int:
        """There is no token."""
        return 0

    def close(self) -> None:
        """Close the store; it opens again at the next call."""
        with self._opening:
            if self._server is not None:
                self._server.close()
                self._server = None
