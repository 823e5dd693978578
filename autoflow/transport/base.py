"""The protocol of a transport: how everything above this room calls a server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from autoflow.wire.contract.records import AddRecordsResponse
from autoflow.wire.parts import Part


class Transport(Protocol):
    """One server.

    Every method raises `ServerUnreachable` when there is no response, `ServerBusy` when a retry may succeed, and
    `ServerRefused` (401 and 403: `NotAllowed`) when it would not. Methods may be called from any thread.
    """

    @property
    def origin(self) -> str:
        """Server that issued the ids: scheme://host[:port], or ``embedded`` or ``memory``."""
        ...

    def call(self, method: str, body: Mapping[str, Any] | Sequence[Any], *, timeout: float | None = None) -> Any:
        """POST a JSON body to a method and return the JSON response; `timeout` in seconds, None for the default."""
        ...

    def deliver(self, records: Sequence[Mapping[str, Any]]) -> AddRecordsResponse:
        """Send autoflow's server a batch of records (`wire.records`); return its response, unchecked."""
        ...

    def upload(self, method: str, parts: Sequence[Part], query: Mapping[str, str | int] | None = None) -> Any:
        """POST a multipart form to a method and return the JSON response; contents are streamed."""
        ...

    def download(self, method: str, body: Mapping[str, Any]) -> Iterator[bytes]:
        """POST a JSON body to a method and return the response's bytes in chunks."""
        ...

    def token_fingerprint(self) -> int:
        """Return a number that changes when the token does and does not reveal it."""
        ...

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        ...


@runtime_checkable
class LocalStorage(Protocol):
    """A transport to a server that stores its files on this machine."""

    def local_paths(self, version: int, hashes: Sequence[str]) -> dict[str, str]:
        """Return the paths of a version's blobs by their hashes, as far as they are files on this machine."""
        ...
