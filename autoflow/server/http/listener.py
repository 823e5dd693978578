"""Serve the application on a socket, which is bound before anything else so that its errors are reported at once."""

from __future__ import annotations

import errno
import signal
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from autoflow.errors import ServerUnreachable
from autoflow.server.http.connections import MAX_HEAD, BoundedProtocol, raise_connection_limit
from autoflow.server.http.request_guard import is_loopback

BACKLOG = 2048  # connections not accepted yet
SHUTDOWN_TIMEOUT = 20  # seconds for requests in flight
KEEP_ALIVE = 75  # seconds a connection may be idle: longer than clients keep theirs


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes any free one.

    Raises:
        ServerUnreachable: the address is invalid or in use.
    """
    if not 0 <= port <= 65535:
        raise ServerUnreachable(f"{port} is not a port: ports are 0 to 65535")
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, _, _, address = addresses[0]
        # asyncio sets TCP_NODELAY only on sockets that name their protocol; without it each response waits 40 ms
        listening = socket.socket(family, kind, socket.IPPROTO_TCP)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(BACKLOG)
        except BaseException:
            listening.close()
            raise
        return listening
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"port {port} of {host} is in use, perhaps by another `autoflow serve`; set another with --port"
        else:
            message = f"cannot listen at {host}, port {port}: {error.strerror or error}"
        raise ServerUnreachable(message) from error


def address_of(listening: socket.socket, host: str) -> str:
    """Return the url at which clients on this machine reach a socket; `host` as passed to `listen`."""
    bound, port = listening.getsockname()[:2]
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bound, host)  # noqa: S104 - compared, not bound here
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


def on_loopback(listening: socket.socket) -> bool:
    """Return whether only this machine can reach a socket."""
    return is_loopback(str(listening.getsockname()[0]))


def server(app: ASGIApp) -> uvicorn.Server:
    """Return a uvicorn server of the application that logs only failures.

    The SDK's first call sends a TLS hello to see whether the server speaks it; h11 answers that at once.
    """
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            log_level="error",
            access_log=False,
            server_header=False,
            backlog=raise_connection_limit(),
            h11_max_incomplete_event_size=MAX_HEAD,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
        )
    )


def serve(app: ASGIApp, listening: socket.socket, ready: Callable[[], object]) -> None:
    """Serve until SIGINT or SIGTERM; then requests in flight are finished, for at most `SHUTDOWN_TIMEOUT` seconds.

    `ready` is called once the signals are handled.
    """
    running = server(app)

    def stop(_signal: int, _frame: Any) -> None:
        """Handle a signal before uvicorn's handlers are set, or when uvicorn raises it again after it stopped."""
        running.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    ready()
    running.run(sockets=[listening])
