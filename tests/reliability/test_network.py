"""Faults of servers and networks (30 to 39): nothing is lost, no call waits, and the order is kept.

Scenarios 26 to 29, a server that is away: `test_outage.py`.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time

import pytest

import autoflow
from autoflow.outbox import journal
from autoflow.outbox.backoff import OPENS_AFTER, Backoff
from autoflow.outbox.drain import SCAN_SECONDS
from autoflow.process import rate_limited_log
from autoflow.testing import cut, hang, late, omit, page, slow, status, well
from autoflow.transport import http
from autoflow.wire import methods
from tests.reliability.kit import counts, ids, load, sender
from tests.reliability.processes import STALLED

pytestmark = [pytest.mark.core, pytest.mark.slow]

ALWAYS = [well, status(503), hang, cut, slow(0.2), page(200)]


def project(record):
    return record.get("entity", {}).get("id")


# -- 30, 31: refusals


@pytest.mark.parametrize("code", [401, 403])
@pytest.mark.parametrize("kind", ["server", "instance"])
def test_a_new_token_is_noticed_at_once(kind, code, request, towards, monkeypatch, caplog):
    """(30) A refused token pauses with one warning; another in the environment ends the pause without being told."""
    server = request.getfixturevalue(kind)
    towards(server)

    def behave(exchange):
        if exchange._handler.headers["x-api-key"] == "another-token":
            well(exchange)
        else:
            status(code)(exchange)

    server.behave(behave)
    with autoflow.workflow("w"):
        load(1)
        assert not autoflow.flush(60)
        assert not autoflow.flush(60)
        assert sender().session.backoff.wait() > 30
        warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        assert len(warnings) == 1
        assert "AUTOFLOW_TOKEN" in warnings[0]
        assert counts()["dead"] == 0
        monkeypatch.setenv("AUTOFLOW_TOKEN", "another-token")
        assert server.wait_for(lambda: ids(server) == [1], SCAN_SECONDS + 10)
        assert autoflow.flush(60)


def test_a_token_refused_again_is_warned_of_again(server, towards, caplog, monkeypatch):
    """(30) One warning a pause: what was mended and broke once more is said once more."""
    monkeypatch.setattr(rate_limited_log, "INTERVAL_SECONDS", 0.0)
    towards(server)
    with autoflow.workflow("w"):
        for number in (1, 2):
            server.behave(status(401))
            load(number)
            for _ in range(3):
                assert not autoflow.flush(60)
            server.behave(well)
            assert autoflow.flush(60)
    warnings = [record for record in caplog.records if "AUTOFLOW_TOKEN" in record.getMessage()]
    assert len(warnings) == 2


@pytest.mark.parametrize("code", [400, 413, 422])
@pytest.mark.parametrize("kind", ["server", "instance"])
def test_a_record_at_fault_is_isolated(kind, code, request, towards):
    """(30, 31) The record the server cannot take is a dead letter, found by halving; all others arrive, in order."""
    server = request.getfixturevalue(kind)
    towards(server)
    bodies = []

    def behave(exchange):
        body = exchange.body if isinstance(exchange.body, dict) else {}
        records = body.get("records", [body])
        if exchange.method in {methods.RECORDS_ADD, *methods.ADD_EDGE.values()}:
            bodies.append(len(records))
            if any((project(record) or record.get("id")) == 77 for record in records):
                status(code, message="too much")(exchange)
                return
        well(exchange)

    server.behave(behave)
    with autoflow.workflow("w"):
        for number in range(1, 101):
            load(number)
        assert autoflow.flush(60)
    assert ids(server) == [number for number in range(1, 101) if number != 77]
    assert counts()["dead"] == 1
    if kind == "server":
        assert len(bodies) < 40  # logarithmic, not one by one


@pytest.mark.parametrize(("kind", "behaviour"), [("server", page(404)), ("instance", page(404))])
def test_a_server_without_the_method_settles_no_record(kind, behaviour, request, towards, caplog):
    """(30) An endpoint that does not exist says nothing about a record: all wait, with one warning."""
    server = request.getfixturevalue(kind)
    towards(server)
    adds = {methods.RECORDS_ADD, *methods.ADD_EDGE.values()}
    server.behave(lambda exchange: behaviour(exchange) if exchange.method in adds else well(exchange))
    with autoflow.workflow("w"):
        for number in range(1, 11):
            load(number)
        assert not autoflow.flush(60)
        assert not autoflow.flush(60)
        totals = counts()
        assert totals["dead"] == 0
        assert totals["waiting"] >= 10
        assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1
        server.behave(well)
        assert autoflow.flush(60)
    assert ids(server) == list(range(1, 11))


def test_a_lookup_answered_by_a_page_refuses_nothing(instance, towards):
    """(30) A proxy's 404 in place of the instance's is no "there is no such file"."""
    towards(instance)

    @autoflow.workflow_output("file")
    def save(path):
        return path

    instance.behave(lambda exchange: page(404)(exchange) if exchange.method == methods.FILE_LIST else well(exchange))
    with autoflow.workflow("w"):
        save("/a/b.pt")
        assert not autoflow.flush(60)
        assert counts()["dead"] == 0
        instance.behave(well)
        assert autoflow.flush(60)
    assert ids(instance) == [7001]


def test_an_entity_the_instance_does_not_know_is_a_dead_letter(instance, towards):
    """(30) 404 in the API's own words is about the record, and the rest goes on."""
    towards(instance)

    def behave(exchange):
        if exchange.method in methods.ADD_EDGE.values() and exchange.body["id"] == 2:
            status(404, message="project 2 is unknown")(exchange)
        else:
            well(exchange)

    instance.behave(behave)
    with autoflow.workflow("w"):
        for number in (1, 2, 3):
            load(number)
        assert autoflow.flush(60)
    assert ids(instance) == [1, 3]
    assert counts()["dead"] == 1


