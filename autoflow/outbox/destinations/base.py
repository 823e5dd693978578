"""The protocol of a destination: a connector identifies the backend at an address, and the backend takes records.

The scheme of the address chooses the connector (`registry`); what answers there chooses the backend: a Supervisely
instance and autoflow's server are both reached by http. Members with a value or a body here are optional.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from autoflow.errors import AutoflowError
from autoflow.transport.base import Transport
from autoflow.wire.records import Record, RunMembers

DeliveryState = dict[str, Any]  # JSON, stored with the journal's progress


class DeliveryResult(NamedTuple):
    """The result of a delivery: delivered, blocked for now, or refused for good; the latter two with a reason."""

    delivered: bool
    reason: str = ""
    blocked: bool = False


DELIVERED = DeliveryResult(True)


class NumberedRecord(NamedTuple):
    """A record of a journal (`wire.records`) and its key, which stays the same however often it is sent."""

    key: str
    record: Record


class Undeliverable(AutoflowError):
    """The record can never be delivered; the message is the reason in its dead letter."""


class Backend(Protocol):
    """The server or service at a destination, once it is identified."""

    description: str  # such as "a Supervisely instance, version 6.18.3"
    remedy: str | None = None  # what the user must do before it takes records
    identity: Hashable = None  # as long as it stays equal, the backend is used on
    batch: int = 200  # records a call of `deliver` gets at most
    keeps_logs: bool = True  # whether it wants log records
    own_methods: bool = False  # whether it has autoflow's own methods (``autoflow.*``): it numbers runs, saves versions

    def resolve(self, key: str, record: Record) -> Mapping[str, Any]:
        """Fill in what the call left open, such as the id of an entity named by its path, or fields of card texts.

        Raises:
            Undeliverable: the record can never be delivered, and becomes a dead letter with the error's message.
            ServerError: the backend did not answer; the record waits.
        """
        return record

    def deliver(
        self,
        records: Sequence[NumberedRecord],
        state: DeliveryState,
        *,
        set_aside_before: bool = False,
        circuit_open: bool = False,
    ) -> Iterator[list[DeliveryResult]]:
        """Deliver records; yield results in order, a list whenever that many more records are dealt with.

        A record may be sent again under its key, when a process dies before its result is noted.

        Args:
            records: in the order of their journal.
            state: what to keep of this journal between calls; changed in place.
            set_aside_before: these were blocked before: one that still is need not wait for another to pass.
            circuit_open: so many tries failed in a row that one of these records may be the cause.

        Raises:
            ServerError: the rest was not taken; results that were yielded stand.
        """
        ...

    def task_number(self, run: RunMembers) -> int | None:
        """Return the backend's number for a run, which it assigns if need be; None when it numbers no runs.

        Args:
            run: the members of its records that name it.

        Raises:
            ServerError: the backend did not answer.
        """
        return None


class Connector(Protocol):
    """Reaches the destination at one address. Used by several threads."""

    @property
    def transport(self) -> Transport | None:
        """Its API; None where there is none, and records are all it takes."""
        return None

    @property
    def exit_seconds(self) -> float:
        """Seconds that a process that exits may wait for a delivery."""
        return math.inf

    def identify(self) -> Backend:
        """Return what answers at the address.

        Raises:
            ServerError: nothing does; records wait.
        """
        ...

    def task_of(self, run: str) -> int | None:
        """Return the number that a run was given, as far as deliveries have told it."""
        return None

    def token_fingerprint(self) -> int:
        """Return a number that changes when the token does and does not reveal it."""
        return 0
