"""Batches to our server and edges to an instance, without a network: what becomes of each record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.errors import NotAllowed, ServerBusy, ServerRefused
from autoflow.outbox.destinations.autoflow_server import AutoflowServer
from autoflow.outbox.destinations.base import NumberedRecord
from autoflow.outbox.destinations.identification import ServerIdentity
from autoflow.outbox.destinations.instance import Instance
from autoflow.transport.memory import MemoryTransport

pytestmark = pytest.mark.core


class Scripted(MemoryTransport):
    """Answers a batch as the script says of each of its records: a status, a refusal of the whole, or silence."""

    def __init__(self, script):
        super().__init__()
        self.script = script
        self.batches = []

    def deliver(self, records):
        self.batches.append(len(records))
        statuses = [self.script.get(record["key"], "applied") for record in records]
        if "too large" in statuses:
            raise ServerRefused("too large", status=413, details={})
        if "busy" in statuses:
            raise ServerBusy("busy", status=503)
        if "token" in statuses:
            raise NotAllowed("token", status=401)
        self.records += [record for record, word in zip(records, statuses, strict=True) if word == "applied"]
        results = [
            {"key": record["key"], "status": word}
            for record, word in zip(records, statuses, strict=True)
            if word != "silence"
        ]
        return {"results": results}


def backend(transport, kind=AutoflowServer):
    if kind is Instance:
        return Instance(transport, ServerIdentity(None, (6, 18, 3)))
    return AutoflowServer(transport, ServerIdentity("1", (6, 18, 3)), lambda tasks: None)


def logs(count):
    return [
        NumberedRecord(f"j:{number}", {"type": "log", "run": "r", "at": 1, "lines": "x"}) for number in range(count)
    ]


def collect(verdicts):
    """The verdicts up to the first failure, and that failure."""
    collected = []
    try:
        for some in verdicts:
            collected += some
    except ServerRefused as refusal:
        return collected, refusal
    except ServerBusy as busy:
        return collected, busy
    return collected, None


words = st.sampled_from(["applied", "duplicate", "refused", "silence", "too large", "busy", "token", "strange"])


@given(st.lists(words, max_size=24))
def test_results_are_in_order_and_match_the_responses(statuses):
    """However the server responds, results come in order from the first record on, and match what it said."""
    transport = Scripted({f"j:{number}": word for number, word in enumerate(statuses)})
    results, failure = collect(backend(transport).deliver(logs(len(statuses)), {}))
    assert len(results) <= len(statuses)
    assert (failure is None) == (len(results) == len(statuses))
    for verdict, word in zip(results, statuses, strict=False):
        assert verdict.delivered == (word in {"applied", "duplicate"})
        assert word in {"applied", "duplicate", "refused", "too large"}
    assert len(transport.batches) <= 2 * len(statuses) + 1


@given(st.lists(words, max_size=24))
def test_a_retry_succeeds_once_the_server_recovers(statuses):
    """The next try sends what was left, and nothing that was settled."""
    transport = Scripted({f"j:{number}": word for number, word in enumerate(statuses)})
    records = logs(len(statuses))
    results, _ = collect(backend(transport).deliver(records, {}))
    transport.script = {}
    rest, failure = collect(backend(transport).deliver(logs(len(statuses))[len(results) :], {}))
    assert failure is None
    assert len(results) + len(rest) == len(statuses)
    assert all(verdict.delivered for verdict in rest)


@pytest.mark.parametrize("kind", [AutoflowServer, Instance])
@pytest.mark.parametrize("record", [{"type": "edge", "run": "r"}, {"type": "node", "run": "r", "card": 7}])
def test_an_unreadable_record_does_not_block_others(kind, record):
    """A record of another version, or of a bug, becomes a dead letter with its reason."""
    transport = Scripted({})
    records = [
        *logs(1),
        NumberedRecord("j:8", {**record, "at": 1}),
        NumberedRecord("j:9", {"type": "log", "run": "r", "lines": ""}),
    ]
    results, failure = collect(backend(transport, kind).deliver(records, {}))
    assert failure is None
    assert [verdict.delivered for verdict in results] == [True, False, True]
    assert "cannot be read" in results[1].reason
