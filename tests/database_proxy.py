"""A proxy in front of the tests' PostgreSQL that counts round trips, and can stop forwarding."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading


class Proxy:
    """Forwards connections to a PostgreSQL's socket, until it is frozen: nothing goes through then, nor ends."""

    def __init__(self, target):
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.frozen = threading.Event()
        self.round_trips = 0  # times that a client sent something after it had received something
        self._ends = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                if self.frozen.is_set():
                    self._ends.append(client)  # taken, and never answered
                    continue
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                self._ends += [client, server]
                threading.Thread(target=self._forward, args=(client, server), daemon=True).start()

    def _forward(self, client, server):
        received = True
        with selectors.DefaultSelector() as selector, contextlib.suppress(OSError):
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in selector.select():
                    data = key.fileobj.recv(65536)
                    if self.frozen.is_set():
                        return
                    if not data:
                        client.close()
                        server.close()
                        return
                    if key.fileobj is client and received:
                        self.round_trips += 1
                    received = key.fileobj is server
                    key.data.sendall(data)

    def close(self):
        self._listening.close()
        for end in self._ends:
            end.close()
