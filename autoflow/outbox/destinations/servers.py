"""The connector to a server: autoflow's or a Supervisely instance, over any transport."""

from __future__ import annotations

import math
from collections.abc import Mapping

from autoflow.outbox.destinations.autoflow_server import AutoflowServer
from autoflow.outbox.destinations.base import Backend, Connector
from autoflow.outbox.destinations.identification import probe
from autoflow.outbox.destinations.instance import Instance
from autoflow.outbox.destinations.lookups import Lookups
from autoflow.process.lru_cache import LruCache
from autoflow.transport.base import Transport


class ServerConnector(Connector):
    """Reaches a server by a transport.

    Args:
        transport: HTTP, embedded, in memory, or one that reaches nothing.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._tasks: LruCache[str, int] = LruCache(Lookups.CACHED_TASKS)  # the server's task numbers by run key

    @property
    def transport(self) -> Transport:
        """See `Connector.transport`."""
        return self._transport

    @property
    def exit_seconds(self) -> float:
        """See `Connector.exit_seconds`."""
        return getattr(self._transport, "exit_seconds", math.inf)

    def identify(self) -> Backend:
        """See `Connector.identify`."""
        identity = probe(self._transport)
        if identity.autoflow is None:
            return Instance(self._transport, identity)
        return AutoflowServer(self._transport, identity, self._remember)

    def task_of(self, run: str) -> int | None:
        """See `Connector.task_of`."""
        return self._tasks.get(run)

    def token_fingerprint(self) -> int:
        """See `Connector.token_fingerprint`."""
        return self._transport.token_fingerprint()

    def _remember(self, tasks: Mapping[str, int]) -> None:
        for run, number in tasks.items():
            self._tasks.put(run, number)
