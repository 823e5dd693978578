"""How a batch reaches each of the two kinds of server.

Our server takes a batch of records with a key each; the answer says record by record what became of it, and a
batch sent twice changes nothing. An instance takes one edge a request and knows nothing of runs: run records are
done with when met, and settings of the run's own card travel with the task's next edge, or, when the run ends
first, with its last edge sent once more.

A record ends as a dead letter by a refusal in the API's own format, from a server that then identifies itself as the
one the batch was meant for. A record that something in between refuses while others pass is *blocked*: it is set aside
and tried again later (`outbox.blocked`). After any other failure the server counts as away, and all records wait.
"""

from __future__ import annotations

import copy
import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from autoflow.errors import ServerBusy, ServerError, ServerRefused, ServerUnreachable
from autoflow.outbox.lookups import ServerIdentity, foreign, probe
from autoflow.outbox.record_resolver import RecordResolver, Undeliverable, UnknownEntity
from autoflow.process.threads import yield_gil
from autoflow.transport.base import Transport
from autoflow.wire import cards, methods

DeliveryState = dict[str, Any]  # JSON, kept with the journal's progress


class DeliveryResult(NamedTuple):
    """What became of a record: delivered, blocked for now, or refused for good; the latter two with a reason."""

    delivered: bool
    reason: str = ""
    blocked: bool = False


DELIVERED = DeliveryResult(True)


class Numbered(NamedTuple):
    """A record out of a journal, with its key."""

    key: str
    record: dict[str, Any]


class Delivery(Protocol):
    """Delivers records in order."""

    batch: int  # how many records one request takes

    def deliver(
        self, records: Sequence[Numbered], state: DeliveryState, *, set_aside_before: bool = False
    ) -> Iterator[list[DeliveryResult]]:
        """Deliver; give verdicts in order, a list whenever the server has answered for that many more records.

        Args:
            records: in the order of their journal.
            state: what to remember of this journal between calls; changed in place.
            set_aside_before: these were blocked before: one that still is need not wait for another to pass.

        Raises:
            ServerError: the server did not take the rest; what was answered stays answered.
        """
        ...


# an odd answer of the server, or a record that another version of autoflow wrote: it must not hold up the others
_ODD = (AttributeError, LookupError, TypeError, ValueError)

# what a proxy refuses a request with because of what is in it; its other answers mean an absent server, at first
_ABOUT_CONTENT = frozenset(range(400, 500)) - {401, 407, 408, 425, 429, 499}


