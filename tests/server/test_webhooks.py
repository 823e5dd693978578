"""Webhooks: signed requests to a real receiver, from an outbox that survives failures and a killed server."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from autoflow.errors import NotAllowed, ServerRefused
from autoflow.server import limits, webhook_delivery, webhook_request
from autoflow.server.db import webhooks
from autoflow.server.webhook_delivery import WebhookDelivery
from tests.postgres import on_sqlite
from tests.server.methods.admin.test_audit import entries
from tests.server.methods.lineage.test_models import train
from tests.serving import serving

DOCS = Path(__file__).parents[2] / "docs" / "server.md"
SECONDS = 60.0  # within which what is awaited must come


class Receiver(ThreadingHTTPServer):
    """Keeps the requests that it gets, and answers with the statuses in turn, then with 204."""

    def __init__(self, *statuses):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/events?team=1"
        self.statuses = list(statuses)
        self.requests = []
        self.arrived = threading.Condition()

    def wait_for(self, count):
        """Return the bodies of the first requests, as soon as there are so many."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.requests) >= count, SECONDS), self.requests
            return [json.loads(body) for _, body in self.requests]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.arrived:
            self.server.requests.append((dict(self.headers), body))
            status = self.server.statuses.pop(0) if self.server.statuses else 204
            self.server.arrived.notify_all()
        self.send_response(status)
        if status == 302:
            self.send_header("Location", self.server.url)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def receiving(*statuses):
    """A receiver on a real socket."""
    with Receiver(*statuses) as receiver:
        thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()


@contextlib.contextmanager
def delivering(server, *, allow_private=True):
    """The deliveries of a server."""
    delivery = WebhookDelivery(server.store, allow_private=allow_private)
    delivery.start()
    try:
        yield
    finally:
        delivery.stop()


@pytest.fixture(autouse=True)
def _poll_often(monkeypatch):
    monkeypatch.setattr(webhook_delivery, "POLL_INTERVAL", 0.02)


def add(filled, url, action, **meta):
    """Add a webhook, and return it with its secret."""
    return filled.call("webhooks.add", teamId=1, url=url, action=action, meta={"retriesDelay": 0, **meta})


def states(filled, webhook):
    """Return state, attempts and error of a webhook's deliveries, the oldest first, as soon as none waits."""
    end = time.monotonic() + SECONDS
    while True:
        listed = filled.call("autoflow.webhooks.deliveries", id=webhook["id"])["deliveries"]
        if all(entry["state"] != "waiting" for entry in listed):
            return [(entry["state"], entry["attempts"], entry["error"]) for entry in reversed(listed)]
        assert time.monotonic() < end, listed
        time.sleep(0.02)


