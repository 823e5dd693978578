"""Connections that keep the server waiting, and bytes that are not HTTP, on real sockets."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import time

import pytest

from autoflow.server.db import blobs
from autoflow.server.http import connections
from autoflow.server.server import Server
from tests.server.http.conftest import Client
from tests.serving import served


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A server on loopback for all tests here, on SQLite: nothing depends on the database."""
    server = Server.open(tmp_path_factory.mktemp("connections"))
    with served(server) as url:
        made = Client(url, server)
        yield made
        made.close()
    server.close()


@pytest.fixture
def dial(client):
    """Open connections to the server; all are closed in the end."""
    host, port = client.url.removeprefix("http://").split(":")
    with contextlib.ExitStack() as stack:

        def opened(sent=b""):
            connection = stack.enter_context(socket.create_connection((host, int(port)), timeout=30))
            connection.sendall(sent.replace(b"HOST", f"Host: {host}:{port}".encode()))
            return connection

        yield opened


def read(connection):
    """All bytes until the server closes; what it resets was not answered."""
    chunks = []
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(65536):
            chunks.append(chunk)
    return b"".join(chunks)


def closed(connection):
    """Whether the server has closed a connection."""
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def error_of(answer):
    """Status and details of an answer that must be an error in the wire's form, whole."""
    head, _, body = answer.partition(b"\r\n\r\n")
    content = json.loads(body)
    assert set(content) == {"error", "details"}
    assert b"application/json" in head
    return int(head.split()[1]), content["details"]["message"]


def in_time(condition, seconds=30):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


HALF = b"POST /public/api/v3/instance.version HTTP/1.1\r\nHOST\r\nX-Slow: "


def test_half_sent_heads_keep_no_complete_request_out(client, dial):
    """Beyond the limit the connection that has waited longest is closed, and every complete request is answered."""
    half = [dial(HALF) for _ in range(1150)]
    for _ in range(5):
        client.session.close()  # each request on a connection of its own
        assert client.post("instance.version", json={}).status_code == 200
    in_time(lambda: sum(map(closed, half)) >= 150)
    assert not closed(half[-1])


def test_a_head_has_its_time(client, dial, monkeypatch):
    """A head that stays incomplete is 408, though a byte of it comes now and then; silence is closed."""
    monkeypatch.setattr(connections, "HEAD_TIMEOUT", 0.3)
    monkeypatch.setattr(connections, "CHECK_INTERVAL", 0.05)
    slow, silent = dial(HALF), dial()
    until = time.monotonic() + 20
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while time.monotonic() < until and not closed(silent):
            slow.sendall(b"x")
            time.sleep(0.02)
    slow.setblocking(True)
    assert error_of(read(slow))[0] == 408
    assert closed(silent)
    assert client.post("instance.version", json={}).status_code == 200


