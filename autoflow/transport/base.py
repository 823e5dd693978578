"""What every transport can do. Everything above this room speaks to a server through these methods only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from autoflow.wire.parts import Part


class Transport(Protocol):
    """One server.

    Every method raises `ServerUnreachable` when there is no answer, `ServerBusy` when another try is worth while,
    `ServerRefused` (401 and 403: `NotAllowed`) when it is not. Methods may be called from any thread.
    """

    @property
    def origin(self) -> str:
        """Whose numbers this server's answers carry: scheme://host[:port], or ``embedded`` or ``memory``."""
        ...

    def call(self, method: str, body: Mapping[str, Any] | Sequence[Any], *, timeout: float | None = None) -> Any:
        """POST a JSON body to a method and give the JSON answer; `timeout` in seconds, None for the usual one."""
        ...

    def deliver(self, records: Sequence[dict[str, Any]]) -> Mapping[str, Any]:
        """Give our server a batch of records (`wire.records`): the answer of ``autoflow.records.add``."""
        ...

    def upload(self, method: str, parts: Sequence[Part], query: Mapping[str, str | int] | None = None) -> Any:
        """POST a multipart form to a method and give the JSON answer; contents are streamed."""
        ...

    def download(self, method: str, body: Mapping[str, Any]) -> Iterator[bytes]:
        """POST a JSON body to a method and give the answer's bytes in chunks."""
        ...

    def token_fingerprint(self) -> int:
        """A number that changes when the token does, and tells nothing of it."""
        ...

    def close(self) -> None:
        """Give connections back; calling a closed transport again reopens them."""
        ...
