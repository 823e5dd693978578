"""Files of open runs: one a run in the home folder, removed when the run ends.

Other processes of this machine (children, workers of a pool) check with one `stat` whether a run that they inherited is
still open. The content lets a parent process finish the runs of a child that it reaped. A killed process leaves its
files; the process that takes over its journal records its runs as lost and removes the files.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from typing import NamedTuple

from autoflow.outbox import home

_FOLDER = "runs"
_LONGEST = 16 << 10  # bytes read of a file


class OpenRun(NamedTuple):
    """The content of an open run's file: the process that opened it, and the run in the form of `AUTOFLOW_RUN`."""

    path: str
    host: str
    pid: int
    run: str


def path_of(key: str) -> str | None:
    """Return the path of the file of a run that this process opens; None without a home folder."""
    folder = home.find()
    return None if folder is None else os.path.join(folder, _FOLDER, f"{os.getpid()}-{key}")


def add(path: str, run: str) -> bool:
    """Write the file of a run that this process opens; return whether it could be written.

    Args:
        path: see `path_of`.
        run: the run in the form of `AUTOFLOW_RUN`.
    """
    content = f"{os.uname().nodename} {os.getpid()} {run}".encode()
    with contextlib.suppress(OSError):
        try:
            _write(path, content)
        except FileNotFoundError:
            home.ensure_private(os.path.dirname(path))
            _write(path, content)
        return True
    return False


def _write(path: str, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)


def remove(path: str | None) -> None:
    """Remove a run's file when the run ends."""
    if path is not None:
        with contextlib.suppress(OSError):
            os.unlink(path)


def remove_lost(outbox_folder: str, keys: Iterable[str]) -> None:
    """Remove the files of runs whose processes died, in the home that an outbox folder is in."""
    lost = set(keys)
    for entry in _entries(os.path.dirname(os.path.dirname(outbox_folder))):
        if os.path.basename(entry).partition("-")[2] in lost:
            remove(entry)


def is_over(path: str) -> bool:
    """Return whether a run has ended: its file is gone, while the folder can be read."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return os.path.isdir(os.path.dirname(path))
    except (OSError, ValueError):
        return False
    return False


def opened_by(pid: int) -> list[OpenRun]:
    """Return the open runs of another process of this machine; create no folder."""
    host, start = os.uname().nodename, f"{pid}-"
    paths = [path for folder in home.candidates() for path in _entries(folder)]
    runs = [_read(path) for path in paths if os.path.basename(path).startswith(start)]
    return [run for run in runs if run is not None and (run.host, run.pid) == (host, pid)]


def _entries(home_folder: str) -> list[str]:
    with contextlib.suppress(OSError), os.scandir(os.path.join(home_folder, _FOLDER)) as entries:
        return [entry.path for entry in entries]
    return []


def _read(path: str) -> OpenRun | None:
    with contextlib.suppress(OSError, ValueError):
        with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            host, pid, run = file.read(_LONGEST).decode().split(" ", 2)
        return OpenRun(path, host, int(pid), run)
    return None
