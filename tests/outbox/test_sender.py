"""Delivery, end to end over a real socket: in order, once, and kept while the server is away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import pytest

import autoflow
from autoflow.outbox.status import status
from autoflow.testing import cut, hang, partly
from autoflow.testing import status as answers

pytestmark = pytest.mark.core


@autoflow.workflow_input("project")
def load(project_id):
    return project_id


def ids(server):
    collected = []
    for edge in server.edges:
        collected.append(edge["entity"]["id"] if "entity" in edge else edge["id"])
    return collected


@pytest.fixture
def towards(monkeypatch):
    """Send this test's records to a server."""

    def send(server):
        monkeypatch.setenv("AUTOFLOW_SERVER", server.address)
        monkeypatch.setenv("AUTOFLOW_TOKEN", "secret-token")
        monkeypatch.setenv("SUPERVISELY_TASK_ID", "55")

    return send


def counts():
    return {name: value for name, value in status().items() if name != "destinations"}


@pytest.mark.parametrize("kind", ["server", "instance"])
def test_edges_arrive_once_and_in_order(kind, request, towards):
    """Both kinds of server get every edge, in the order recorded."""
    server = request.getfixturevalue(kind)
    towards(server)
    with autoflow.workflow("w"):
        for number in range(1, 301):
            load(number)
    assert autoflow.flush(60)
    assert ids(server) == list(range(1, 301))
    totals = counts()
    assert totals["waiting"] == totals["dead"] == totals["dropped"] == 0
    assert totals["recorded"] == totals["sent"]


def test_an_instance_gets_the_sdks_body(instance, towards):
    """The body, its keys and their order are the SDK's."""
    towards(instance)
    with autoflow.workflow("w"):
        load(7)
    assert autoflow.flush(60)
    method, body = instance.posts[0]
    assert method == "workflow.node.add-input"
    assert json.dumps(body) == '{"teamId": 9, "node": {"type": "task", "id": 55}, "type": "project", "id": 7}'


def test_records_wait_while_the_server_is_unavailable(server, towards):
    """Records made during an outage are delivered when it is over."""
    towards(server)
    server.stop()
    with autoflow.workflow("w"):
        load(1)
        assert not autoflow.flush(60)
        assert counts()["waiting"] > 0
        server.start()
        load(2)
        assert autoflow.flush(60)
    assert ids(server) == [1, 2]


def test_a_lost_response_gives_one_edge(server, towards):
    """A batch that was applied but not acknowledged is sent again and applied once."""
    towards(server)
    server.behave(cut)
    with autoflow.workflow("w"):
        load(1)
        assert not autoflow.flush(60)
        server.behave(partly(lambda record: False))
        assert autoflow.flush(60)
    assert ids(server) == [1]


def test_a_refused_record_becomes_a_dead_letter_and_the_rest_is_delivered(server, towards):
    """The refusal of one record concerns that record alone."""
    towards(server)
    server.behave(partly(lambda record: record.get("entity", {}).get("id") == 2))
    with autoflow.workflow("w"):
        for number in (1, 2, 3):
            load(number)
        assert autoflow.flush(60)
    assert ids(server) == [1, 3]
    assert counts()["dead"] == 1


def test_a_batch_that_is_too_large_is_sent_in_halves(server, towards):
    """413 splits a batch until the one record that is too large is found."""
    towards(server)

    def behave(exchange):
        if exchange.method == "autoflow.records.add" and any(
            record.get("entity", {}).get("id") == 5 for record in exchange.body["records"]
        ):
            answers(413)(exchange)
        else:
            exchange.reply(*exchange.apply())

    server.behave(behave)
    with autoflow.workflow("w"):
        for number in range(1, 10):
            load(number)
        assert autoflow.flush(60)
    assert sorted(ids(server)) == [1, 2, 3, 4, 6, 7, 8, 9]
    assert counts()["dead"] == 1


@pytest.mark.parametrize("code", [401, 403])
def test_records_wait_while_the_token_is_refused(code, server, towards, caplog):
    """No record is lost to a wrong token; one warning has the remedy."""
    towards(server)
    server.behave(answers(code))
    with autoflow.workflow("w"):
        load(1)
        assert not autoflow.flush(60)
        assert not autoflow.flush(60)
        warnings = [line for line in caplog.messages if "AUTOFLOW_TOKEN" in line]
        assert len(warnings) == 1
        assert "secret-token" not in caplog.text
        server.behave(partly(lambda record: False))
        assert autoflow.flush(60)
    assert ids(server) == [1]


def test_a_hanging_server_does_not_block_the_app(server, towards):
    """Calls return and a flush ends in time while the server never responds."""
    towards(server)
    server.behave(hang)
    with autoflow.workflow("w"):
        load(1)
        assert server.wait_for(lambda: len(server.requests) > 0)
        load(2)
        assert not autoflow.flush(0.3)
    assert counts()["waiting"] >= 3


SCRIPT = textwrap.dedent(
    """
    import os, signal, sys
    import autoflow

    @autoflow.workflow_input("project")
    def load(project_id): ...

    with autoflow.workflow("killed"):
        for number in range(1, 201):
            load(number)
        os.kill(os.getpid(), signal.SIGKILL)
    """
)


def test_records_of_a_killed_process_are_delivered_by_a_later_one(server, tmp_path):
    """SIGKILL right after the last call loses nothing; `autoflow outbox sync` delivers each record once."""
    server.stop()
    environment = {
        **os.environ,
        "AUTOFLOW_HOME": str(tmp_path / "home"),
        "AUTOFLOW_SERVER": server.address,
        "AUTOFLOW_TOKEN": "t",
    }
    assert subprocess.run([sys.executable, "-c", SCRIPT], env=environment, check=False).returncode == -9
    server.start()
    command = [sys.executable, "-m", "autoflow.cli.main", "outbox", "sync", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    report = json.loads(done.stdout)
    assert ids(server) == list(range(1, 201))
    assert report["recorded"] == report["sent"]
    assert report["waiting"] == report["dead"] == 0
    assert [record["state"] for record in server.records if record["type"] == "finish"] == ["lost"]
    subprocess.run(command, env=environment, capture_output=True, check=True)
    assert len(server.edges) == 200
