"""A proxy that delays what passes, for a database that is a network away."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator


def _forward(source: socket.socket, target: socket.socket, seconds: float) -> None:
    """Forward bytes in one direction, each chunk `seconds` after it arrived."""
    waiting: deque[tuple[float, bytes]] = deque()
    arrived = threading.Semaphore(0)

    def send() -> None:
        with contextlib.suppress(OSError):
            while True:
                arrived.acquire()
                due, data = waiting.popleft()
                time.sleep(max(due - time.monotonic(), 0))
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(data)

    threading.Thread(target=send, daemon=True).start()
    data = b"."
    while data:
        try:
            data = source.recv(1 << 16)
        except OSError:
            data = b""
        waiting.append((time.monotonic() + seconds, data))
        arrived.release()


@contextlib.contextmanager
def delayed(unix_socket: str, seconds: float) -> Iterator[int]:
    """Forward connections to a socket's server, and yield the port.

    Args:
        unix_socket: the path of the server's socket.
        seconds: from a client to the server and back.
    """
    listening = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                server = socket.socket(socket.AF_UNIX)
                server.connect(unix_socket)
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=_forward, args=(*ends, seconds / 2), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()