# -- 32, 33: answers lost, partial, odd


def test_a_lost_response_is_one_edge_on_our_server(server, towards):
    """(32) Batches applied and not acknowledged, ten in a row: each record is there once, in order."""
    towards(server)
    server.behave(cut)
    with autoflow.workflow("w"):
        for number in range(1, 51):
            load(number)
            if number % 5 == 0:
                assert not autoflow.flush(60)
        server.behave(well)
        assert autoflow.flush(60)
    assert ids(server) == list(range(1, 51))


def test_a_lost_response_repeats_one_edge_at_most_on_an_instance(instance, towards):
    """(32) An instance has no keys: as with its own SDK the edge in doubt, and no other, may be sent twice."""
    towards(instance)
    instance.behave(
        lambda exchange: (
            cut(exchange) if getattr(exchange.body, "get", None) and exchange.body.get("id") == 5 else well(exchange)
        )
    )
    with autoflow.workflow("w"):
        for number in range(1, 11):
            load(number)
        assert not autoflow.flush(60)
        instance.behave(well)
        assert autoflow.flush(60)
    delivered = ids(instance)
    assert list(dict.fromkeys(delivered)) == list(range(1, 11))
    assert {number for number in delivered if delivered.count(number) > 1} == {5}


def test_records_left_out_of_a_response_are_sent_again(server, towards):
    """(33) The answer passes over records 3 and 7: only they are applied by the next batch, none is lost or doubled."""
    towards(server)
    server.behave(omit(lambda record: project(record) in {3, 7}))
    with autoflow.workflow("w"):
        for number in range(1, 11):
            load(number)
        assert not autoflow.flush(60)
        assert ids(server) == [1, 2, 4, 5, 6, 8, 9, 10]
        assert counts()["waiting"] > 0
        server.behave(well)
        assert autoflow.flush(60)
    assert ids(server) == [1, 2, 4, 5, 6, 8, 9, 10, 3, 7]
    assert counts()["dead"] == 0


ODD = [None, [], "text", 7, {}, {"results": None}, {"results": [7, None, {"status": "applied"}]}, {"results": {}}]


