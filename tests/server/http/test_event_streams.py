"""The event stream that apps of the first generation hold open."""

from __future__ import annotations

import pytest
import requests

from autoflow.server.http import event_streams, listener
from autoflow.server.server import Server
from tests.server.http.conftest import Client
from tests.serving import served

EMPTY = bytes(4)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A server on SQLite: nothing depends on the database."""
    opened = Server.open(tmp_path_factory.mktemp("streams"))
    yield opened
    opened.close()


def stream(client, **request):
    return client.send("POST", event_streams.PATH, stream=True, **request)


def test_empty_messages_keep_the_stream_alive(store, monkeypatch):
    """One at once and one after each interval; other requests of the same client are answered meanwhile."""
    monkeypatch.setattr(event_streams, "KEEP_ALIVE_INTERVAL", 0.01)
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
    monkeypatch.setattr(event_streams, "MAX_STREAMS", 1)
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
