"""The socket the server listens at."""

from __future__ import annotations

import socket

import pytest

from autoflow.errors import ServerUnreachable
from autoflow.server.http import listener


def test_answers_are_sent_at_once():
    """The socket names its protocol: only then does asyncio not hold back the second half of each answer for 40 ms."""
    with listener.listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize(
    ("host", "loopback", "shown_host"),
    [
        ("127.0.0.1", True, "127.0.0.1"),
        ("localhost", True, "localhost"),
        ("0.0.0.0", False, "127.0.0.1"),
        ("::1", True, "[::1]"),
    ],
)
def test_what_is_bound_decides_who_reaches_it(host, loopback, shown_host):
    """Loopback is told by the address bound, not by the name asked for; the url said is one that works here."""
    if host == "::1" and not socket.has_ipv6:
        pytest.skip("needs IPv6")
    try:
        listening = listener.listen(host, 0)
    except ServerUnreachable:
        pytest.skip(f"cannot bind {host} here")
    with listening:
        assert listener.on_loopback(listening) is loopback
        assert listener.address_of(listening, host) == f"http://{shown_host}:{listening.getsockname()[1]}"


@pytest.mark.parametrize("port", [-1, 70_000])
def test_a_number_that_is_no_port_is_said(port):
    """A port outside the range is a clear message."""
    with pytest.raises(ServerUnreachable, match="port"):
        listener.listen("127.0.0.1", port)
