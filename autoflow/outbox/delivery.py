"""How a batch reaches each of the two kinds of server.

Our platform takes a batch of records with a key each; the answer says record by record what became of it, and a
batch sent twice changes nothing. An instance takes one edge a request and knows nothing of runs: run records are
done with when met, and settings of the run's own card travel with the task's next edge, or, when the run ends
first, with its last edge sent once more.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from autoflow.errors import ServerBusy, ServerError, ServerRefused
from autoflow.outbox.completion import Completion, Undeliverable
from autoflow.transport.base import Transport
from autoflow.transport.breath import breathe
from autoflow.wire import cards

Carry = dict[str, Any]  # JSON, kept with the journal's progress


class Verdict(NamedTuple):
    """What became of a record: delivered, or refused for good with a reason."""

    delivered: bool
    reason: str = ""


DELIVERED = Verdict(True)


class Numbered(NamedTuple):
    """A record out of a journal, with its key."""

    key: str
    record: dict[str, Any]


class Delivery(Protocol):
    """Delivers records in order."""

    batch: int  # how many records one request takes

    def deliver(self, records: Sequence[Numbered], carry: Carry) -> Iterator[list[Verdict]]:
        """Deliver; give verdicts in order, a list whenever the server has answered for that many more records.

        Raises:
            ServerError: the server did not take the rest; what was answered stays answered.
        """
        ...


# an odd answer of the server, or a record that another version of autoflow wrote: it must not hold up the others
_ODD = (AttributeError, LookupError, TypeError, ValueError)


def _refused(error: Exception) -> Verdict:
    """The verdict on a record that can never be delivered.

    Raises:
        ServerRefused: it is not about the record at all.
    """
    if isinstance(error, ServerRefused):
        if error.concerns_all:
            raise error
        return Verdict(False, f"{error.status}: {error}")
    if isinstance(error, Undeliverable):
        return Verdict(False, str(error))
    return Verdict(False, f"the record cannot be read: {type(error).__name__}: {error}")


class PlatformDelivery:
    """Batches to our platform."""

    batch = 200
    SPLIT = frozenset({400, 413, 422})  # a batch refused so is sent in halves until the one at fault is alone
    DONE = frozenset({"applied", "duplicate"})

    def __init__(
        self, transport: Transport, completion: Completion, on_tasks: Callable[[Mapping[str, int]], None]
    ) -> None:
        self._transport = transport
        self._completion = completion
        self._on_tasks = on_tasks

    def deliver(self, records: Sequence[Numbered], carry: Carry) -> Iterator[list[Verdict]]:
        """Deliver in requests as large as the server takes; see `Delivery.deliver`.

        What could be completed is sent even when a later record could not for want of an answer, so that a server
        that answers a little at a time is got through in the end.
        """
        keys = deque(key for key, _ in records)
        verdicts: dict[str, Verdict] = {}
        ready, failure = self._complete(records, verdicts)
        yield _in_order(keys, verdicts)
        for answered in self._send(ready):
            verdicts.update(answered)
            yield _in_order(keys, verdicts)
        if failure is not None:
            raise failure
        if keys:
            raise ServerBusy("the server's answer leaves records out", status=200)

    def _complete(
        self, records: Sequence[Numbered], verdicts: dict[str, Verdict]
    ) -> tuple[list[dict[str, Any]], ServerError | None]:
        """The records as they are sent, up to the first for which the server had no answer, and that failure."""
        ready = []
        for key, record in records:
            breathe()
            try:
                ready.append(self._ready(key, record))
            except (Undeliverable, ServerRefused, *_ODD) as error:
                try:
                    verdicts[key] = _refused(error)
                except ServerRefused as refusal:
                    return ready, refusal
            except ServerError as error:
                return ready, error
        return ready, None

    def _ready(self, key: str, record: dict[str, Any]) -> dict[str, Any]:
        if record["type"] == "edge":
            return self._completion.edge(key, record).record
        if record["type"] == "run":
            self._completion.remember(record)
        if record["type"] == "node":
            record["node"] = self._completion.node(record)
            del record["card"]
        record["key"] = key
        return record

    def _send(self, ready: list[dict[str, Any]]) -> Iterator[dict[str, Verdict]]:
        """Send; what the server answered, request by request."""
        if not ready:
            return
        try:
            answer = self._transport.deliver(ready)
        except ServerRefused as refusal:
            if refusal.status not in self.SPLIT:
                raise
            if len(ready) == 1:
                yield {ready[0]["key"]: _refused(refusal)}
                return
            half = len(ready) // 2
            yield from self._send(ready[:half])
            yield from self._send(ready[half:])
            return
        results = answer.get("results") if isinstance(answer, Mapping) else None
        if not isinstance(results, list):
            raise ServerBusy("the server's answer holds no results", status=200)
        self._on_tasks(answer.get("tasks") or {})
        told = [result for result in results if isinstance(result, Mapping)]
        yield {str(result.get("key")): verdict for result in told if (verdict := self._verdict(result)) is not None}

    def _verdict(self, result: Mapping[str, Any]) -> Verdict | None:
        """What the server says of one record; None when it is to be asked again."""
        if result.get("status") in self.DONE:
            return DELIVERED
        return Verdict(False, str(result.get("reason"))) if result.get("status") == "refused" else None


def _in_order(keys: deque[str], verdicts: dict[str, Verdict]) -> list[Verdict]:
    """Take the verdicts known from the first record on."""
    known = []
    while keys and keys[0] in verdicts:
        known.append(verdicts[keys.popleft()])
    return known


class InstanceDelivery:
    """One edge a request to a Supervisely instance."""

    batch = 50

    def __init__(self, transport: Transport, completion: Completion) -> None:
        self._transport = transport
        self._completion = completion
        self._sent: dict[tuple[str, str, str, str], str] = {}

    def deliver(self, records: Sequence[Numbered], carry: Carry) -> Iterator[list[Verdict]]:
        """Deliver one by one; see `Delivery.deliver`."""
        for key, record in records:
            try:
                deliver = {"edge": self._edge, "node": self._node, "finish": self._finish}.get(record["type"])
                if deliver is not None:
                    deliver(key, record, carry)
            except (Undeliverable, ServerRefused, *_ODD) as error:
                yield [_refused(error)]
            else:
                yield [DELIVERED]

    def _edge(self, key: str, record: dict[str, Any], carry: Carry) -> None:
        completed = self._completion.edge(key, record)
        body = completed.body
        own = record.get("own_task") is None  # what is said of the run's own card is not for another task's
        waiting = carry.setdefault(record["run"], {})
        meta = body.get("meta", {})
        if own and "node" in waiting and cards.NODE not in meta:
            body["meta"] = {**meta, cards.NODE: waiting["node"]}
        # a path and a number may turn out to be one file: then this very edge was sent for the run
        edge = (record["run"], completed.method, body["type"], str(body["id"]))
        content = json.dumps([body["node"], body.get("meta")], sort_keys=True)
        if record.get("repeat"):
            self._transport.call(completed.method, body)
        elif self._sent.get(edge) != content:
            self._transport.call(completed.method, body)
            if len(self._sent) > 10_000:
                self._sent.clear()
            self._sent[edge] = content  # only now: a refused edge was not sent
        if own:
            carry[record["run"]] = {"last": [completed.method, body]}

    def _node(self, key: str, record: dict[str, Any], carry: Carry) -> None:
        carry.setdefault(record["run"], {})["node"] = self._completion.node(record)

    def _finish(self, key: str, record: dict[str, Any], carry: Carry) -> None:
        waiting = carry.get(record["run"], {})
        if "node" in waiting and "last" in waiting:
            method, body = waiting["last"]
            self._transport.call(method, {**body, "meta": {**body.get("meta", {}), cards.NODE: waiting["node"]}})
        carry.pop(record["run"], None)
