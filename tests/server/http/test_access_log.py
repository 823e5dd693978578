"""The access log: who called what, how it ended, and nothing that is secret."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from autoflow.server.http import access_log
from autoflow.server.http.access_log import AccessLog
from autoflow.server.http.exchange import Exchange
from tests.postgres import on_sqlite
from tests.server.http.conftest import Client
from tests.serving import served


@pytest.fixture
def logged(server, tmp_path):
    """A function that sends requests to a server with tokens, and returns the lines that it then has logged."""

    def run(*requests):
        log = AccessLog(str(tmp_path / "access.log"))
        with served(server, auth=True, access_log=log) as url:
            client = Client(url, server)
            responses = [request(client) for request in requests]
            client.close()
        log.close()
        return responses, [json.loads(line) for line in (tmp_path / "access.log").read_text().splitlines()]

    return run


def test_a_request_is_one_line(server, logged, tmp_path):
    """With the method, the status, the user and team, sizes and duration."""
    token = server.tokens.create("ann", ["Vision"])
    (response,), (entry,) = logged(lambda client: client.as_(token).post("teams.list", json={}))
    assert entry.pop("time").endswith("Z")
    assert entry.pop("duration_ms") > 0
    assert entry == {
        "request_id": response.headers["X-Request-Id"],
        "client": "127.0.0.1",
        "verb": "POST",
        "path": "/public/api/v3/teams.list",
        "method": "teams.list",
        "status": 200,
        "received_bytes": 2,
        "sent_bytes": len(response.content),
        "user": "ann",
        "teams": [team["id"] for team in response.json()["entities"]],
        "refused": None,
    }
    assert stat.S_IMODE(os.stat(tmp_path / "access.log").st_mode) == 0o600


@on_sqlite
def test_the_id_of_a_request_is_the_clients_if_it_is_one(server, logged):
    """A proxy's id is kept and returned; text that could forge a line is replaced."""
    sent = ["from-proxy.7:a", "x" * 65, 'a"b', "a b"]
    responses, entries = logged(
        *(lambda client, i=i: client.send("GET", "/healthz", headers={"X-Request-Id": i}) for i in sent)
    )
    assert [entry["request_id"] for entry in entries] == [response.headers["X-Request-Id"] for response in responses]
    assert entries[0]["request_id"] == sent[0]
    assert {entry["request_id"] for entry in entries}.isdisjoint(sent[1:])


@on_sqlite
def test_a_refused_token_is_logged_without_any_of_it(server, logged, tmp_path):
    """The line says why it was refused; the query and the token are not in the file."""
    token = server.tokens.create("ann", ["Vision"])
    wrong = token[:-1] + ("0" if token[-1] != "0" else "1")
    _, entries = logged(
        lambda client: client.post("teams.list", json={}),
        lambda client: client.as_(wrong).send("GET", "/public/api/v3/teams.list?secret=hunter2"),
    )
    assert [(entry["status"], entry["user"], bool(entry["refused"])) for entry in entries] == [(401, None, True)] * 2
    text = (tmp_path / "access.log").read_text()
    assert wrong[:6] not in text
    assert "hunter2" not in text


@on_sqlite
def test_a_renamed_log_is_begun_again(server, tmp_path):
    """As logrotate renames it: the next line is in a new file."""
    log = AccessLog(str(tmp_path / "access.log"))
    with served(server, access_log=log) as url:
        client = Client(url, server)
        client.send("GET", "/healthz")
        log._lines.join()
        os.rename(tmp_path / "access.log", tmp_path / "access.log.1")
        client.send("GET", "/readyz")
        client.close()
    log.close()
    methods = [
        [json.loads(line)["method"] for line in (tmp_path / name).read_text().splitlines()]
        for name in ("access.log.1", "access.log")
    ]
    assert methods == [["/healthz"], ["/readyz"]]


def test_lines_that_a_full_queue_drops_are_counted(tmp_path, monkeypatch):
    """A disk that hangs delays no request, and the log says how many lines are missing."""
    monkeypatch.setattr(access_log, "MAX_WAITING", 1)
    os.mkfifo(tmp_path / "pipe")
    with os.fdopen(os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)) as stream:
        log = AccessLog(str(tmp_path / "pipe"))
        for _ in range(1000):  # more than a pipe holds
            log.write(Exchange("id", "GET", "/" + "x" * 1000, "10.0.0.1"))
        os.set_blocking(stream.fileno(), True)
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(stream.readlines)
            log._lines.join()
            log.write(Exchange("last", "GET", "/", "10.0.0.1"))
            log.close()
            entries = [json.loads(line) for line in reading.result()]
    assert entries[-1]["request_id"] == "last"
    assert len(entries) + sum(entry.get("dropped", 0) for entry in entries) == 1001
    assert {len(entry["path"]) for entry in entries[:-1]} == {access_log.MAX_PATH}
