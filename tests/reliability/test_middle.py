"""Responses from something between the app and the server: a proxy, a portal, a firewall, another server.

A record ends only by a refusal in the API's own format from a server that has identified itself. What a middle refuses
while other records pass is set aside as blocked, and tried again.
"""

from __future__ import annotations

import gzip
import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest

import autoflow
from autoflow.outbox import home
from autoflow.testing import page, well
from autoflow.testing import status as answers
from autoflow.wire import methods
from tests.census import census_of
from tests.reliability.kit import counts, ids, load, sender

pytestmark = [pytest.mark.core, pytest.mark.slow]

CODES = [
    *[200, 201, 204, 206, 300, 302, 304, 307, *range(400, 432), 451, 499],
    *[500, 501, 502, 503, 504, 505, 511, 520, 521, 522, 523, 524, 525, 526, 530],
]
FOREIGN = [b"", {}, None, [], "ok", 7, {"ok": True}, {"success": False}, {"success": "true"}, {"success": 1}]
FOREIGN_ERRORS = [
    {"message": "Forbidden"},
    {"error": "forbidden"},
    {"error": {"code": 403, "message": "no"}},
    {"detail": "Not Found"},
    {"details": {"message": "x"}},
    {"error": "Bad Request", "statusCode": 400, "message": "x"},
    [],
    None,
    b"",
    b"<html></html>",
    b"[" * 100_000,
]
DELIVERS = {methods.RECORDS_ADD, *methods.ADD_EDGE.values()}
KINDS = pytest.mark.parametrize("kind", ["server", "instance"])


def holds(exchange, number):
    """Return whether a request contains the edge of a project."""
    return f'"id": {number}' in json.dumps(exchange.body) and exchange.method in DELIVERS


def agrees():
    """The outbox's own counts, which the files must bear out."""
    totals = counts()
    reported = {name: totals[name] for name in ("recorded", "sent", "waiting", "dead", "dropped")}
    assert census_of(Path(home.find()))._asdict() == reported
    return totals


def foreign(code, answer):
    """Answer deliveries so, and everything else well: the worst a middle can do."""

    def behave(exchange):
        if exchange.method in DELIVERS:
            exchange.reply(code, answer)
        else:
            well(exchange)

    return behave


def waits_through(server, behaviour):
    """Three records meet a behaviour: none ends by it, and all arrive in order when it is over."""
    with autoflow.workflow("w"):
        server.behave(behaviour)
        for number in (1, 2, 3):
            load(number)
        for _ in range(7):  # the circuit opens on the way
            assert not autoflow.flush(60)
            sender().session.backoff.retry_after_until = 0.0
        totals = agrees()
        assert totals["dead"] == totals["dropped"] == 0
        assert totals["waiting"] >= 3
        server.behave(well)
        assert autoflow.flush(60)
    assert ids(server) == [1, 2, 3]
    agrees()


@KINDS
@pytest.mark.parametrize(
    ("code", "everywhere"), [*((code, False) for code in CODES), *((code, True) for code in CODES[::7])]
)
def test_a_page_of_a_proxy_settles_no_record(code, everywhere, kind, request, towards):
    """Whatever its status, a page says nothing about a record."""
    server = request.getfixturevalue(kind)
    towards(server)
    body = page(code)
    waits_through(server, body if everywhere else lambda ex: body(ex) if ex.method in DELIVERS else well(ex))


@pytest.mark.parametrize("answer", FOREIGN, ids=repr)
@pytest.mark.parametrize("everywhere", [True, False], ids=["everything", "deliveries"])
def test_only_the_instances_own_response_counts_as_delivered(answer, everywhere, instance, towards):
    """An edge is delivered by ``{"success": true}``; whatever else comes with status 200 is a portal's."""
    towards(instance)
    waits_through(instance, (lambda ex: ex.reply(200, answer)) if everywhere else foreign(200, answer))


@KINDS
@pytest.mark.parametrize(
    ("code", "answer"),
    list(zip(itertools.cycle([400, 403, 404, 422]), [*FOREIGN_ERRORS, *FOREIGN_ERRORS[:4]])),
    ids=lambda value: repr(value)[:30],
)
def test_an_error_in_another_format_settles_no_record(answer, code, kind, request, towards):
    """A gateway's JSON is no refusal of the API's."""
    server = request.getfixturevalue(kind)
    towards(server)
    waits_through(server, foreign(code, answer))


def compressed(exchange):
    """A portal's page, gzipped."""
    exchange.reply(200, gzip.compress(b"<html>"), {"Content-Encoding": "gzip", "Content-Type": "text/html"})


