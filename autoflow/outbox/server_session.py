"""What the sender knows of the server it sends to: which kind it is, and how records are delivered to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from autoflow.outbox.delivery import Delivery, InstanceDelivery, Judge, ServerDelivery
from autoflow.outbox.lookups import Lookups, ServerIdentity, probe
from autoflow.outbox.record_resolver import RecordResolver
from autoflow.transport.base import Transport

IDENTITY_SECONDS = 60.0  # after which the server is asked again what it is


class ServerSession:
    """Identifies a server, and again after each failure; from success to failure it is one session.

    Args:
        transport: how to reach it.
        origin: the destination's origin.
        insists: see `Judge`.
    """

    def __init__(self, transport: Transport, origin: str, insists: Callable[[], bool]) -> None:
        self.tasks: dict[str, int] = {}  # run key -> task number, as our server gave it
        self.is_autoflow: bool | None = None  # whether it is our server, once known
        self._transport = transport
        self._origin = origin
        self._insists = insists
        self._server: ServerIdentity | None = None
        self._identify_at = 0.0  # monotonic seconds
        self._delivery: Delivery | None = None
        self._lookups: Lookups | None = None

    def delivery(self) -> Delivery:
        """The way to deliver; asks the server what it is, at first, after a failure, and now and then.

        Raises:
            ServerError: no server of either kind answers.
        """
        if self._delivery is not None and time.monotonic() < self._identify_at:
            return self._delivery
        server = probe(self._transport)
        self._identify_at = time.monotonic() + IDENTITY_SECONDS
        if self._delivery is None or server != self._server:
            self._server = server
            self.is_autoflow = server.is_autoflow
            self._lookups = Lookups(self._transport)
            completion = RecordResolver(server, self._lookups, self._origin)
            judge = Judge(self._transport, server, self._insists)
            self._delivery = (
                ServerDelivery(self._transport, completion, self._remember, judge)
                if server.is_autoflow
                else InstanceDelivery(self._transport, completion, judge)
            )
        return self._delivery

    def new_batch(self) -> None:
        """Forget what lookups answered for the batch before."""
        if self._lookups is not None:
            self._lookups.new_batch()

    def end(self) -> None:
        """Identify the server anew before the next record: after a failure it may be another."""
        self._delivery = None

    def _remember(self, tasks: Mapping[str, int]) -> None:
        self.tasks.update(tasks)
        while len(self.tasks) > Lookups.KEEP:
            self.tasks.pop(next(iter(self.tasks)))