@pytest.mark.parametrize("answer", [*ODD, {"tasks": 3, "results": "x"}, b"<html>", b"", b'{"results"'], ids=repr)
def test_a_malformed_response_loses_nothing_and_is_retried_slowly(answer, server, towards):
    """(33) An answer that is none of ours: the records wait, the tries stay few."""
    towards(server)
    server.behave(lambda exchange: well(exchange) if exchange.probe else exchange.reply(200, answer))
    with autoflow.workflow("w"):
        for number in range(1, 6):
            load(number)
        assert not autoflow.flush(60)
        request_count = len(server.requests)
        # each try until the circuit opens identifies the server and sends a batch; a loop without delays sends hundreds
        most = request_count + 3 * OPENS_AFTER
        server.wait_for(lambda: len(server.requests) > most, 0.5)
        assert len(server.requests) <= most
        totals = counts()
        assert totals["dead"] == 0
        assert totals["sent"] == 0
        server.behave(well)
        assert autoflow.flush(60)
    assert ids(server) == [1, 2, 3, 4, 5]


def test_a_batch_whose_lookups_fail_half_way_makes_progress(server, towards):
    """(33) A server that answers ten lookups a try: what could be completed is sent, and the rest in the end."""
    towards(server)
    allowed = [0]

    def behave(exchange):
        if exchange.method == methods.FILE_LIST:
            allowed[0] -= 1
            if allowed[0] < 0:
                status(429)(exchange)
                return
        well(exchange)

    @autoflow.workflow_output("file", value="path")
    def save(path): ...

    server.behave(behave)
    with autoflow.workflow("w"):
        for number in range(30):
            save(f"/file {number}")
        for done in (10, 20):
            allowed[0] = 10
            assert not autoflow.flush(60)
            assert len(server.edges) >= done
        allowed[0] = 1000
        assert autoflow.flush(60)
    assert len(server.edges) == 30
    assert counts()["dead"] == 0


def test_an_instances_last_edge_is_repeated_only_once_it_was_taken(instance, towards):
    """The run's own card goes with the run's last edge, also when the first try at that fails."""
    towards(instance)
    busy = [False]
    instance.behave(lambda exchange: status(503)(exchange) if busy[0] else well(exchange))
    with autoflow.workflow("w") as run:
        load(1)
        assert autoflow.flush(60)
        run.node(title="mine")
        busy[0] = True
    assert not autoflow.flush(60)
    busy[0] = False
    assert autoflow.flush(60)
    assert [body.get("meta") for _, body in instance.posts] == [
        None,
        {"customNodeSettings": {"title": "<h4>mine</h4>"}},
    ]


# -- 34: deadlines


@pytest.mark.timing
@pytest.mark.parametrize("behaviour", [hang, slow(0.1), late(30)], ids=["hang", "slow loris", "late"])
def test_no_server_blocks_the_sender_beyond_its_deadline(behaviour, server, towards, monkeypatch):
    """(34) A request ends at its total deadline, and the sender goes on; the caller has long returned."""
    monkeypatch.setattr(http, "TOTAL_SECONDS", 0.5)
    towards(server)
    server.behave(behaviour)
    with autoflow.workflow("w"):
        load(1)
        begun = time.monotonic()
        assert not autoflow.flush(60)
        assert time.monotonic() - begun < STALLED
        server.behave(well)
        assert autoflow.flush(60)
    assert ids(server) == [1]


@pytest.mark.timing
def test_a_hanging_resolver_blocks_only_the_sender(towards, monkeypatch):
    """(34) While the resolver hangs, calls return and a flush ends in its time."""
    towards("http://lineage.invalid")
    hanging, over = threading.Event(), threading.Event()

    def resolve_name(*args, **kwargs):
        hanging.set()
        over.wait(100)
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", resolve_name)
    with autoflow.workflow("w"):
        load(1)
        assert hanging.wait(60)
        begun = time.monotonic()
        load(2)
        assert not autoflow.flush(0.3)
        assert time.monotonic() - begun < STALLED
        over.set()
        assert not autoflow.flush(60)
    assert counts()["waiting"] >= 3


