"""Delivery to a Supervisely instance: one edge a request.

An instance knows no runs: run records are done with when they are read. Settings of the run's own card travel with the
task's next edge, or, when the run ends first, with its last edge sent once more.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, TypedDict

from autoflow.errors import ServerError, ServerRefused
from autoflow.model.card import WireSettings
from autoflow.outbox.destinations.base import (
    DELIVERED,
    Backend,
    DeliveryResult,
    DeliveryState,
    NumberedRecord,
    Undeliverable,
)
from autoflow.outbox.destinations.failures import MALFORMED, FailureClassifier, blocked
from autoflow.outbox.destinations.identification import ServerIdentity, foreign
from autoflow.outbox.destinations.lookups import Lookups
from autoflow.outbox.destinations.record_resolver import InstanceResolver
from autoflow.transport.base import Transport
from autoflow.wire import cards, methods
from autoflow.wire.edges import EdgeBody
from autoflow.wire.records import CapturedEdge, FinishRecord, Record

_REMEMBERED = 10_000  # edges sent, so that an equal one is not sent again


class _Pending(TypedDict, total=False):
    """State of an open run on an instance between batches.

    Args:
        node: settings of its own card that no edge has carried yet.
        last: method and body of its last edge.
    """

    node: WireSettings
    last: tuple[str, EdgeBody]


class Instance(Backend):
    """A Supervisely instance.

    Args:
        transport: how to reach it.
        identity: what it says it is.
    """

    batch = 50
    keeps_logs = False

    def __init__(self, transport: Transport, identity: ServerIdentity) -> None:
        shown = ".".join(map(str, identity.version))
        self.description = f"a Supervisely instance, version {shown}"
        if identity.version < methods.WORKFLOW_SINCE:
            self.remedy = f"upgrade it to {'.'.join(map(str, methods.WORKFLOW_SINCE))} or later"
        self.identity: Hashable = identity
        self._transport = transport
        self._lookups = Lookups(transport)
        self._resolver = InstanceResolver(self._lookups, identity.version)
        self._failures = FailureClassifier(transport, identity)
        self._sent: dict[tuple[str, str, str, str], str] = {}

    def resolve(self, key: str, record: Record) -> Mapping[str, Any]:
        """See `Backend.resolve`; an edge becomes its ``method`` and ``body``."""
        if record["type"] == "edge":
            return self._resolver.edge(record)
        if record["type"] == "node":
            return self._resolver.node(key, record)
        return record

    def deliver(
        self,
        records: Sequence[NumberedRecord],
        state: DeliveryState,
        *,
        set_aside_before: bool = False,
        circuit_open: bool = False,
    ) -> Iterator[list[DeliveryResult]]:
        """Deliver one by one; see `Backend.deliver`.

        A record whose request fails in a way that may be about the record is held back while the next ones are tried.
        When one of these is taken, the record is blocked; when none is, the server is unavailable. The last record of a
        call is blocked too, when the instance took those before it.
        """
        self._lookups.new_batch()
        self._failures.persistent = set_aside_before or circuit_open
        held: list[DeliveryResult] = []  # of a suspected record and those after it, until one of these is taken
        failure: ServerError | None = None
        state_before: DeliveryState = {}
        any_taken = False  # whether the instance has taken a request in this call
        for key, record in records:
            try:
                taken, result = self._deliver_one(key, record, state)
            except ServerError as error:
                if not held:
                    state_before = copy.deepcopy(state)
                failure = error
                if not self._at_fault(error):
                    break
                taken, result = set_aside_before, blocked(error)
            any_taken = any_taken or (taken and result.delivered)
            held.append(result)
            if taken or failure is None:
                yield held
                held, failure = [], None
        else:
            if any_taken and sum(result.blocked for result in held) == 1:
                yield held
                return
        if failure is not None:
            state.clear()
            state.update(state_before)
            raise failure

    def _deliver_one(self, key: str, record: Record, state: DeliveryState) -> tuple[bool, DeliveryResult]:
        """Deliver one record; return whether the instance took a request, and the result.

        Raises:
            ServerError: the instance did not answer as it does.
        """
        try:
            return self._dispatch(key, record, state), DELIVERED
        except (Undeliverable, ServerRefused, *MALFORMED) as error:
            return False, self._failures.final(error)

    def _dispatch(self, key: str, record: Record, state: DeliveryState) -> bool:
        """Deliver a record by its type; return whether the instance took a request. It knows no other types."""
        if record["type"] == "edge":
            return self._edge(record, state)
        if record["type"] == "node":
            _pending(state, record["run"])["node"] = self._resolver.node(key, record)["node"]
        if record["type"] == "finish":
            return self._finish(record, state)
        return False

    def _at_fault(self, error: ServerError) -> bool:
        """Return whether a failure may be about the record: the instance itself still answers."""
        if not self._failures.suspects(error):
            return False
        try:
            self._failures.identify()
        except ServerError:
            return False
        return True

    def _post(self, method: str, body: EdgeBody) -> None:
        """Post an edge.

        Raises:
            ServerError: the instance did not take it, or the response is not in its format.
        """
        response = self._transport.call(method, body)
        if not isinstance(response, Mapping) or response.get("success") is not True:
            raise foreign(method)

    def _edge(self, record: CapturedEdge, state: DeliveryState) -> bool:
        resolved = self._resolver.edge(record)
        method, body = resolved["method"], resolved["body"]
        own = record.get("own_task") is None  # settings of the run's own card are not for another task's
        pending = _pending(state, record["run"])
        meta = body.get("meta") or {}
        if own and "node" in pending and cards.NODE not in meta:
            body["meta"] = {**meta, "customNodeSettings": pending["node"]}
        # a path and an id may turn out to be one file: then this very edge was sent for the run
        edge = (record["run"], method, body["type"], str(body["id"]))
        content = json.dumps([body["node"], body.get("meta")], sort_keys=True)
        repeat = record.get("repeat", False)
        needed = bool(repeat) or self._sent.get(edge) != content
        if needed:
            self._post(method, body)
        if needed and not repeat:
            if len(self._sent) > _REMEMBERED:
                self._sent.clear()
            self._sent[edge] = content  # after the post: a refused edge was not sent
        if own:
            sent: _Pending = {"last": (method, body)}
            state[record["run"]] = sent
        return needed

    def _finish(self, record: FinishRecord, state: DeliveryState) -> bool:
        pending = _pending(state, record["run"])
        node, last = pending.get("node"), pending.get("last")
        if node is not None and last is not None:
            method, body = last
            self._post(method, {**body, "meta": {**(body.get("meta") or {}), "customNodeSettings": node}})
        state.pop(record["run"], None)
        return node is not None and last is not None


def _pending(state: DeliveryState, run: str) -> _Pending:
    pending: _Pending = state.setdefault(run, {})
    return pending
