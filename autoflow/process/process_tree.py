"""The end of a child process with everything that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator

GRACE = 5.0  # seconds between the request to end and the kill


def end(process: subprocess.Popen[bytes], marker: str) -> None:
    """End a process that leads a session, with all processes of that session and all that inherited a marker.

    They get SIGTERM, and SIGKILL if the process itself has not ended after `GRACE`; the rest are killed at once then. A
    process that left the session is recognized by its environment where ``/proc`` shows it.

    Args:
        process: it was started with ``start_new_session``.
        marker: text in its environment that no other process has.
    """
    _send(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    _send(process.pid, signal.SIGKILL)
    for pid in _marked(marker.encode()):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def _send(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended
        os.killpg(group, number)


def _marked(marker: bytes) -> Iterator[int]:
    """Yield the processes with a text in their environment, this one excepted."""
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdecimal() and int(name) != os.getpid():
                with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as stream:
                    if marker in stream.read():
                        yield int(name)
