"""The home folder of the outbox: the first of several candidates that only this user can write to.

``AUTOFLOW_HOME``; else ``autoflow`` in the XDG state folder; else ``autoflow-<uid>`` in the temporary folder.
A folder that is a link, belongs to someone else or that others may write to is refused.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import stat
from collections.abc import Callable, Iterator
from typing import NamedTuple
from zlib import crc32

from autoflow import settings
from autoflow.outbox import atomic_file
from autoflow.process.posix import SUPPORTED

logger = logging.getLogger("autoflow")

_ORIGIN = "origin"

_warned: set[str] = set()


def candidates() -> Iterator[str]:
    """Yield the candidates in order; the others are tried after ``AUTOFLOW_HOME``, so that no record is lost.

    The temporary folder is looked up last: Python does so under a lock, which a fork at that time would leave held in
    the child.
    """
    if (named := settings.home()) is not None:
        with contextlib.suppress(OSError):  # relative to a working directory that is gone
            yield os.path.abspath(os.path.expanduser(named))
    yield from (os.path.join(folder, "autoflow") for folder in settings.state_folders())
    temporary = "/tmp"  # noqa: S108 - a private folder inside it, see `ensure_private`
    with contextlib.suppress(OSError):  # Python finds none on a full disk
        import tempfile

        temporary = tempfile.gettempdir()
    yield os.path.join(temporary, f"autoflow-{os.geteuid()}")


def ensure_private(folder: str) -> None:
    """Create a folder that only its owner can read, or check that an existing one is private.

    Raises:
        OSError: it cannot be created, is a link, belongs to another user, or others may write to it.
    """
    os.makedirs(folder, mode=0o700, exist_ok=True)
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(f"{folder} is a link or a file, not a folder")
    if status.st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to user {status.st_uid}, not to {os.geteuid()}")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(f"{folder} can be written by others; chmod go-w {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{folder} is not writable")


class Choice(NamedTuple):
    """A usable folder or None, and the reasons against the candidates before it."""

    folder: str | None
    refused: list[str]


def choose(claim: Callable[[str], str]) -> Choice:
    """Try the candidates in order.

    Args:
        claim: returns the folder needed in a candidate, creating it if need be; raises `OSError` if it cannot.
    """
    refused: list[str] = []
    for candidate in candidates():
        try:
            return Choice(claim(candidate), refused)
        except OSError as error:
            refused.append(str(error))
    return Choice(None, refused)


def find() -> str | None:
    """Return the home folder, creating it if need be; None, with one warning, when no candidate can be used."""
    return _with_warning(choose(_private)).folder if SUPPORTED else None


def outbox_of(origin: str) -> str | None:
    """Return the folder of a destination's journals in the first usable home; None, with one warning, without any."""
    return _with_warning(choose(lambda candidate: outbox_folder(candidate, origin))).folder


def _private(folder: str) -> str:
    ensure_private(folder)
    return folder


def _with_warning(choice: Choice) -> Choice:
    """Warn once when records stay in memory, and once when ``AUTOFLOW_HOME`` cannot be used; return the choice."""
    reasons = "; ".join(choice.refused)
    if choice.folder is None:
        _warn(
            "autoflow found no folder for its records and keeps them in memory only; "
            "set AUTOFLOW_HOME to a folder of your own (%s)",
            reasons,
        )
    elif choice.refused and settings.home() is not None:
        _warn("autoflow cannot use AUTOFLOW_HOME and keeps its records in %s (%s)", choice.folder, reasons)
    return choice


def _warn(message: str, *arguments: str) -> None:
    if message not in _warned:
        _warned.add(message)
        logger.warning(message, *arguments)


def slug(origin: str) -> str:
    """Return a folder name for a destination: readable, and different for different origins."""
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", origin.split("://")[-1]).strip("-.")[:60]
    return readable if readable == origin else f"{readable}-{crc32(origin.encode()):08x}"


def make(folder: str) -> None:
    """Create the folder of a destination, and its parents inside the home.

    Raises:
        OSError: as `ensure_private`.
    """
    parent = os.path.dirname(folder)
    for path in (os.path.dirname(parent), parent, folder):
        ensure_private(path)


def folder_of(home: str, origin: str) -> str:
    """Return the path of the folder of a destination's journals."""
    return os.path.join(home, "outbox", slug(origin))


def outbox_folder(home: str, origin: str) -> str:
    """Return the folder of a destination's journals, creating it if need be.

    Raises:
        OSError: as `ensure_private`.
    """
    folder = folder_of(home, origin)
    make(folder)
    origin_file = os.path.join(folder, _ORIGIN)
    with contextlib.suppress(OSError):  # the journals name it too
        if atomic_file.read(origin_file) != origin.encode():
            atomic_file.write(origin_file, origin.encode())
    return folder


def origin_of(folder: str) -> str | None:
    """Return the origin that a folder's records are for, from its origin file; None without a valid one."""
    with contextlib.suppress(OSError, ValueError):
        origin = (atomic_file.read(os.path.join(folder, _ORIGIN)) or b"").decode()
        if slug(origin) == os.path.basename(folder):
            return origin
    return None