def test_events_are_signed_and_delivered_after_failures(filled):
    """Runs that fail, versions, aliases and completed jobs, each once; a refusal and a redirect are tried again."""
    with receiving(500, 302) as receiver:
        hooks = {
            action: add(filled, receiver.url, action, headers={"X-Own": "1"})
            for action in ("run.failed", "version.created", "alias.moved", "labeling_job.completed")
        }
        for state in ("failed", "failed", "finished"):
            filled.send(
                filled.record("run", "one", name="Train"), filled.record("finish", "one", state=state, error="no")
            )
        project = filled.project()
        dataset = filled.dataset(project)
        filled.image(dataset)
        version = filled.snapshot(project)["id"]
        filled.snapshot(project)  # nothing changed
        train(filled, "two", b"weights")
        filled.call("autoflow.models.alias", name="lemons", alias="best", version=1, reason="good")
        job = filled.call("jobs.add", name="j", datasetId=dataset, userIds=[1])[0]["id"]
        for status in ("completed", "completed"):
            filled.call("jobs.set-status", id=job, status=status)
        with delivering(filled.server):
            bodies = receiver.wait_for(7)
            assert [states(filled, hook) for hook in hooks.values()].count([("delivered", 1, None)]) >= 1
    documented = {}
    example = re.search(r"## Webhooks.*?```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    exec(example[1], documented)
    delivered = {body["id"]: body for body in bodies}
    assert len(delivered) == 5
    by_action = {}
    for body in delivered.values():
        by_action.setdefault(body["action"], []).append(body["data"])
    assert [data["state"] for data in by_action["run.failed"]] == ["failed", "failed"]
    assert by_action["run.failed"][0]["ref"] == "task:1"
    assert by_action["version.created"][0]["ref"] == f"version:{version}"
    moved = {"ref": "model:lemons@best", "before": None, "version": 1, "who": "admin", "reason": "good"}
    assert by_action["alias.moved"] == [moved]
    assert by_action["labeling_job.completed"][0]["ref"] == f"job:{job}"
    for headers, body in receiver.requests:
        sent = json.loads(body)
        secret, signature = hooks[sent["action"]]["secret"], headers["X-Autoflow-Signature"]
        assert documented["is_genuine"](secret, signature, body)
        assert not documented["is_genuine"](secret, signature, body + b" ")
        assert (headers["X-Own"], headers["X-Autoflow-Event"]) == ("1", sent["action"])
        assert headers["X-Autoflow-Delivery"] == sent["id"]


@on_sqlite
def test_no_address_inside_unless_that_is_allowed(filled):
    """Loopback, private and link-local addresses in all their spellings are refused, and the attempts end."""
    with receiving() as receiver:
        hooks = [
            add(filled, url, "run.failed", retriesCount=1)
            for url in (receiver.url, receiver.url.replace("127.0.0.1", "localhost"), "http://192.0.2.1.invalid/")
        ]
        filled.call("webhooks.test", teamId=1, action="run.failed", payload={"a": 1})
        with delivering(filled.server, allow_private=False):
            outcomes = [states(filled, hook)[0] for hook in hooks]
        assert [outcome[:2] for outcome in outcomes] == [("failed", 2)] * 3
        assert ["address inside" in outcome[2] for outcome in outcomes] == [True, True, False]
        assert receiver.requests == []
        filled.call("webhooks.test", teamId=1, id=hooks[0]["id"], payload={"a": 1})
        with delivering(filled.server):
            assert receiver.wait_for(1)[0]["data"] == {"test": True, "a": 1}
    for address in (
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
        ),
        *("::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "2002:7f00:1::", "ff02::1", "64:ff9b::7f00:1"),
    ):
        assert webhook_request.is_private(address), address
    for address in ("8.8.8.8", "2606:4700::1111"):
        assert not webhook_request.is_private(address)


def test_a_receiver_holds_no_attempt_by_a_slow_handshake(monkeypatch):
    """An attempt ends after its time, also while the receiver sends the first record of TLS byte by byte."""
    monkeypatch.setattr(webhook_request, "TIMEOUT", 0.3)

    def drip(listener):
        """Return whether the whole record was taken."""
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"\x16\x03\x03\x02\x00")
            for _ in range(0x200):
                time.sleep(0.05)
                connection.sendall(bytes(1))
            return True
        return False

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        dripping = pool.submit(drip, listener)
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(webhook_request.DeliveryFailed):
            webhook_request.send(url, b"{}", {}, "secret", allow_private=True, verify=False)
        assert not dripping.result()


def test_a_claimed_delivery_is_another_servers_after_the_lease(filled, monkeypatch):
    """A server that ends in an attempt leaves it to the next one, and can settle it no more."""
    hook = add(filled, "https://example.com/", "run.failed")
    filled.call("webhooks.test", teamId=1, id=hook["id"])
    with filled.server.store.write() as conn:
        first = webhooks.claim(conn)
        assert webhooks.claim(conn) is None
    monkeypatch.setattr(webhooks, "LEASE", -1.0)
    with filled.server.store.write() as conn:
        webhooks.settle(conn, first, "slow", 0.0)
        webhooks.settle(conn, {**first, "attempts": 7}, None, None)
        second = webhooks.claim(conn)
    assert (second["id"], second["attempts"]) == (first["id"], 2)
    filled.call("webhooks.bulk.remove", ids=[hook["id"]])
    with filled.server.store.write() as conn:
        assert webhooks.claim(conn) is None
        webhooks.remove_old_deliveries(conn, -1)
    with pytest.raises(ServerRefused, match="unknown"):
        filled.call("autoflow.webhooks.deliveries", id=hook["id"])


def test_webhooks_and_their_events_are_limited(filled, monkeypatch):
    """A team has so many webhooks, and of so many waiting events; other teams, and removed webhooks, do not count."""
    monkeypatch.setattr(limits, "WEBHOOKS", 2)
    monkeypatch.setattr(limits, "WEBHOOK_EVENTS", 2)
    other = filled.call("teams.add", name="Other")["id"]
    hook = {"url": "http://127.0.0.1:9/", "action": "run.failed"}
    first, second, theirs = (filled.call("webhooks.add", teamId=team, **hook)["id"] for team in (1, 1, other))
    with pytest.raises(ServerRefused, match="has 2 webhooks") as refusal:
        filled.call("webhooks.add", teamId=1, **hook)
    assert refusal.value.status == 409
    filled.call("webhooks.bulk.remove", ids=[second])
    second = filled.call("webhooks.add", teamId=1, **hook)["id"]
    for _ in range(2):
        filled.call("webhooks.test", teamId=1, id=first)
    filled.call("webhooks.test", teamId=1, action="run.failed")
    filled.call("webhooks.test", teamId=other, action="run.failed")
    events = [
        filled.call("autoflow.webhooks.deliveries", id=number)["deliveries"] for number in (first, second, theirs)
    ]
    assert [[event["state"] for event in listed] for listed in events] == [
        ["failed", "waiting", "waiting"],
        ["waiting"],
        ["waiting"],
    ]
    assert (events[0][0]["error"], events[1][0]["error"]) == ("2 events wait for this webhook", None)
    with pytest.raises(ServerRefused, match="100000 bytes"):
        filled.call("webhooks.test", teamId=1, id=first, payload={"text": "x" * 100_001})


