"""Classify a failed request: is it about the record that was sent, or about the server?

A record becomes a dead letter only by a refusal in the API's own format, from a server that then identifies itself as
the one the records were meant for. A record that something in between refuses while others pass is blocked: it is set
aside and tried again later (`outbox.blocked`). After any other failure the server counts as unavailable, and all
records wait.
"""

from __future__ import annotations

from autoflow.errors import ServerBusy, ServerError, ServerRefused, ServerUnreachable
from autoflow.outbox.destinations.base import DeliveryResult, Undeliverable
from autoflow.outbox.destinations.identification import ServerIdentity, probe
from autoflow.outbox.destinations.record_resolver import UnknownEntity
from autoflow.transport.base import Transport

# raised for a malformed response, or a record that another version of autoflow wrote: it must not hold up the others
MALFORMED = (AttributeError, LookupError, TypeError, ValueError)

# statuses with which a proxy refuses the content of a request; its other statuses mean an unavailable server, at first
_ABOUT_CONTENT = frozenset(range(400, 500)) - {401, 407, 408, 425, 429, 499}


class FailureClassifier:
    """Decides what a failed request says about the record it was for.

    Args:
        transport: how to reach the server.
        server: what the server said it is before anything was sent to it.
    """

    def __init__(self, transport: Transport, server: ServerIdentity) -> None:
        self._transport = transport
        self._server = server
        self.persistent = False  # whether failures that usually mean an unavailable server may be about one record

    def final(self, error: Exception) -> DeliveryResult:
        """Return the result of a record that can never be delivered.

        Raises:
            ServerError: the failure is not about the record, or another server answers now.
        """
        if isinstance(error, ServerRefused):
            if error.concerns_all:
                raise error
            self.identify()
            return DeliveryResult(False, f"{error.status}: {error}")
        if isinstance(error, UnknownEntity):
            self.identify()
        if isinstance(error, Undeliverable):
            return DeliveryResult(False, str(error))
        return DeliveryResult(False, f"the record cannot be read: {type(error).__name__}: {error}")

    def identify(self) -> None:
        """Check that the server is still of the kind it was.

        Raises:
            ServerError: it is not, or does not say.
        """
        if (probe(self._transport).autoflow is None) is not (self._server.autoflow is None):
            raise ServerBusy("the server changed its identity", status=200, foreign=True)

    def suspects(self, error: ServerError) -> bool:
        """Return whether a failure may be about the record, refused by something between here and the server."""
        if isinstance(error, ServerUnreachable):
            return self.persistent
        if not isinstance(error, (ServerBusy, ServerRefused)) or getattr(error, "retry_after", None) is not None:
            return False
        if not error.foreign:  # the server itself fails at it, such as with status 500
            return isinstance(error, ServerBusy) and error.status not in {429, 503} and self.persistent
        return error.status in _ABOUT_CONTENT or self.persistent


def blocked(error: ServerError) -> DeliveryResult:
    """Return the result of a record that is blocked by a failure."""
    status = getattr(error, "status", None)
    return DeliveryResult(False, f"{status}: {error}" if status is not None else str(error), blocked=True)
