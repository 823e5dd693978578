"""One server over HTTP: deadlines, redirects, proxies, and what is said when it says no."""

from __future__ import annotations

import errno
import io
import logging
import socket
import threading
import time
import traceback

import pytest

from autoflow.errors import NotAllowed, ServerBusy, ServerRefused, ServerUnreachable
from autoflow.testing import FaultyServer, hang, page, redirect, slow, status
from autoflow.transport import http
from autoflow.transport.http import HttpTransport, normalise, origin_of
from autoflow.wire.parts import Part

pytestmark = pytest.mark.core

TOKEN = "secret-token-0123456789"
STALLED = 20.0  # seconds a busy machine may stand still; without the deadline each of these takes half a minute or more
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server():
    with FaultyServer() as server:
        yield server


@pytest.fixture
def transport(server):
    transport = HttpTransport(server.address, lambda: TOKEN)
    yield transport
    transport.close()


# -- deadlines


@pytest.mark.timing
@pytest.mark.parametrize("behaviour", [hang, slow(0.1)], ids=["no byte", "a byte now and then"])
def test_a_request_ends_at_its_deadline(behaviour, server, transport):
    """(34) Neither silence nor a trickle of header bytes holds a request beyond its deadline."""
    server.behave(behaviour)
    begun = time.monotonic()
    with pytest.raises(ServerUnreachable):
        transport.call("instance.version", {}, timeout=0.6)
    assert 0.5 < time.monotonic() - begun < STALLED


@pytest.mark.timing
def test_a_trickled_body_ends_at_the_deadline(server, transport):
    """(34) A body that comes a byte at a time, after a prompt header, is not waited for beyond the deadline."""

    def behave(exchange):
        handler = exchange._handler
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _ in range(1000):
            if handler.owner.stopped.wait(0.05):
                return
            handler.wfile.write(b" ")

    server.behave(behave)
    begun = time.monotonic()
    with pytest.raises(ServerUnreachable):
        transport.call("instance.version", {}, timeout=0.6)
    assert 0.5 < time.monotonic() - begun < STALLED


@pytest.mark.timing
def test_a_server_that_reads_nothing_ends_at_the_deadline():
    """(34) Sending a body that the server does not read ends at the deadline."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        transport = HttpTransport(f"http://127.0.0.1:{silent.getsockname()[1]}", lambda: None)
        begun = time.monotonic()
        with pytest.raises(ServerUnreachable):
            transport.call("any", [" " * (32 << 20)], timeout=0.6)
        assert time.monotonic() - begun < STALLED
        transport.close()


@pytest.mark.timing
def test_addresses_that_do_not_answer_share_one_deadline(monkeypatch):
    """(34) A name with many dead addresses is not tried for longer than the deadline."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:  # the queue of connections nobody accepts is full: the next hears nothing
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        actual = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))] * 20
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: actual)
        transport = HttpTransport(f"http://many.invalid:{port}", lambda: None)
        begun = time.monotonic()
        with pytest.raises(ServerUnreachable):
            transport.call("any", {}, timeout=0.6)
        assert time.monotonic() - begun < STALLED
        transport.close()
        for filler in fillers:
            filler.close()


