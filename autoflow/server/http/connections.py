"""Bounds on connections: their number, and the time a client may take to send a request's head or to read a response.

uvicorn waits for both without end, and its own limit answers only complete requests. Here a connection that exceeds a
time is closed. At the limit the connection that keeps the server waiting most makes room for the new one, so that
half-sent requests never keep complete ones out.
"""

from __future__ import annotations

import asyncio
import resource
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from autoflow.server.http.agent_routes import ENDLESS
from autoflow.server.http.responses import error_response

HEAD_TIMEOUT = 15.0  # seconds for a request's head
STALL_TIMEOUT = 60.0  # seconds in which a client has to read what the server has written ahead
CLOSE_TIMEOUT = 10.0  # seconds for the last bytes of a connection that is being closed
MAX_HEAD = 64 * 1024  # bytes
MAX_CONNECTIONS = 1000
OTHER_FILES = 256  # file descriptors for the database, blobs and uploads
CHECK_INTERVAL = 1.0  # seconds between two checks of the timeouts


def raise_connection_limit() -> int:
    """Raise the limit on open files if needed, and return the number of connections this process accepts.

    At that limit a process accepts no connection at all. Twice the number is reserved: asyncio takes up to a whole
    backlog of new connections before it closes the first of the old ones.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * MAX_CONNECTIONS + OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return MAX_CONNECTIONS
    soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(min(MAX_CONNECTIONS, (soft - OTHER_FILES) // 2), 16)


class BoundedProtocol(H11Protocol):
    """One connection. The server's ``backlog`` is also the number of connections accepted at once."""

    _head_since: float | None = None  # when the wait for a request's head began; None while a request is answered
    _body_since = 0.0
    _stalled_since: float | None = None
    _closing_since: float | None = None
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept a connection; at the limit another one is closed for it, or it is refused."""
        super().connection_made(transport)
        self._head_since = self.loop.time()
        self._timer = self.loop.call_later(CHECK_INTERVAL, self._check)
        if len(self.connections) > self.config.backlog:
            others = [other for other in self.connections if isinstance(other, BoundedProtocol) and other is not self]
            delays = [(delay, id(other), other) for other in others if (delay := other.delay()) is not None]
            if delays:
                min(delays)[-1].drop()
            else:
                self._refuse(503, "all connections of this server are in use", {"Retry-After": "1"})

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timeouts of a closed connection."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read bytes; close the connection if they are not HTTP."""
        if self.transport.is_closing():
            return
        if self._is_idle():
            self._head_since = self.loop.time()
        try:
            super().data_received(data)
        except h11.ProtocolError:  # in the middle of a response, which no other status can follow
            self.transport.abort()
        self._update_head_wait()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        super().on_response_complete()
        self._update_head_wait()

    def pause_writing(self) -> None:
        """Stop writing: the client reads slower than the server writes."""
        super().pause_writing()
        self._stalled_since = self.loop.time()

    def resume_writing(self) -> None:
        """Continue writing: the client has read."""
        super().resume_writing()
        self._stalled_since = None

    def send_400_response(self, msg: str) -> None:
        """Answer a request that is not HTTP, in the shape of all other errors."""
        self._refuse(400, msg)

    def delay(self) -> tuple[int, float] | None:
        """Return how the client keeps this connection waiting, and since when; None if the server is at work on it.

        The least is closed first: a half-sent head, then an idle connection, then a slow body or a slow reader.
        """
        if self.transport.is_closing():
            return None
        if self._stalled_since is None and self._head_since is not None:
            return int(self._is_idle()), self._head_since
        since = self._body_since if self._stalled_since is None else self._stalled_since
        sending = self.conn.their_state is h11.SEND_BODY or self._stalled_since is not None
        return (2, since) if sending and self.loop.time() - since > HEAD_TIMEOUT else None

    def shutdown(self) -> None:
        """Close the connection after the current response, or now if that response has no end."""
        super().shutdown()
        if self.scope is not None and self.scope.get("state", {}).get(ENDLESS):
            self.drop()  # a stream that is cut off is opened again at the next server

    def drop(self) -> None:
        """Close a connection at once."""
        self._unset_keepalive_if_required()
        self.transport.abort()

    def _is_idle(self) -> bool:
        """Return whether no byte of a next request has arrived since the last response."""
        return self.timeout_keep_alive_task is not None

    def _update_head_wait(self) -> None:
        if self.conn.their_state is h11.IDLE:
            self._head_since = self._head_since or self.loop.time()
        elif self._head_since is not None:
            self._head_since = None
            self._body_since = self.loop.time()

    def _check(self) -> None:
        now = self.loop.time()
        self._timer = self.loop.call_later(CHECK_INTERVAL, self._check)
        if self.transport.is_closing():
            self._closing_since = self._closing_since or now
            if now - self._closing_since > CLOSE_TIMEOUT:
                self.drop()
        elif self._stalled_since is not None and now - self._stalled_since > STALL_TIMEOUT:
            self.drop()
        elif self._head_since is not None and not self._is_idle() and now - self._head_since > HEAD_TIMEOUT:
            if self.conn.trailing_data[0]:
                self._refuse(408, f"the head of the request was not complete after {HEAD_TIMEOUT:.0f} s")
            else:
                self.drop()

    def _refuse(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        """Send an error without the application, if no response has begun, and close the connection."""
        self._unset_keepalive_if_required()
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:  # the application reads a body that is not HTTP
            cycle.disconnected = True
            cycle.message_event.set()
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            response = error_response(status, message, headers={**(headers or {}), "Connection": "close"})
            events: list[Any] = [
                h11.Response(status_code=status, headers=response.raw_headers),
                h11.Data(data=bytes(response.body)),
                h11.EndOfMessage(),
            ]
            self.transport.write(b"".join(self.conn.send(event) or b"" for event in events))
        self.transport.close()
