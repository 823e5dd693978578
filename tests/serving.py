"""The platform on a real socket, for as long as a block runs."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from autoflow.platform.dispatcher import Platform
from autoflow.platform.web import server
from autoflow.platform.web.app import application

HOST = "127.0.0.1"


@contextlib.contextmanager
def served(platform: Platform, *, auth: bool = False) -> Iterator[str]:
    """Serve a platform from a thread of this process; gives its url."""
    with server.listen(HOST, 0) as listening:
        running = server.server(application(platform, auth=auth, names=[HOST]))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, name="server", daemon=True)
        thread.start()
        try:
            yield server.address_of(listening, HOST)
        finally:
            running.should_exit = True
            thread.join(10)
    assert not thread.is_alive()
