"""The transport for an invalid address in the environment: records wait until the address is corrected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from autoflow.errors import ServerUnreachable
from autoflow.wire.contract.records import AddRecordsResponse
from autoflow.wire.parts import Part

ORIGIN = "unresolved"


class UnresolvedTransport:
    """Raises `ServerUnreachable` from every call."""

    origin = ORIGIN

    def _fail(self) -> NoReturn:
        raise ServerUnreachable("the server's address in the environment is invalid; run autoflow doctor")

    def call(self, method: str, body: Mapping[str, Any] | Sequence[Any], *, timeout: float | None = None) -> Any:
        """See `Transport.call`."""
        self._fail()

    def deliver(self, records: Sequence[Mapping[str, Any]]) -> AddRecordsResponse:
        """See `Transport.deliver`."""
        self._fail()

    def upload(self, method: str, parts: Sequence[Part], query: Mapping[str, str | int] | None = None) -> Any:
        """See `Transport.upload`."""
        self._fail()

    def download(self, method: str, body: Mapping[str, Any]) -> Iterator[bytes]:
        """See `Transport.download`."""
        self._fail()

    def token_fingerprint(self) -> int:
        """Return 0: there is no token."""
        return 0

    def close(self) -> None:
        """Do nothing: no connection is open."""