@on_sqlite
def test_webhooks_are_for_the_admins_of_their_team(filled):
    """Another team sees none of them, members who are no admins are refused, and so is what is malformed."""
    server = filled.server
    hook = add(filled, "https://example.com/", "run.failed")
    assert "secret" not in filled.call("webhooks.info", id=hook["id"])
    editor = server.tokens.caller(server.tokens.create("ann", ["Team"], scope="admin"))
    other = server.tokens.caller(server.tokens.create("bob", ["Others"], scope="admin", role="admin"))
    calls = {
        "webhooks.list": {"teamId": 1},
        "webhooks.info": {"id": hook["id"]},
        "webhooks.add": {"teamId": 1, "url": "https://example.com/", "action": "run.failed"},
        "webhooks.update": {"id": hook["id"], "url": "https://example.org/"},
        "webhooks.bulk.remove": {"ids": [hook["id"]]},
        "webhooks.test": {"teamId": 1, "id": hook["id"], "payload": {}},
        "autoflow.webhooks.deliveries": {"id": hook["id"]},
    }
    for method, body in calls.items():
        with pytest.raises(NotAllowed):
            server.call(method, body, editor)
        with pytest.raises(ServerRefused, match="unknown"):
            server.call(method, body, other)
    for changed in (
        {"action": "run.started"},
        *({"url": url} for url in ("ftp://x/", "https://u:p@x/", "x", "http:///x", "http://x y/", "http://x:99999/")),
        *({"meta": {"headers": headers}} for headers in ({"Host": "x"}, {"A b": "1"}, {"A": "1\r\nB: 2"}, {"A": {}})),
        *({"meta": meta} for meta in ({"retriesCount": 1000}, {"retriesDelay": -1})),
    ):
        with pytest.raises(ServerRefused) as refusal:
            filled.call("webhooks.add", **{**calls["webhooks.add"], **changed})
        assert refusal.value.status == 400
    filled.call("webhooks.update", id=hook["id"], meta={"retriesCount": 3}, url="https://example.org/")
    (listed,) = filled.call("webhooks.list", teamId=1)["entities"]
    assert (listed["url"], listed["meta"]) == ("https://example.org/", {"retriesDelay": 0, "retriesCount": 3})
    filled.call("webhooks.bulk.remove", ids=[hook["id"]])
    audited = [(entry["action"], entry["before"], entry["after"]) for entry in entries(server, action="webhook.")]
    assert audited == [
        ("webhook.create", None, "https://example.com/"),
        ("webhook.update", "https://example.com/", "https://example.org/"),
        ("webhook.delete", "https://example.org/", None),
    ]


def test_a_killed_server_delivers_after_its_restart(tmp_path):
    """An event that a killed `autoflow serve` had not delivered is delivered by the next one."""
    arguments = ("--data", str(tmp_path / "store"), "--private-webhooks")

    def ask(address, method, **body):
        response = requests.post(f"{address}/public/api/v3/{method}", json=body, timeout=60)
        assert response.status_code == 200, response.text
        return response.json()

    with receiving(500) as receiver:
        with serving(*arguments) as (_, url, _):
            meta = {"retriesDelay": 1}
            ask(url, "webhooks.add", teamId=1, url=receiver.url, action="run.failed", meta=meta)
            task = ask(url, "autoflow.runs.ensure", run="r")["task"]
            ask(url, "tasks.status.update", id=task, status="error")
            receiver.wait_for(1)
        # the one before was killed; the time for which it had claimed the delivery is over
        with contextlib.closing(sqlite3.connect(tmp_path / "store" / "platform.db")) as rows, rows:
            rows.execute("UPDATE webhook_deliveries SET next_at = created_at")
        with serving(*arguments):
            first, second = receiver.wait_for(2)
    assert first == second
    assert (first["action"], first["data"]["ref"]) == ("run.failed", f"task:{task}")
