"""Delivery to autoflow's server: a batch of records with their keys a request; the response has a result for each.

A batch that is sent twice changes nothing: the keys are idempotency keys.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

from autoflow.errors import ServerBusy, ServerError, ServerRefused
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
from autoflow.outbox.destinations.record_resolver import ServerResolver
from autoflow.process.threads import yield_gil
from autoflow.transport.base import Transport
from autoflow.wire.contract.records import RECORDS_ADD, AddRecordsResponse, RecordResult
from autoflow.wire.records import Record, RunMembers


class AutoflowServer(Backend):
    """Autoflow's server, over HTTP or embedded.

    Args:
        transport: how to reach it.
        identity: what it says it is.
        on_tasks: called with the task numbers that a response gives, by run key.
    """

    batch = 200
    own_methods = True
    SPLIT = frozenset({400, 413, 422})  # a batch refused so is sent in halves until the record at fault is alone
    DONE = frozenset({"applied", "duplicate"})

    def __init__(
        self, transport: Transport, identity: ServerIdentity, on_tasks: Callable[[Mapping[str, int]], None]
    ) -> None:
        self.description = f"autoflow's server, version {identity.autoflow}"
        self.identity: Hashable = identity
        self._transport = transport
        self._on_tasks = on_tasks
        self._lookups = Lookups(transport)
        self._resolver = ServerResolver(self._lookups)
        self._failures = FailureClassifier(transport, identity)
        self._empty_passed = False  # whether an empty batch was taken since `deliver` was called

    def task_number(self, run: RunMembers) -> int | None:
        """See `Backend.task_number`."""
        return self._lookups.run(run).id

    def resolve(self, key: str, record: Record) -> Mapping[str, Any]:
        """See `Backend.resolve`."""
        if record["type"] == "edge":
            return self._resolver.edge(key, record)
        if record["type"] == "run":
            self._resolver.remember(record)
        if record["type"] == "node" and "card" in record:
            return self._resolver.node(key, record)
        return {**record, "key": key}

    def deliver(
        self,
        records: Sequence[NumberedRecord],
        state: DeliveryState,
        *,
        set_aside_before: bool = False,
        circuit_open: bool = False,
    ) -> Iterator[list[DeliveryResult]]:
        """Deliver in requests as large as the server takes; see `Backend.deliver`.

        Records that were resolved are sent even when a later one could not be for want of a response, so that a server
        that answers slowly still receives everything in the end.
        """
        self._lookups.new_batch()
        self._empty_passed = False
        self._failures.persistent = set_aside_before or circuit_open
        keys = deque(key for key, _ in records)
        results: dict[str, DeliveryResult] = {}
        batch, failure = self._resolve_all(records, results)
        yield _take_known(keys, results)
        passed = set_aside_before
        for response_results in self._send(batch):
            results.update(response_results)
            passed = passed or DELIVERED in response_results.values()
            yield _take_known(keys, results)
        if failure is not None:
            raise failure
        if keys and passed and self._failures.persistent:
            left_out = ServerBusy("the server's response leaves the record out", status=200)
            results.update((key, blocked(left_out)) for key in keys if key not in results)
            yield _take_known(keys, results)
        if keys:
            raise ServerBusy("the server's response leaves records out", status=200)

    def _resolve_all(
        self, records: Sequence[NumberedRecord], results: dict[str, DeliveryResult]
    ) -> tuple[list[Mapping[str, Any]], ServerError | None]:
        """Resolve records up to the first for which the server had no response; return them and that failure."""
        batch: list[Mapping[str, Any]] = []
        for key, record in records:
            yield_gil()
            try:
                try:
                    batch.append(self.resolve(key, record))
                except (Undeliverable, ServerRefused, *MALFORMED) as error:
                    results[key] = self._failures.final(error)
            except ServerError as error:
                if not self._at_fault(error):
                    return batch, error
                results[key] = blocked(error)
        return batch, None

    def _send(self, batch: list[Mapping[str, Any]]) -> Iterator[dict[str, DeliveryResult]]:
        """Send a batch, in halves if need be; yield the results of each request by key."""
        if not batch:
            return
        try:
            response = self._request(batch)
        except ServerError as error:
            refused = isinstance(error, ServerRefused) and not error.concerns_all and error.status in self.SPLIT
            if not refused and not self._at_fault(error):
                raise
            if len(batch) == 1:
                yield {batch[0]["key"]: self._failures.final(error) if refused else blocked(error)}
                return
            half = len(batch) // 2
            yield from self._send(batch[:half])
            yield from self._send(batch[half:])
            return
        tasks = response.get("tasks")
        self._on_tasks(tasks if isinstance(tasks, Mapping) else {})
        answered = [entry for entry in response["results"] if isinstance(entry, Mapping)]
        yield {str(entry.get("key")): result for entry in answered if (result := self._result(entry)) is not None}

    def _request(self, batch: list[Mapping[str, Any]]) -> AddRecordsResponse:
        """Send one request.

        Raises:
            ServerError: it was not taken, or the response is not in the API's format.
        """
        response = self._transport.deliver(batch)
        if not isinstance(response, Mapping) or not isinstance(response.get("results"), list):
            raise foreign(RECORDS_ADD.name)
        return response

    def _at_fault(self, error: ServerError) -> bool:
        """Return whether the records sent caused a failure: an empty batch passes where they did not."""
        if not self._failures.suspects(error):
            return False
        if not self._empty_passed:
            try:
                self._request([])
            except ServerRefused as refusal:
                if refusal.concerns_all:
                    return False
            except ServerError:
                return False
            self._empty_passed = True
        return True

    def _result(self, entry: RecordResult) -> DeliveryResult | None:
        """Return the result of one record; None when it must be sent again."""
        if entry.get("status") in self.DONE:
            return DELIVERED
        return DeliveryResult(False, str(entry.get("reason"))) if entry.get("status") == "refused" else None


def _take_known(keys: deque[str], results: dict[str, DeliveryResult]) -> list[DeliveryResult]:
    """Remove keys from the front as long as their results are known; return these results."""
    known = []
    while keys and keys[0] in results:
        known.append(results[keys.popleft()])
    return known
