"""The session with a server: identifying it, and classifying failures by when to try again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

from autoflow.errors import NotAllowed, ServerError, ServerExtraMissing, ServerRefused
from autoflow.outbox.backoff import Backoff
from autoflow.outbox.delivery import Delivery, InstanceDelivery, Judge, ServerDelivery
from autoflow.outbox.lookups import Lookups, ServerIdentity, probe
from autoflow.outbox.record_resolver import RecordResolver
from autoflow.process.rate_limited_log import RateLimitedLogger
from autoflow.transport.base import Transport

IDENTITY_SECONDS = 60.0  # after which the server is identified again
REFUSED_SECONDS = 60.0  # between tries while the server refuses all requests


class ServerSession:
    """Identifies a server, at first and after each failure; one session lasts from success to failure.

    Args:
        transport: how to reach it.
        origin: the destination's origin.
        log: for what users should know.
    """

    def __init__(self, transport: Transport, origin: str, log: RateLimitedLogger) -> None:
        self.origin = origin
        self.tasks: dict[str, int] = {}  # run key -> task number, as our server gave it
        self.is_autoflow: bool | None = None  # whether it is our server, once known
        self.backoff = Backoff()
        self._transport = transport
        self._log = log
        self._server: ServerIdentity | None = None
        self._identify_at = 0.0  # monotonic seconds
        self._delivery: Delivery | None = None
        self._lookups: Lookups | None = None
        self._refused_token: int | None = None  # fingerprint of the token with which all requests were refused

    # -- when to try

    def wait(self, *, urgent: bool = False) -> float:
        """Return the seconds until the next try; see `Backoff.wait`."""
        return self.backoff.wait(urgent=urgent)

    def attempt(self, send: Callable[[], None], *, urgent: bool) -> bool:
        """Call `send`, if it is time; return whether it raised no `ServerError`."""
        if self._refused_token is not None and self._refused_token != self._transport.token_fingerprint():
            self.succeeded()
        if self.wait(urgent=urgent) > 0:
            return False
        try:
            send()
        except ServerExtraMissing as error:
            self._log.once("extra", "%s; records wait in the outbox", error, level=logging.INFO)
            self.backoff.failed(pause=REFUSED_SECONDS)
        except ServerRefused as refusal:
            if refusal.foreign:
                self._unavailable(refusal)
            else:  # all requests are refused; a refusal of one record is a result of its delivery
                self._refused(refusal)
        except ServerError as error:
            self._unavailable(error)
        else:
            return True
        self._delivery = None  # after a failure it may be another server
        return False

    def _refused(self, refusal: ServerRefused) -> None:
        remedy = (
            "set AUTOFLOW_TOKEN (API_TOKEN for an instance) to a token that may do this"
            if isinstance(refusal, NotAllowed)
            else "check that its address is right and that it is up to date"
        )
        self._log.once(
            "refused", "%s refuses records (%s): %s; records wait in the outbox", self.origin, refusal, remedy
        )
        self._refused_token = self._transport.token_fingerprint()
        self.backoff.failed(pause=REFUSED_SECONDS)

    def _unavailable(self, error: ServerError) -> None:
        """Note that the server did not answer, or that something in between answered for it."""
        self._log.debug("server", "%s: %s; records wait", self.origin, error)
        self.backoff.failed(getattr(error, "retry_after", None))
        if getattr(error, "foreign", False) or self.backoff.open:
            self._log.once("away", "%s is unavailable (%s); records wait in the outbox", self.origin, error)

    def succeeded(self) -> None:
        """Reset the backoff and what was logged: the server takes records."""
        self._refused_token = None
        self.backoff.succeeded()
        self._log.reset()

    # -- identification

    def delivery(self) -> Delivery:
        """Return the way to deliver; identify the server at first, after a failure, and every `IDENTITY_SECONDS`.

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
            resolver = RecordResolver(server, self._lookups, self.origin)
            judge = Judge(self._transport, server, lambda: self.backoff.open)
            self._delivery = (
                ServerDelivery(self._transport, resolver, self._remember, judge)
                if server.is_autoflow
                else InstanceDelivery(self._transport, resolver, judge)
            )
        return self._delivery

    def new_batch(self) -> None:
        """Drop the lookups cached for the previous batch."""
        if self._lookups is not None:
            self._lookups.new_batch()

    def _remember(self, tasks: Mapping[str, int]) -> None:
        self.tasks.update(tasks)
        while len(self.tasks) > Lookups.KEEP:
            self.tasks.pop(next(iter(self.tasks)))
