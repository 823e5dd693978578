"""The event stream that apps of the first generation hold open, and the commands that they get by it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from autoflow.server.http import agent_routes, app_streams, listener
from autoflow.server.server import Server
from autoflow.wire import methods
from tests.server.http.conftest import Client
from tests.serving import served

EMPTY = bytes(4)
# Two messages `Chunk` of the SDK's worker_api.proto as protobuf 3.20 encodes them, the second with every field.
CHUNKS = b'\x00\x00\x00\x0b\n\x06{"ok":\x10\xac\x02' + b"\x00\x00\x00\x0a\n\x021}\x10\xac\x02\x1a\x01e"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A server on SQLite: nothing depends on the database."""
    opened = Server.open(tmp_path_factory.mktemp("streams"))
    yield opened
    opened.close()


def stream(client, **request):
    return client.send("POST", agent_routes.PATH, stream=True, **request)


def test_empty_messages_keep_the_stream_alive(store, monkeypatch):
    """One at once and one after each interval; other requests of the same client are answered meanwhile."""
    monkeypatch.setattr(app_streams, "KEEP_ALIVE_INTERVAL", 0.01)
    with served(store) as url:
        client = Client(url, store)
        with stream(client) as response:
            assert (response.status_code, response.headers["Content-Type"]) == (200, "application/octet-stream")
            assert response.raw.read(3 * len(EMPTY)) == 3 * EMPTY
            assert client.call("instance.version")
            assert response.raw.read(len(EMPTY)) == EMPTY
        client.close()


def test_the_number_of_streams_is_limited(store, monkeypatch):
    """One too many is told to come again, and is served once another is closed."""
    monkeypatch.setattr(app_streams, "MAX_STREAMS", 1)
    with served(store) as url:
        client = Client(url, store)
        with stream(client) as first:
            assert first.raw.read(len(EMPTY)) == EMPTY
            with stream(client) as second:
                assert (second.status_code, second.headers["Retry-After"]) == (503, "1")
        while stream(client).status_code == 503:  # until the server has seen that the first one is closed
            pass
        client.close()


def test_a_token_is_needed(store):
    """It is the SDK's `AGENT_TOKEN`, in its own header."""
    token = store.tokens.create("ann", ["Team"])
    with served(store, auth=True) as url:
        client = Client(url, store)
        assert stream(client).status_code == 401
        assert stream(client, headers={"x-token": token}).status_code == 200
        client.close()


def test_a_server_that_stops_waits_for_no_stream(store, monkeypatch):
    """Requests in flight are finished, but a stream has no end: it is cut off, so that the app opens a new one."""
    monkeypatch.setattr(listener, "SHUTDOWN_TIMEOUT", 3600)
    with served(store) as url:
        client = Client(url, store)
        response = stream(client)
        assert response.raw.read(len(EMPTY)) == EMPTY
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        list(response.iter_content(None))
    client.close()


def event(response):
    """The id and the data of the next command of a stream: the fields of a `GeneralEvent`."""
    size = 0
    while not size:
        size = int.from_bytes(response.raw.read(4), "big")
    message = response.raw.read(size)
    assert message[:2] == b"\n\x20"
    assert message[34:35] == b"\x12"
    start = 36 if message[35] < 0x80 else 37  # the length of the data takes one byte, or two
    return message[2:34].decode(), json.loads(message[start:])


def test_a_command_reaches_the_app_of_its_task(store):
    """One that is sent before the app connects waits for it; the app's response comes back as the app wrote it."""
    command = {"taskId": 777, "command": "run", "context": {"a": 1}, "state": {"projectId": 7, "long": "x" * 200}}
    app = {"x-task-id": "777", "x-token": "apps"}
    with served(store) as url, ThreadPoolExecutor(1) as pool:
        client = Client(url, store)
        client.call(methods.TASKS_ENSURE, id=777)
        sent = pool.submit(Client(url, store).call, "tasks.request.direct", **command)
        with stream(client, headers=app) as response:
            request_id, data = event(response)
            assert data == {name: command[name] for name in ("command", "context", "state")} | {"api_token": "apps"}
            for headers, body in (({"x-task-id": "778"}, CHUNKS), ({}, b""), (app, CHUNKS)):  # the last is the app's
                answer = client.send(
                    "POST", agent_routes.RESPONSE_PATH, headers={**headers, "x-request-id": request_id}, data=body
                )
                assert (answer.status_code, answer.content) == (200, b"")
            assert sent.result() == {"ok": 1}
            assert client.call("tasks.request.direct", **{**command, "state": {}}, skipResponse=True)["success"]
            assert event(response)[1]["state"] == {}
            late = client.refused(409, "tasks.request.direct", json={**command, "timeout": 0.01})
            assert "did not respond within 0.01 s" in late["message"]
            cut = client.send("POST", agent_routes.RESPONSE_PATH, headers=app, data=CHUNKS[:-1])
            assert cut.status_code == 400
        client.close()


def test_no_other_app_gets_a_command(store):
    """Neither one that reads alone, nor one of another team; without the app, the command is refused."""
    tokens = store.tokens
    ann, eve = tokens.create("ann", ["Team"]), tokens.create("eve", ["Others"])
    reader = tokens.create("ann", ["Team"], scope="read")
    with served(store, auth=True) as url:
        client = Client(url, store, ann)
        task = client.call(methods.RUNS_ENSURE, run="r", name="Train")["task"]
        command = {"taskId": task, "command": "run", "state": {}, "skipResponse": True, "timeout": 0.1}
        for token in (eve, reader):
            with stream(client, headers={"x-task-id": str(task), "x-api-key": token}) as response:
                assert response.raw.read(len(EMPTY)) == EMPTY
                assert "no app of task" in client.refused(409, "tasks.request.direct", json=command)["message"]
        client.as_(reader).refused(403, "tasks.request.direct", json=command)
        client.close()


def test_reproduced_code_gets_no_commands(store):
    """They are for the app of the task that really runs, although the token may write to the task's team."""
    with served(store) as url:
        client = Client(url, store)
        task = client.call(methods.TASKS_ENSURE, id=779)["id"]
        token = client.call("autoflow.reproduction.token", task=task)["token"]
        app, reproduced = ({"x-task-id": "779", "x-token": text} for text in ("apps", token))
        with stream(client, headers=app) as first, stream(client, headers=reproduced) as second:
            assert second.raw.read(len(EMPTY)) == EMPTY
            client.call("tasks.request.direct", taskId=779, command="run", skipResponse=True)
            assert event(first)[1]["command"] == "run"
        client.close()