def truncated(exchange):
    """An answer cut off before its announced length."""
    exchange._handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"success": tr')
    exchange.drop()


def chunked(exchange):
    """A chunked answer that ends without its last chunk."""
    exchange._handler.wfile.write(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"succes\r\n')
    exchange.drop()


def no_gzip(exchange):
    """An answer that says gzip and is none."""
    exchange.reply(200, b'{"success": true}', {"Content-Encoding": "gzip"})


def not_json(exchange):
    """Bytes that are no text."""
    exchange.reply(200, b"\xff\xfe{}")


@KINDS
@pytest.mark.parametrize("broken", [compressed, truncated, chunked, no_gzip, not_json], ids=lambda it: it.__name__)
def test_a_broken_response_settles_no_record(broken, kind, request, towards):
    """Only a complete response in the API's format counts."""
    server = request.getfixturevalue(kind)
    towards(server)
    waits_through(server, lambda exchange: broken(exchange) if exchange.method in DELIVERS else well(exchange))


@pytest.mark.parametrize("answer", [{}, None, b"", [], [{"ok": 1}], {"entities": 3}, "x", b"<html>"], ids=repr)
def test_a_lookup_answered_by_a_portal_refuses_no_record(answer, instance, towards):
    """A path is unknown only when the instance says so."""
    towards(instance)

    @autoflow.workflow_output("file")
    def save(path):
        return path

    lookups = {methods.TASK_INFO, methods.FILE_LIST} - ({methods.FILE_LIST} if answer == [] else set())
    instance.behave(lambda ex: ex.reply(200, answer) if ex.method in lookups else well(ex))
    with autoflow.workflow("w"):
        save("/a/b.pt")
        assert not autoflow.flush(60)
        assert agrees()["dead"] == 0
        instance.behave(well)
        assert autoflow.flush(60)
    assert ids(instance) == [7001]


def test_a_portal_with_empty_lookups_is_detected_by_identification(instance, towards):
    """An empty list counts only from a server that still identifies itself."""
    towards(instance)

    @autoflow.workflow_output("file")
    def save(path):
        return path

    with autoflow.workflow("w"):
        load(1)
        assert autoflow.flush(60)
        instance.behave(lambda exchange: exchange.reply(200, []))
        save("/a/b.pt")
        assert not autoflow.flush(60)
        assert agrees()["dead"] == 0
        instance.behave(well)
        assert autoflow.flush(60)


# -- blocked records


@KINDS
@pytest.mark.parametrize("code", [400, 403, 404, 406, 413, 418, 451])
def test_a_record_refused_by_a_firewall_does_not_block_others(code, kind, request, towards, caplog):
    """It is set aside as blocked: counted as waiting, tried again, and delivered once the firewall lets it pass."""
    server = request.getfixturevalue(kind)
    towards(server)
    refuse = page(code)
    server.behave(lambda exchange: refuse(exchange) if holds(exchange, 77) else well(exchange))
    with autoflow.workflow("w"):
        for number in range(70, 81):
            load(number)
        assert not autoflow.flush(60)
        assert ids(server) == [number for number in range(70, 81) if number != 77]
        totals = agrees()
        assert (totals["waiting"], totals["blocked"], totals["dead"]) == (1, 1, 0)
        assert any("between here and the server" in message for message in caplog.messages)
        load(90)
        assert not autoflow.flush(60)
        assert ids(server)[-1] == 90
        assert agrees()["blocked"] == 1
        server.behave(well)
        assert autoflow.flush(60)
        assert "blocked" not in agrees()
    assert sorted(ids(server)) == [*range(70, 81), 90]


@KINDS
def test_the_last_record_can_be_blocked(kind, request, towards):
    """Others passed a moment before it: it is set aside, though nothing follows it."""
    server = request.getfixturevalue(kind)
    towards(server)
    refuse = page(403)
    server.behave(lambda exchange: refuse(exchange) if holds(exchange, 3) else well(exchange))
    with autoflow.workflow("w", log=False):
        for number in (1, 2, 3):
            load(number)
        assert not autoflow.flush(60)
        assert ids(server) == [1, 2]
        assert agrees()["blocked"] == 1


@KINDS
def test_records_too_long_for_a_proxy_are_set_aside(kind, request, towards):
    """A proxy with a limit for bodies: batches are split until they fit, and what never fits is blocked."""
    server = request.getfixturevalue(kind)
    towards(server)
    refuse = page(413)
    server.behave(lambda ex: refuse(ex) if len(json.dumps(ex.body)) > 4_000 else well(ex))
    with autoflow.workflow("w", log=False) as run:
        for number in range(1, 101):
            load(number)
        run.input("project", 500, title="long " * 1000)
        run.input("project", 501)
        autoflow.flush(60)
        assert ids(server) == [*range(1, 101), 501]
        assert agrees()["dead"] == 0
        server.behave(well)
        assert autoflow.flush(60)
    assert ids(server) == [*range(1, 101), 501, 500]


@KINDS
@pytest.mark.parametrize("code", [200, 302, 500, 503])
def test_a_record_refused_by_a_page_of_any_status_is_set_aside_in_the_end(code, kind, request, towards):
    """A firewall may block with a status that means an absent server: after some tries the record is found."""
    server = request.getfixturevalue(kind)
    towards(server)
    refuse = page(code)
    server.behave(lambda exchange: refuse(exchange) if holds(exchange, 2) else well(exchange))
    with autoflow.workflow("w", log=False):
        for number in (1, 2, 3):
            load(number)
        for _ in range(8):
            autoflow.flush(60)
        assert ids(server) == [1, 3]
        totals = agrees()
        assert (totals["waiting"], totals["blocked"], totals["dead"]) == (1, 1, 0)


def test_a_record_that_fails_our_server_is_set_aside_in_the_end(server, towards):
    """Status 500 in the API's own format for one record alone, time and again, holds up no other."""
    towards(server)
    server.behave(lambda exchange: answers(500)(exchange) if holds(exchange, 2) else well(exchange))
    with autoflow.workflow("w", log=False):
        for number in (1, 2, 3):
            load(number)
        for _ in range(8):
            autoflow.flush(60)
        assert ids(server) == [1, 3]
        assert agrees()["blocked"] == 1


def test_a_result_of_an_unknown_status_is_set_aside_in_the_end(server, towards):
    """What the server says of one record is not understood: it is asked again, and then set aside."""
    towards(server)

    def behave(exchange):
        records = exchange.body.get("records", ())
        odd = {record["key"] for record in records if record.get("entity", {}).get("id") == 2}
        exchange.body = {**exchange.body, "records": [record for record in records if record["key"] not in odd]}
        code, answer = exchange.apply()
        if exchange.method == methods.RECORDS_ADD:
            answer["results"] += [{"key": key, "status": "postponed"} for key in odd]
        exchange.reply(code, answer)

    with autoflow.workflow("w", log=False):
        server.behave(behave)
        for number in (1, 2, 3):
            load(number)
        for _ in range(8):
            autoflow.flush(60)
        totals = agrees()
        assert (totals["blocked"], totals["dead"]) == (1, 0)
        server.behave(well)
        assert autoflow.flush(60)
    assert sorted(ids(server)) == [1, 2, 3]


def test_blocked_records_outlive_their_process_and_are_sent_by_the_next(server, towards, tmp_path):
    """They are on disk; `outbox sync` tries them, and says that they wait while they are refused."""
    towards(server)
    refuse = page(403)
    server.behave(lambda exchange: refuse(exchange) if holds(exchange, 2) else well(exchange))
    script = (
        "import autoflow\n"
        "with autoflow.workflow('w', log=False) as run:\n"
        "    for number in (1, 2, 3): run.input('project', number)\n"
        "autoflow.flush(30)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    sync = [sys.executable, "-m", "autoflow.cli.main", "outbox", "sync", "--json"]
    done = subprocess.run(sync, check=False, capture_output=True)
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert (report["waiting"], report["blocked"], report["dead"]) == (1, 1, 0)
    assert agrees()["blocked"] == 1
    server.behave(well)
    assert subprocess.run(sync, check=False, capture_output=True).returncode == 0
    assert ids(server) == [1, 3, 2]
    report = agrees()
    assert report["recorded"] == report["sent"]


# -- another server


@pytest.mark.parametrize("first", ["server", "instance"])
def test_a_server_that_changes_its_kind_settles_no_record(first, server, towards):
    """An address that changes from one kind of server to the other between two requests: nothing is refused."""
    server.kind = first
    towards(server)

    @autoflow.workflow_output("file", title="{value.name} of {task_id}")
    def save(path):
        return path

    with autoflow.workflow("w"):
        load(1)
        save("/a.pt")
        assert autoflow.flush(60)
        server.kind = "instance" if first == "server" else "server"
        load(2)
        save("/b.pt")
        for _ in range(4):
            autoflow.flush(60)
            sender().session.succeeded()
        totals = agrees()
        assert totals["dead"] == 0
        assert autoflow.flush(60)
    assert [edge["id"] if "id" in edge else edge["entity"]["id"] for edge in server.edges].count(2) == 1
