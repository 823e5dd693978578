"""The application on a socket: bound before anything else is done, so that what is wrong with it is said at once."""

from __future__ import annotations

import errno
import signal
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from autoflow.errors import ServerUnreachable
from autoflow.server.http.connections import LONGEST_HEAD, BoundedProtocol, limit
from autoflow.server.http.request_guard import is_loopback

BACKLOG = 2048  # connections not taken yet
STOPPING = 20  # seconds that requests in flight have
KEEP_ALIVE = 75  # seconds a connection may be idle: longer than clients keep theirs


def listen(host: str, port: int) -> socket.socket:
    """A socket at an address; port 0 for any that is free.

    Raises:
        ServerUnreachable: the address is none, or not free.
    """
    if not 0 <= port <= 65535:
        raise ServerUnreachable(f"{port} is no port")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, _, _, address = found[0]
        # the protocol is said: asyncio sends at once only on sockets that name it, else each answer waits 40 ms
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
            said = f"port {port} of {host} is taken, by another `autoflow serve` perhaps; --port names another"
        else:
            said = f"cannot listen at {host}, port {port}: {error.strerror or error}"
        raise ServerUnreachable(said) from error


def address_of(listening: socket.socket, host: str) -> str:
    """The url clients on this machine reach a socket at; `host` is as it was asked for."""
    bound, port = listening.getsockname()[:2]
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bound, host)  # noqa: S104 - said, not bound here
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


def on_loopback(listening: socket.socket) -> bool:
    """Whether only this machine can reach a socket."""
    return is_loopback(str(listening.getsockname()[0]))


def server(app: ASGIApp) -> uvicorn.Server:
    """A server of the application that logs only what failed.

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
            backlog=limit(),
            h11_max_incomplete_event_size=LONGEST_HEAD,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=STOPPING,
        )
    )


def serve(app: ASGIApp, listening: socket.socket, ready: Callable[[], object]) -> None:
    """Serve until SIGINT or SIGTERM; then requests in flight are finished, for at most `STOPPING` seconds.

    `ready` is called when a signal would stop it so.
    """
    running = server(app)

    def stop(_signal: int, _frame: Any) -> None:
        """For a signal before uvicorn takes them; after it stopped, it raises those it took again."""
        running.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    ready()
    running.run(sockets=[listening])
