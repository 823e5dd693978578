"""`FaultyServer`: each behaviour does to a request what its name says."""

from __future__ import annotations

import socket

import pytest

from autoflow.errors import ServerBusy, ServerRefused, ServerUnreachable
from autoflow.testing import FaultyServer, cut, hang, late, omit, page, partly, redirect, slow, status, well
from autoflow.transport.http import HttpTransport
from autoflow.wire import methods

pytestmark = pytest.mark.core

RECORDS = [{"key": f"j:{number}", "type": "edge", "run": "r"} for number in (1, 2, 3)]


@pytest.fixture
def server():
    with FaultyServer() as server:
        yield server


@pytest.fixture
def client(server):
    client = HttpTransport(server.address, lambda: None)
    yield client
    client.close()


def deliver(client, seconds=60.0):
    return client.call(methods.RECORDS_ADD, {"records": RECORDS}, timeout=seconds)


def applied(server):
    return [record["key"] for record in server.records]


@pytest.mark.parametrize("behaviour", [well, late(0.01), slow(0.0005)], ids=["well", "late", "slow"])
def test_behaviours_that_respond(behaviour, server, client):
    """Sooner or later the batch is applied, and a second one changes nothing."""
    server.behave(behaviour)
    assert [item["status"] for item in deliver(client)["results"]] == ["applied"] * 3
    assert [item["status"] for item in deliver(client)["results"]] == ["duplicate"] * 3
    assert applied(server) == ["j:1", "j:2", "j:3"]


@pytest.mark.parametrize(
    ("behaviour", "error", "done"),
    [
        (hang, ServerUnreachable, 0),
        (cut, ServerUnreachable, 3),
        (slow(0.2), ServerUnreachable, 3),
        (status(503), ServerBusy, 0),
        (status(400), ServerRefused, 0),
        (page(200), ServerBusy, 0),
        (redirect("http://127.0.0.1:9"), ServerRefused, 0),
    ],
)
def test_behaviours_that_fail(behaviour, error, done, server, client):
    """The client gets no response, or an unusable one; what was applied is still recorded."""
    server.behave(behaviour)
    with pytest.raises(error):
        deliver(client, 0.5)
    assert len(server.records) == done


def test_behaviours_that_take_some_records(server, client):
    """Some records are refused, or left out of the response."""
    server.behave(partly(lambda record: record["key"] == "j:2"))
    assert {item["key"]: item["status"] for item in deliver(client)["results"]}["j:2"] == "refused"
    server.behave(omit(lambda record: record["key"] == "j:3"))
    assert [item["key"] for item in deliver(client)["results"]] == ["j:1", "j:2"]
    assert applied(server) == ["j:1", "j:3", "j:2"]


def test_a_restart_keeps_the_address(server, client):
    """After a stop it refuses connections, and hanging clients are released."""
    address = server.address
    server.stop()
    with pytest.raises(ServerUnreachable):
        deliver(client, 1)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", int(address.rpartition(":")[2])))  # nobody gets what is sent to this one
    server.start()
    assert server.address == address
    deliver(client)
    assert len(server.records) == 3


def test_the_kind_instance_takes_single_edges():
    """Edges are posted one by one; there are no batches."""
    with FaultyServer("instance", version="6.11.11") as server:
        client = HttpTransport(server.address, lambda: None)
        assert client.call(methods.INSTANCE_VERSION, {}) == {"version": "6.11.11"}
        client.call(methods.ADD_EDGE["input"], {"id": 7})
        assert server.edges == [{"id": 7}]
        with pytest.raises(ServerRefused):
            deliver(client)
        client.close()