class Judge:
    """Decides what a failed request says about the record it was for.

    Args:
        transport: the way to the server.
        server: what the server said it is before it was sent anything.
        insists: whether so many tries have failed in a row that also a failure that usually means an absent server
            is looked into: it may be one record that breaks it.
    """

    def __init__(
        self, transport: Transport, server: ServerIdentity, insists: Callable[[], bool] = lambda: False
    ) -> None:
        self._transport = transport
        self._server = server
        self.insists = insists

    def final(self, error: Exception) -> DeliveryResult:
        """Return the verdict on a record that can never be delivered.

        Raises:
            ServerError: the failure is not about the record, or the server is not the one it was.
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
        """Check that the server is still the one it was.

        Raises:
            ServerError: it is another one, or does not say.
        """
        if probe(self._transport).is_autoflow is not self._server.is_autoflow:
            raise ServerBusy("the server changed its identity", status=200, foreign=True)

    def suspects(self, error: ServerError, *, before: bool) -> bool:
        """Whether a failure may be about what was sent, refused by something between here and the server.

        Args:
            error: the failure.
            before: what was sent was blocked before.
        """
        insists = before or self.insists()
        if isinstance(error, ServerUnreachable):
            return insists
        if not isinstance(error, (ServerBusy, ServerRefused)) or getattr(error, "retry_after", None) is not None:
            return False
        if not error.foreign:  # the server itself fails at it, such as with status 500
            return isinstance(error, ServerBusy) and error.status not in {429, 503} and insists
        return error.status in _ABOUT_CONTENT or insists


def _blocked(error: ServerError) -> DeliveryResult:
    status = getattr(error, "status", None)
    return DeliveryResult(False, f"{status}: {error}" if status is not None else str(error), blocked=True)


class ServerDelivery:
    """Batches to our server."""

    batch = 200
    SPLIT = frozenset({400, 413, 422})  # a batch refused so is sent in halves until the one at fault is alone
    DONE = frozenset({"applied", "duplicate"})

    def __init__(
        self,
        transport: Transport,
        completion: RecordResolver,
        on_tasks: Callable[[Mapping[str, int]], None],
        judge: Judge | None = None,
    ) -> None:
        self._transport = transport
        self._completion = completion
        self._on_tasks = on_tasks
        self._judge = judge or Judge(transport, ServerIdentity(True, None))
        self._passes = False  # whether an empty batch has passed since the last call of `deliver`
        self._before = False  # whether the records of this call were blocked before

    def deliver(
        self, records: Sequence[Numbered], state: DeliveryState, *, set_aside_before: bool = False
    ) -> Iterator[list[DeliveryResult]]:
        """Deliver in requests as large as the server takes; see `Delivery.deliver`.

        What could be completed is sent even when a later record could not for want of an answer, so that a server
        that answers a little at a time is got through in the end.
        """
        self._passes, self._before = False, set_aside_before
        keys = deque(key for key, _ in records)
        verdicts: dict[str, DeliveryResult] = {}
        ready, failure = self._complete(records, verdicts)
        yield _in_order(keys, verdicts)
        passed = set_aside_before
        for answered in self._send(ready):
            verdicts.update(answered)
            passed = passed or DELIVERED in answered.values()
            yield _in_order(keys, verdicts)
        if failure is not None:
            raise failure
        if keys and passed and (set_aside_before or self._judge.insists()):
            left_out = ServerBusy("the server's answer leaves the record out", status=200)
            verdicts.update((key, _blocked(left_out)) for key in keys if key not in verdicts)
            yield _in_order(keys, verdicts)
        if keys:
            raise ServerBusy("the server's answer leaves records out", status=200)

    def _complete(
        self, records: Sequence[Numbered], verdicts: dict[str, DeliveryResult]
    ) -> tuple[list[dict[str, Any]], ServerError | None]:
        """The records as they are sent, up to the first for which the server had no answer, and that failure."""
        ready = []
        for key, record in records:
            yield_gil()
            try:
                try:
                    ready.append(self._ready(key, record))
                except (Undeliverable, ServerRefused, *_ODD) as error:
                    verdicts[key] = self._judge.final(error)
            except ServerError as error:
                if not self._blocks(error):
                    return ready, error
                verdicts[key] = _blocked(error)
        return ready, None

    def _ready(self, key: str, record: dict[str, Any]) -> dict[str, Any]:
        if record["type"] == "edge":
            return self._completion.edge(key, record).record
        if record["type"] == "run":
            self._completion.remember(record)
        if record["type"] == "node" and "card" in record:
            node = self._completion.node(record)
            record = {name: value for name, value in record.items() if name != "card"} | {"node": node}
        return {**record, "key": key}

    def _send(self, ready: list[dict[str, Any]]) -> Iterator[dict[str, DeliveryResult]]:
        """Send; what the server answered, request by request."""
        if not ready:
            return
        try:
            answer = self._request(ready)
        except ServerError as error:
            refused = isinstance(error, ServerRefused) and not error.concerns_all and error.status in self.SPLIT
            if not refused and not self._blocks(error):
                raise
            if len(ready) == 1:
                yield {ready[0]["key"]: self._judge.final(error) if refused else _blocked(error)}
                return
            half = len(ready) // 2
            yield from self._send(ready[:half])
            yield from self._send(ready[half:])
            return
        tasks = answer.get("tasks")
        self._on_tasks(tasks if isinstance(tasks, Mapping) else {})
        told = [result for result in answer["results"] if isinstance(result, Mapping)]
        yield {str(result.get("key")): verdict for result in told if (verdict := self._verdict(result)) is not None}

    def _request(self, ready: list[dict[str, Any]]) -> Mapping[str, Any]:
        """Send one batch.

        Raises:
            ServerError: it was not taken, or the answer is not one of our server's.
        """
        answer = self._transport.deliver(ready)
        if not isinstance(answer, Mapping) or not isinstance(answer.get("results"), list):
            raise foreign(methods.RECORDS_ADD)
        return answer

    def _blocks(self, error: ServerError) -> bool:
        """Whether what was sent is at fault: an empty batch passes where it did not."""
        if not self._judge.suspects(error, before=self._before):
            return False
        if not self._passes:
            try:
                self._request([])
            except ServerRefused as refusal:
                if refusal.concerns_all:
                    return False
            except ServerError:
                return False
            self._passes = True
        return True

    def _verdict(self, result: Mapping[str, Any]) -> DeliveryResult | None:
        """What the server says of one record; None when it is to be asked again."""
        if result.get("status") in self.DONE:
            return DELIVERED
        return DeliveryResult(False, str(result.get("reason"))) if result.get("status") == "refused" else None


def _in_order(keys: deque[str], verdicts: dict[str, DeliveryResult]) -> list[DeliveryResult]:
    """Take the verdicts known from the first record on."""
    known = []
    while keys and keys[0] in verdicts:
        known.append(verdicts[keys.popleft()])
    return known


class InstanceDelivery:
    """One edge a request to a Supervisely instance."""

    batch = 50

    def __init__(self, transport: Transport, completion: RecordResolver, judge: Judge | None = None) -> None:
        self._transport = transport
        self._completion = completion
        self._judge = judge or Judge(transport, ServerIdentity(False, None))
        self._sent: dict[tuple[str, str, str, str], str] = {}

    def deliver(
        self, records: Sequence[Numbered], state: DeliveryState, *, set_aside_before: bool = False
    ) -> Iterator[list[DeliveryResult]]:
        """Deliver one by one; see `Delivery.deliver`.

        A record whose request fails in a way that may be about the record is held back while the next ones are
        tried. When one of these is taken, the record is blocked; when none is, the server is away. So is a record that
        nothing follows, when those before it were just taken.
        """
        held: list[DeliveryResult] = []  # of a suspected record and those after it, until one of these is taken
        failure: ServerError | None = None
        before: DeliveryState = {}
        answered = False  # whether the instance has taken anything in this call
        for key, record in records:
            try:
                taken, verdict = self._one(key, record, state)
            except ServerError as error:
                if not held:
                    before = copy.deepcopy(state)
                failure = error
                if not self._suspects(error, set_aside_before):
                    break
                taken, verdict = set_aside_before, _blocked(error)
            answered = answered or (taken and verdict.delivered)
            held.append(verdict)
            if taken or failure is None:
                yield held
                held, failure = [], None
        else:
            if (
                answered and sum(verdict.blocked for verdict in held) == 1
            ):  # the last request of all, after others passed
                yield held
                return
        if failure is not None:
            state.clear()
            state.update(before)
            raise failure

    def _one(self, key: str, record: dict[str, Any], state: DeliveryState) -> tuple[bool, DeliveryResult]:
        """Deliver one record: whether the instance took a request, and the verdict.

        Raises:
            ServerError: the instance did not answer as it does.
        """
        deliver = {"edge": self._edge, "node": self._node, "finish": self._finish}.get(record["type"])
        try:
            return deliver is not None and deliver(key, record, state), DELIVERED
        except (Undeliverable, ServerRefused, *_ODD) as error:
            return False, self._judge.final(error)

    def _suspects(self, error: ServerError, before: bool) -> bool:
        """Whether a failure may be about the record: the instance itself still answers."""
        if not self._judge.suspects(error, before=before):
            return False
        try:
            self._judge.identify()
        except ServerError:
            return False
        return True

    def _post(self, method: str, body: dict[str, Any]) -> None:
        """Post an edge.

        Raises:
            ServerError: the instance did not take it, or the answer is not the one an instance gives.
        """
        answer = self._transport.call(method, body)
        if not isinstance(answer, Mapping) or answer.get("success") is not True:
            raise foreign(method)

    def _edge(self, key: str, record: dict[str, Any], state: DeliveryState) -> bool:
        completed = self._completion.edge(key, record)
        body = completed.body
        own = record.get("own_task") is None  # what is said of the run's own card is not for another task's
        waiting = state.setdefault(record["run"], {})
        meta = body.get("meta", {})
        if own and "node" in waiting and cards.NODE not in meta:
            body["meta"] = {**meta, cards.NODE: waiting["node"]}
        # a path and a number may turn out to be one file: then this very edge was sent for the run
        edge = (record["run"], completed.method, body["type"], str(body["id"]))
        content = json.dumps([body["node"], body.get("meta")], sort_keys=True)
        repeat = record.get("repeat", False)
        needed = bool(repeat) or self._sent.get(edge) != content
        if needed:
            self._post(completed.method, body)
        if needed and not repeat:
            if len(self._sent) > 10_000:
                self._sent.clear()
            self._sent[edge] = content  # only now: a refused edge was not sent
        if own:
            state[record["run"]] = {"last": [completed.method, body]}
        return needed

    def _node(self, key: str, record: dict[str, Any], state: DeliveryState) -> bool:
        state.setdefault(record["run"], {})["node"] = self._completion.node(record)
        return False

    def _finish(self, key: str, record: dict[str, Any], state: DeliveryState) -> bool:
        waiting = state.get(record["run"], {})
        repeats = "node" in waiting and "last" in waiting
        if repeats:
            method, body = waiting["last"]
            self._post(method, {**body, "meta": {**body.get("meta", {}), cards.NODE: waiting["node"]}})
        state.pop(record["run"], None)
        return repeats
