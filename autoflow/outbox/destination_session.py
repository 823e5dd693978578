"""The session with a destination: identifying its backend, and deciding after a failure when to try again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from autoflow.errors import NotAllowed, ServerError, ServerExtraMissing, ServerRefused
from autoflow.outbox.backoff import Backoff
from autoflow.outbox.destinations.base import Backend, Connector
from autoflow.process.rate_limited_log import RateLimitedLogger

IDENTITY_SECONDS = 60.0  # after which the server is identified again
REFUSED_SECONDS = 60.0  # between tries while the server refuses all requests


class DestinationSession:
    """Identifies a backend, at first and after each failure; one session lasts from success to failure.

    Args:
        connector: how to reach the destination.
        origin: its origin.
        log: for what users should know.
    """

    def __init__(self, connector: Connector, origin: str, log: RateLimitedLogger) -> None:
        self.connector = connector
        self.origin = origin
        self.backoff = Backoff()
        self.backend: Backend | None = None  # as last identified
        self._in_session = False  # whether nothing has failed since
        self._identify_at = 0.0  # monotonic seconds
        self._log = log
        self._refused_token: int | None = None  # fingerprint of the token with which all requests were refused

    # -- when to try

    def wait(self, *, urgent: bool = False) -> float:
        """Return the seconds until the next try; see `Backoff.wait`."""
        return self.backoff.wait(urgent=urgent)

    def attempt(self, send: Callable[[], None], *, urgent: bool) -> bool:
        """Call `send`, if it is time; return whether it raised no `ServerError`."""
        if self._refused_token is not None and self._refused_token != self.connector.token_fingerprint():
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
        self._in_session = False  # after a failure another server may answer
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
        self._refused_token = self.connector.token_fingerprint()
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

    def identified(self) -> Backend:
        """Return the backend; identify it at first, after a failure, and every `IDENTITY_SECONDS`.

        Raises:
            ServerError: nothing answers that the connector knows.
        """
        if self.backend is not None and self._in_session and time.monotonic() < self._identify_at:
            return self.backend
        backend = self.connector.identify()
        self._identify_at = time.monotonic() + IDENTITY_SECONDS
        if self.backend is None or not self._in_session or backend.identity != self.backend.identity:
            self.backend = backend
            self._in_session = True
        return self.backend
