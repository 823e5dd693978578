"""Connections that enforce one deadline for a whole request: connecting, sending, the header and the body.

The HTTP library's timeouts limit single waits: a server that sends a byte now and then can hold a request forever, and
a name with many dead addresses takes one timeout each. Here every wait gets what is left of the deadline. Only name
resolution cannot be cut short: the system's resolver has a timeout of its own.

urllib3 has no public hook for making the socket, so `_Connection` overrides its `_new_conn`.
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
IDLE_SECONDS = 30.0  # longest wait for a byte, however much is left

_deadline: ContextVar[float] = ContextVar("autoflow_deadline")  # monotonic seconds


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Set a deadline for the requests made in the block, including the reading of their responses."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def _remaining(deadline: float) -> float:
    """Return the timeout of the next wait.

    Raises:
        TimeoutError: the deadline has passed.
    """
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError("the deadline of the request has passed")
    return min(remaining, IDLE_SECONDS)


class _DeadlineReader(io.RawIOBase):
    """Reads from a socket until the deadline. It may outlive the block that made the request."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._file = sock.makefile("rb", buffering=0)
        self._deadline = _deadline.get()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_remaining(self._deadline))
        return self._file.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_DeadlineReader(sock))


class _Connection(HTTPConnection):
    response_class = _Response
    debuglevel = 0  # http.client would print the headers, the token among them
    _pending: bytearray | None = None  # sent with the next piece

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request; a short body goes in one packet with the header."""
        self._pending = bytearray()
        try:
            super().request(*args, **kwargs)
            self._send_pending()
        finally:
            self._pending = None

    def _new_conn(self) -> socket.socket:
        """Connect to the first of the host's addresses that answers."""
        failure: OSError = socket.gaierror(f"{self.host} has no address")
        timeout = float(self.timeout or _remaining(_deadline.get()))
        for family, kind, protocol, _, address in socket.getaddrinfo(
            self._dns_host, self.port, type=socket.SOCK_STREAM
        ):
            sock = move_socket_high(socket.socket(family, kind, protocol))
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(min(timeout, _remaining(_deadline.get())))
                sock.connect(address)
            except OSError as error:
                sock.close()
                failure = error
            else:
                return sock
        # converted: otherwise a reset while connecting would look like one after the request was sent
        raise NewConnectionError(self, f"{type(failure).__name__}: {failure}") from failure

    def send(self, data: Any) -> None:
        """Send in pieces, each with what is left of the deadline as its timeout."""
        if self.sock is None:
            pending, self._pending = self._pending, None  # through a proxy, connecting sends a CONNECT request
            self.connect()
            self._pending = pending
        if self._pending is not None and isinstance(data, bytes) and len(self._pending) + len(data) <= SEND_BYTES:
            self._pending += data
            return
        self._send_pending()
        pieces = _pieces(data) if isinstance(data, bytes) else [data]
        for piece in pieces:
            if self.sock is not None:
                self.sock.settimeout(_remaining(_deadline.get()))
            super().send(piece)

    def _send_pending(self) -> None:
        """Send what is pending."""
        if pending := self._pending:
            self._pending = None
            self.send(bytes(pending))


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
    """Adapter of requests that uses such connections, direct or through a proxy."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Make the pools of connections through a proxy; SOCKS proxies keep the library's own."""
        pools = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):
            pools.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        return pools
