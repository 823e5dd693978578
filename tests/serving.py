"""The server on a real socket, for as long as a block runs: in a thread, or as `autoflow serve` in a process."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

from autoflow.server.http import listener
from autoflow.server.http.access_log import AccessLog
from autoflow.server.http.app import application
from autoflow.server.server import Server
from autoflow.server.sign_in.options import OidcOptions

HOST = "127.0.0.1"


@contextlib.contextmanager
def served(
    server: Server,
    *,
    auth: bool = False,
    access_log: AccessLog | None = None,
    oidc: Callable[[str], OidcOptions] | None = None,
) -> Iterator[str]:
    """Serve a server from a thread of this process; gives its url, which the options of the sign-in depend on."""
    with listener.listen(HOST, 0) as listening:
        options = oidc(listener.address_of(listening, HOST)) if oidc is not None else None
        app = application(server, auth=auth, names=[HOST], access_log=access_log, oidc=options)
        running = listener.server(app)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, name="server", daemon=True)
        thread.start()
        try:
            yield listener.address_of(listening, HOST)
        finally:
            running.should_exit = True
            thread.join(60)
    assert not thread.is_alive()


@contextlib.contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """A server process; gives it, its url, and what it said when it was ready."""
    command = [sys.executable, "-m", "autoflow.cli.main", "serve", "--port", "0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        lines: list[str] = []
        while not lines or not lines[-1].startswith("Ctrl+C"):
            line = process.stdout.readline()
            assert line, process.stderr.read()
            lines.append(line.rstrip())
        yield process, lines[1].split()[3].rstrip("/"), lines
    finally:
        process.kill()
        process.communicate()
