"""Calls of declared methods (`wire.contract`), typed by their declarations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar, cast

from autoflow.transport.base import Transport
from autoflow.wire.contract.method import Method, to_wire
from autoflow.wire.parts import Part

Request = TypeVar("Request")
Response = TypeVar("Response")


def call(
    transport: Transport, method: Method[Request, Response], request: Request, *, timeout: float | None = None
) -> Response:
    """Call a method and return its response; raises as `Transport.call`."""
    return cast("Response", transport.call(method.name, to_wire(request), timeout=timeout))


def upload(transport: Transport, method: Method[Any, Response], parts: Sequence[Part]) -> Response:
    """Call a method with files and return its response; raises as `Transport.upload`."""
    return cast("Response", transport.upload(method.name, parts))


def download(transport: Transport, method: Method[Request, bytes], request: Request) -> Iterator[bytes]:
    """Call a method that returns a file and yield its bytes in chunks; raises as `Transport.download`."""
    return transport.download(method.name, to_wire(request))
