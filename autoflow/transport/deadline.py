"""Connections whose every wait ends at the request's deadline: connecting, sending, the header and the body.

The HTTP library's own timeouts are for one wait each: a server that sends a byte now and then is waited for as long as
it likes, and a name with many dead addresses as often as it has addresses. Here each wait gets what is left of the
whole. Only the resolving of a name cannot be cut short: the system's resolver has its own end.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from autoflow.process.file_descriptors import move_socket_high

SEND_BYTES = 64 << 10
IDLE_SECONDS = 30.0  # without any byte, however much is left

_until: ContextVar[float] = ContextVar("autoflow_deadline")


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give requests made in the block so long, all together, the reading of their answers included."""
    token = _until.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _until.reset(token)


def _left(until: float) -> float:
    """How long a single wait may be.

    Raises:
        TimeoutError: none are.
    """
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline of the request has passed")
    return min(left, IDLE_SECONDS)


class _Reading(io.RawIOBase):
    """What a socket receives, until a moment. It may outlive the block the request was made in."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._file = sock.makefile("rb", buffering=0)
        self._until = _until.get()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_left(self._until))
        return self._file.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_Reading(sock))


class _Connection(HTTPConnection):
    response_class = _Response
    debuglevel = 0  # http.client would print the headers, the token among them
    _held: bytearray | None = None  # what is sent with the next piece

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request; a short body goes in one packet with the header."""
        self._held = bytearray()
        try:
            super().request(*args, **kwargs)
            self._release()
        finally:
            self._held = None

    def _new_conn(self) -> socket.socket:
        """Connect to the first of the host's addresses that answers."""
        failure: OSError = socket.gaierror(f"{self.host} has no address")
        longest = float(self.timeout or _left(_until.get()))
        for family, kind, protocol, _, address in socket.getaddrinfo(
            self._dns_host, self.port, type=socket.SOCK_STREAM
        ):
            sock = move_socket_high(socket.socket(family, kind, protocol))
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(min(longest, _left(_until.get())))
                sock.connect(address)
            except OSError as error:
                sock.close()
                failure = error
            else:
                return sock
        # not as it is: a connection reset while it is made would pass for one reset after the request was sent
        raise NewConnectionError(self, f"{type(failure).__name__}: {failure}") from failure

    def send(self, data: Any) -> None:
        """Send in pieces, each within what is left of the deadline."""
        if self.sock is None:
            held, self._held = self._held, None  # through a proxy, connecting sends something by itself
            self.connect()
            self._held = held
        if self._held is not None and isinstance(data, bytes) and len(self._held) + len(data) <= SEND_BYTES:
            self._held += data
            return
        self._release()
        pieces = _pieces(data) if isinstance(data, bytes) else [data]
        for piece in pieces:
            if self.sock is not None:
                self.sock.settimeout(_left(_until.get()))
            super().send(piece)

    def _release(self) -> None:
        """Send what is held."""
        if held := self._held:
            self._held = None
            self.send(bytes(held))


class _SecureConnection(_Connection, HTTPSConnection):
    pass


def _pieces(data: bytes) -> Iterator[memoryview]:
    view = memoryview(data)
    for start in range(0, len(view), SEND_BYTES):
        yield view[start : start + SEND_BYTES]


class _Pool(HTTPConnectionPool):
    ConnectionCls: Any = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls: Any = _SecureConnection


class DeadlineAdapter(HTTPAdapter):
    """Requests' adapter over such connections, direct or through a proxy."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Make the pools of connections through a proxy; those through SOCKS are the library's own."""
        pools = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):
            pools.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        return pools
