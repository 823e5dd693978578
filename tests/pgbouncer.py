"""A real PgBouncer in front of the tests' PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy

# Read at import, before a test's own environment is made.
REQUIRED = os.environ.get("CI") == "true" or "pgbouncer" in os.environ.get("AUTOFLOW_REQUIRE", "").split(",")
MISSING = "PgBouncer is not tested: apt-get install pgbouncer"
STARTING = 10.0  # seconds
_CONFIGURATION = """\
[databases]
* = host={folder} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = 500
"""


def executable() -> str:
    """Return the path of PgBouncer.

    Skips the test where it is not installed; fails it where it is required.
    """
    path = shutil.which("pgbouncer", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
    if path is None:
        (pytest.fail if REQUIRED else pytest.skip)(MISSING)
    return path


@contextlib.contextmanager
def running(folder: Path, url: str, mode: str, size: int) -> Iterator[str]:
    """Run PgBouncer in front of a database, and yield the database's url by way of it.

    Args:
        folder: for its configuration and its log.
        url: of the database, with its server's socket as `host`.
        mode: of its pool: `session` or `transaction`.
        size: how many connections to the database it opens.
    """
    address = sqlalchemy.make_url(url)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = folder / f"pgbouncer-{port}.ini"
    configuration.write_text(
        _CONFIGURATION.format(folder=address.query["host"], port=port, mode=mode, size=size), encoding="utf-8"
    )
    log = configuration.with_suffix(".log")
    command = [executable(), str(configuration)]
    if os.geteuid() == 0:  # it refuses to run as root, and reads its configuration before it changes its user
        command[1:1] = ["-u", Path(str(address.query["host"])).owner()]
    with open(log, "wb") as output, subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=output) as process:
        try:
            _wait_for(port, process, log)
            yield address.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
        finally:
            process.kill()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTING
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"PgBouncer did not start:\n{log.read_text(encoding='utf-8')}")
        time.sleep(0.02)