def test_an_idle_connection_is_kept_beyond_the_time_of_a_head(client, monkeypatch):
    """Between two requests the keep-alive time holds, and the next head's time begins with its first byte."""
    monkeypatch.setattr(connections, "HEAD_TIMEOUT", 0.1)
    monkeypatch.setattr(connections, "CHECK_INTERVAL", 0.02)
    host, port = client.url.removeprefix("http://").split(":")
    request = f"GET /openapi.json HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
    with socket.create_connection((host, int(port)), timeout=30) as connection, connection.makefile("rb") as answers:
        for _ in range(3):
            connection.sendall(request)
            assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
            length = 0
            while (line := answers.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            assert answers.read(length)
            time.sleep(0.4)


def test_a_client_that_does_not_read_is_closed(client, monkeypatch):
    """The server keeps a response for a slow reader only for a while, and closing waits for nobody."""
    monkeypatch.setattr(connections, "STALL_TIMEOUT", 0.3)
    monkeypatch.setattr(connections, "CHECK_INTERVAL", 0.05)
    response = client.put(data=os.urandom(20_000_000))
    host, port = client.url.removeprefix("http://").split(":")
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(30)
        connection.connect((host, int(port)))
        connection.sendall(f"GET /storage/files/{response['id']} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        time.sleep(1.5)
        assert len(read(connection)) < 20_000_000


NO_HTTP = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a TLS hello
    b"\r\n\r\nnonsense\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\nHOST\r\n\r\n",
    b"GET /\xff HTTP/1.1\r\nHOST\r\n\r\n",
    b"GET / HTTP/1.1\r\nHOST\r\nNo colon\r\n\r\n",
    b"GET / HTTP/1.1\r\nHOST\r\nX: \x00\r\n\r\n",
    b"GET / HTTP/1.1\r\nHOST\r\n : x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHOST\r\nX: " + b"x" * 200_000,
    b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHOST\r\n\r\n",
    b"GET / HTTP/1.1\r\nHOST\r\n" + b"X: y\r\n" * 30_000,
    b"POST /public/api/v3/x HTTP/1.1\r\nHOST\r\nContent-Length: -1\r\n\r\n",
    b"POST /public/api/v3/x HTTP/1.1\r\nHOST\r\nContent-Length: 1e3\r\n\r\n",
    b"POST /public/api/v3/x HTTP/1.1\r\nHOST\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n{}  ",
    b"POST /public/api/v3/x HTTP/1.1\r\nHOST\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"POST /public/api/v3/instance.version HTTP/1.1\r\nHOST\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    b"POST /public/api/v3/instance.version HTTP/1.1\r\nHOST\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
    b"POST /public/api/v3/instance.version HTTP/1.1\r\nHOST\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}xx0\r\n\r\n",
    b"POST /public/api/v3/instance.version HTTP/1.1\r\nHOST\r\nTransfer-Encoding: chunked\r\n"
    b"Content-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"GET /project/" + b"9" * 5000 + b" HTTP/1.1\r\nHOST\r\n\r\n",
]


@pytest.mark.parametrize("sent", NO_HTTP, ids=range(len(NO_HTTP)))
def test_what_is_not_http_is_an_error_and_ends_its_connection_alone(client, dial, capfd, sent):
    """Garbage, oversized heads and ambiguous lengths are 4xx in JSON, with nothing raised in the server."""
    connection = dial()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        host = client.url.removeprefix("http://").encode()
        connection.sendall(sent.replace(b"HOST", b"Host: " + host))
    answer = read(connection)
    if answer:  # while it is still sending, a client may see the connection reset instead
        assert error_of(answer)[0] in {*range(400, 500), 505}
    else:
        assert len(sent) > 100_000
    assert client.post("instance.version", json={}).status_code == 200
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "CONNECT", "X" * 1000])
@pytest.mark.parametrize("path", ["/", "/public/api/v3/projects.list", "/storage/files/1", "/assets/base.css"])
def test_a_method_that_no_route_has_is_405_or_404(client, dial, method, path):
    """Odd verbs run nothing."""
    connection = dial(f"{method} {path} HTTP/1.1\r\nHOST\r\nConnection: close\r\n\r\n".encode())
    assert error_of(read(connection))[0] in {404, 405}


def test_http_1_0_is_answered_and_closed(dial):
    """An old client or a health check without keep-alive."""
    answer = read(dial(b"GET /openapi.json HTTP/1.0\r\nHOST\r\n\r\n"))
    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "path",
    [
        *("/assets/../../../../etc/passwd", "/assets/%2e%2e/%2e%2e/shell.py", "/assets//etc/passwd"),
        *("/assets/..%2f..%2fshell.py", "/assets/base.css%00.js", "/storage/files/..%2f1", "/storage/files/-1"),
        *("/storage/files/1.5", "/storage/images/" + "9" * 4000, "/files/%ff%fe", "//etc/passwd", "/%00"),
    ],
)
def test_no_path_leads_out(client, dial, path):
    """Paths are names among those known, whatever they contain."""
    answer = read(dial(f"GET {path} HTTP/1.1\r\nHOST\r\nConnection: close\r\n\r\n".encode()))
    assert b"root:" not in answer
    assert error_of(answer)[0] in {400, 404, 414}


def test_a_failure_is_a_json_500_that_names_its_log_entry(client, monkeypatch, caplog):
    """What nobody foresaw is answered with a request id; the traceback is in the log under it, not in the answer."""

    def broken(*_arguments):
        raise ZeroDivisionError("secret cause")

    monkeypatch.setattr(client.server, "call", broken)
    answer = client.post("instance.version", json={})
    assert answer.status_code == 500
    assert answer.json()["error"] == "INTERNAL"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    (request_id,) = re.findall(r"request id ([0-9a-f]{16})", answer.text)
    assert answer.headers["X-Request-Id"] == request_id
    assert f"request {request_id}" in caplog.text
    assert "secret cause" in caplog.text
    monkeypatch.undo()
    assert client.post("instance.version", json={}).status_code == 200


def test_a_response_that_fails_midway_is_visibly_cut(client):
    """A file that became shorter on the disk ends its connection: the client sees that bytes are missing."""
    response = client.put(data=os.urandom(5_000_000))
    with client.server._store.read() as conn:
        path = client.server._context.blobs.path(
            response["hash"], blobs.find(conn, [response["hash"]])[response["hash"]]["generation"]
        )
    os.chmod(path, 0o600)
    os.truncate(path, 2_000_000)
    host, port = client.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        request = f"GET /storage/files/{response['id']} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"
        connection.sendall(request.encode())
        assert len(read(connection)) < 3_000_000
    assert client.post("instance.version", json={}).status_code == 200