# -- 36 (proxies and netrc: tests/transport/test_http.py)


def test_a_proxy_named_for_all_is_not_used_for_a_host_in_no_proxy(server, towards, monkeypatch):
    """(36) HTTP_PROXY points nowhere, NO_PROXY names the sink: delivery is direct."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    towards(server)
    with autoflow.workflow("w"):
        load(1)
        assert autoflow.flush(60)
    assert ids(server) == [1]


# -- 37, 38: several senders, killed senders

WAITING = textwrap.dedent(
    """
    import autoflow
    @autoflow.workflow_input("project")
    def load(project_id): ...
    with autoflow.workflow("w"):
        for number in range(1, 301):
            load(number)
    """
)
SYNC = [sys.executable, "-m", "autoflow.cli.main", "outbox", "sync"]


@pytest.fixture
def waiting(server, tmp_path):
    """An environment whose outbox holds 300 edges of a process that is gone."""
    environment = {
        **os.environ,
        "AUTOFLOW_HOME": str(tmp_path / "home"),
        "AUTOFLOW_SERVER": server.address,
        "AUTOFLOW_TOKEN": "t",
        "AUTOFLOW_EXIT_FLUSH": "0",
    }
    server.stop()
    subprocess.run([sys.executable, "-c", WAITING], env=environment, check=True)
    server.start()
    return environment


def test_of_two_senders_one_sends_and_the_other_takes_over(server, waiting):
    """(37) The second leaves a held journal alone; when the first is killed in the act, it sends: nothing twice."""
    server.behave(hang)
    first = subprocess.Popen(SYNC, env=waiting, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert server.wait_for(lambda: len(server.requests) > 0)
    request_count = len(server.requests)
    server.behave(well)  # for those who ask from now on
    subprocess.run(SYNC, env=waiting, check=False, capture_output=True)
    assert not server.records
    assert len(server.requests) == request_count
    first.send_signal(signal.SIGKILL)
    first.wait()
    subprocess.run(SYNC, env=waiting, check=True, capture_output=True)
    assert ids(server) == list(range(1, 301))


def test_a_sender_killed_over_and_over_loses_and_doubles_nothing(server, waiting):
    """(38) Senders die at each point of a batch: before it is applied, after, and while the answer is on its way."""
    for point in ("before", "after", "answered") * 2:
        reached = threading.Event()
        dead = threading.Event()

        def behave(exchange, point=point, reached=reached, dead=dead):
            if exchange.method != methods.RECORDS_ADD or reached.is_set():
                well(exchange)
                return
            exchange.body = {"records": exchange.body["records"][:20]}
            answer = exchange.apply() if point != "before" else (200, None)
            if point == "answered":
                exchange.reply(*answer)
            reached.set()
            dead.wait(100)

        server.behave(behave)
        child = subprocess.Popen(SYNC, env=waiting, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert reached.wait(60)
        child.send_signal(signal.SIGKILL)
        child.wait()
        dead.set()
    server.behave(well)
    subprocess.run(SYNC, env=waiting, check=True, capture_output=True)
    assert ids(server) == list(range(1, 301))


# -- 39: clocks


def test_order_is_the_order_recorded_whatever_the_clock_says(server, towards, monkeypatch):
    """(39) Times two days ahead, two days back and stepped back by an hour: the order is that of the calls."""
    towards(server)
    day = 86_400 * 10**9
    now = time.time_ns()
    steps = iter([now + 2 * day, now - 2 * day, now, now - day // 24, now - day // 24 + 1])
    monkeypatch.setattr(journal, "time_ns", lambda: next(steps, now))
    with autoflow.workflow("w", log=False):
        for number in range(1, 11):
            load(number)
        assert autoflow.flush(60)
    assert ids(server) == list(range(1, 11))


def test_delays_are_measured_by_a_monotonic_clock(monkeypatch):
    """(39) A wall clock stepped by hours changes no wait."""
    backoff = Backoff()
    backoff.failed(5.0)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert 4 < backoff.wait() <= 5 + 5
