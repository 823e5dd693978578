"""Identifying a server: autoflow's or a Supervisely instance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from autoflow.errors import ServerBusy
from autoflow.transport.base import Transport
from autoflow.wire import methods


class ServerIdentity(NamedTuple):
    """The identity that a server reports.

    Args:
        autoflow: the version of autoflow's server; None for an instance.
        version: the version of the instance, or the one that autoflow's server is compatible with.
    """

    autoflow: str | None
    version: tuple[int, ...]


def foreign(method: str) -> ServerBusy:
    """Return the error for a response with status 200 that is not in the format of its method."""
    return ServerBusy(f"{method}: the response is not in the API's format", status=200, foreign=True)


def probe(transport: Transport) -> ServerIdentity:
    """Ask a server what it is.

    Raises:
        ServerError: no server of either kind answered.
    """
    response = transport.call(methods.INSTANCE_VERSION, {})
    version = methods.version_tuple(response.get("version")) if isinstance(response, Mapping) else None
    if version is None:
        raise foreign(methods.INSTANCE_VERSION)
    mark = response.get(methods.AUTOFLOW_MARK, "") if methods.AUTOFLOW_MARK in response else None
    return ServerIdentity(mark if mark is None else str(mark), version)