def test_a_slow_upload_may_take_longer_than_the_connect_timeout(monkeypatch):
    """The connect timeout does not limit sending a large file over a slow line."""
    monkeypatch.setattr(http, "CONNECT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 10)

        def read_slowly():
            connection, _ = listening.accept()
            with connection:
                received = b""
                while b"\r\n\r\n" not in received:
                    received += connection.recv(100)
                length = int(received.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                left = length - len(received.split(b"\r\n\r\n", 1)[1])
                while left > 0:
                    left -= len(connection.recv(min(left, 64 << 10)))
                    time.sleep(0.005)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Thread(target=read_slowly)
        thread.start()
        transport = HttpTransport(f"http://127.0.0.1:{listening.getsockname()[1]}", lambda: None)
        file = io.BytesIO(b"x" * (8 << 20))
        assert transport.upload("any", [Part("file", file, "f", None)]) == {}
        thread.join()
        transport.close()


def test_a_short_request_is_one_packet():
    """The body of a request goes with its header: on a small one the calls of the system are most of what it costs."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        packets = []

        def answer():
            connection, _ = listening.accept()
            with connection:
                packets.append(connection.recv(1 << 16))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        server = threading.Thread(target=answer)
        server.start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        assert HttpTransport(address, lambda: None).call("tasks.info", {"id": 55}) == {}
        server.join(10)
    assert packets[0].endswith(b'\r\n\r\n{"id": 55}')


def test_one_connection_serves_many_requests(server, transport):
    """The connection is kept, also after a refusal."""
    ports = set()

    def behave(exchange):
        ports.add(exchange._handler.client_address[1])
        status(404)(exchange) if len(ports) % 2 else exchange.reply(200, {})

    server.behave(behave)
    for _ in range(4):
        with pytest.raises(ServerRefused):
            transport.call("any", {})
    assert len(ports) == 1


# -- other origins


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_elsewhere_is_refused(code, server, transport):
    """(35) The token goes to no other origin, and the refusal says where the server points."""
    with FaultyServer() as other:
        server.behave(redirect(other.address, code))
        with pytest.raises(ServerRefused, match=other.address) as caught:
            transport.call("instance.version", {})
        assert caught.value.concerns_all
        assert not other.requests


def test_a_redirect_within_the_origin_is_followed(server, transport):
    """A server may move a method; files are sent again from their beginning."""
    received = []

    def behave(exchange):
        received.append((exchange.method, exchange.body))
        if exchange.method == "old":
            exchange.reply(307, None, {"Location": "/public/api/v3/new"})
        else:
            exchange.reply(200, "moved")

    server.behave(behave)
    assert transport.call("old", {"a": 1}) == "moved"
    assert received == [("old", {"a": 1}), ("new", {"a": 1})]
    assert transport.upload("old", [Part("file", io.BytesIO(b"content"), "f", None)]) == "moved"
    assert received[2][1] == received[3][1]
    assert b"content" in received[3][1]


def test_redirects_are_limited(server, transport):
    """A redirect loop ends after a few rounds."""
    server.behave(redirect(server.address))
    with pytest.raises(ServerRefused, match="redirects more than"):
        transport.call("any", {})
    assert len(server.requests) < 10


def test_no_plain_text_where_tls_was_asked_for(server):
    """(35) An https address whose server speaks no TLS gets no request at all."""
    transport = HttpTransport(server.address.replace("http", "https"), lambda: TOKEN)
    with pytest.raises(ServerUnreachable):
        transport.call("any", {}, timeout=30)
    assert not server.requests
    transport.close()


# -- proxies and netrc


def test_a_proxy_is_used(server, monkeypatch):
    """(36) HTTP_PROXY is honoured: the request for another host goes through it."""
    monkeypatch.setenv("HTTP_PROXY", server.address)
    monkeypatch.setenv("http_proxy", server.address)
    transport = HttpTransport("http://lineage.invalid", lambda: TOKEN)
    assert transport.call("instance.version", {})["version"] == "6.18.3"
    assert server.headers[0]["host"] == "lineage.invalid"
    transport.close()


def test_a_host_in_no_proxy_is_asked_directly(server, transport, monkeypatch):
    """(36) NO_PROXY is honoured, as of each request."""
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(ServerUnreachable):
        transport.call("instance.version", {}, timeout=30)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    assert transport.call("instance.version", {})["version"] == "6.18.3"


@pytest.mark.timing
def test_a_proxy_that_trickles_ends_at_the_deadline(server, monkeypatch):
    """(34) The deadline holds through a tunnel, too: a proxy that answers a byte at a time."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def trickle():
            connection, _ = proxy.accept()
            with connection:
                connection.recv(1000)
                for _ in range(200):
                    try:
                        connection.send(b"H")
                    except OSError:
                        return
                    if done.wait(0.05):
                        return

        done = threading.Event()
        thread = threading.Thread(target=trickle)
        thread.start()
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        transport = HttpTransport("https://lineage.invalid", lambda: TOKEN)
        begun = time.monotonic()
        with pytest.raises(ServerUnreachable):
            transport.call("any", {}, timeout=0.6)
        assert time.monotonic() - begun < STALLED
        done.set()
        thread.join()
        transport.close()


def test_netrc_is_never_used(server, transport, monkeypatch, tmp_path):
    """(36) Passwords stored in netrc are not sent."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password stored\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    transport.call("instance.version", {})
    assert "authorization" not in server.headers[0]
    assert server.headers[0]["x-api-key"] == TOKEN


# -- what the server says


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *[(400, ServerRefused), (401, NotAllowed), (403, NotAllowed), (404, ServerRefused), (408, ServerBusy)],
        *[(413, ServerRefused), (429, ServerBusy), (500, ServerBusy), (501, ServerRefused), (503, ServerBusy)],
    ],
)
def test_a_refusal_has_the_servers_message(code, kind, server, transport):
    """The error's class says whether to retry, its message is the server's."""
    server.behave(status(code, retry_after=7, message="because of this"))
    with pytest.raises(kind, match="because of this") as caught:
        transport.call("any", {})
    assert caught.value.status == code
    assert getattr(caught.value, "retry_after", 7) == 7


@pytest.mark.parametrize(
    ("behaviour", "all_of_them"),
    [
        (status(400), False),
        (status(404), False),
        (status(413), False),
        (status(422), False),
        (page(404), True),
        (page(405), True),
        (status(401), True),
        (status(403), True),
        (status(407), True),
        (status(501), True),
    ],
)
def test_refusals_of_all_requests_are_distinguished(behaviour, all_of_them, server, transport):
    """(30) A page instead of the API's format, the token, an unknown method: every request would be refused."""
    server.behave(behaviour)
    with pytest.raises(ServerRefused) as caught:
        transport.call("any", {})
    assert caught.value.concerns_all is all_of_them


def test_a_response_that_is_not_json_is_retried(server, transport):
    """A login page with status 200 is not taken for a response of the API."""
    server.behave(page(200))
    with pytest.raises(ServerBusy):
        transport.call("any", {})


# -- the token


@pytest.mark.parametrize("token", ["line\nend", "dots\u2026", "nul\0", " secret"])
def test_a_token_that_no_header_can_hold_is_not_shown(token, server, caplog):
    """A token copied with a line end or an ellipsis is refused in words that do not repeat it."""
    transport = HttpTransport(server.address, lambda: token)
    with pytest.raises(NotAllowed) as caught:
        transport.call("any", {})
    chain = []
    error = caught.value
    while error is not None:
        chain.append(repr(error) + str(error))
        error = error.__cause__ or error.__context__
    assert token.strip() not in "".join(chain)
    assert not server.requests


def test_a_token_that_the_server_repeats_is_masked(server, transport):
    """A token that the server's message repeats is masked in the error."""
    server.behave(status(401, message=f"token {TOKEN} is revoked"))
    with pytest.raises(NotAllowed) as caught:
        transport.call("any", {})
    assert TOKEN not in str(caught.value)
    assert "is revoked" in str(caught.value)


def test_the_token_is_in_no_log_and_no_repr(server, transport, caplog, capfd, monkeypatch):
    """(53) Not in ours, not in the HTTP library's, not when the app has turned on http.client's own printing."""
    import http.client

    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    caplog.set_level(logging.DEBUG)
    transport.call("instance.version", {})
    out, err = capfd.readouterr()
    assert TOKEN not in caplog.text + out + err + repr(transport)


def test_the_fingerprint_changes_with_the_token(server):
    """A change of the token is detected without revealing it."""
    tokens = ["one"]
    transport = HttpTransport(server.address, lambda: tokens[-1])
    before = transport.token_fingerprint()
    assert transport.token_fingerprint() == before
    tokens.append("two")
    assert transport.token_fingerprint() != before


# -- addresses


@pytest.mark.parametrize(
    "address",
    ["http://user:hunter2@host", "https://hunter2@host", "ftp://user:hunter2@host", "http://user:hunter2/x@h"],
)
def test_credentials_in_an_address_are_refused_and_not_repeated(address):
    """(53) The message does not hold what it complains of."""
    with pytest.raises(ValueError, match="address") as caught:
        origin_of(address)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value, chain=True)).replace(address, "")


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("host", "http://host"),
        ("HTTPS://Host:443/", "https://host"),
        ("http://[::1]:8080/x", "http://[::1]:8080"),
        ("http://host:80", "http://host"),
    ],
)
def test_an_origin_is_scheme_host_and_port(address, origin):
    """Spellings of one server are one origin."""
    assert origin_of(address) == origin
    assert normalise(address).startswith(("http", "HTTPS"))


def test_a_reset_while_connecting_is_distinguished(server, transport, monkeypatch):
    """A reset while connecting is not taken for one after the request was sent."""

    def reset(sock, address):
        raise ConnectionResetError(errno.ECONNRESET, "reset by peer")

    monkeypatch.setattr(
        "autoflow.transport.deadline.socket.socket", type("Reset", (socket.socket,), {"connect": reset})
    )
    with pytest.raises(ServerUnreachable):
        transport.call("instance.version", {}, timeout=30)
