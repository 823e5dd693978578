"""Where the outbox lives: the first folder that is ours alone, tried in order, none of them at import.

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
    """The folders tried, in order; ``AUTOFLOW_HOME`` does not exclude the others, for a record must go somewhere.

    The temporary folder is asked for only when its turn comes: Python finds it under a lock, and a fork in that
    moment leaves the lock held in the child for ever.
    """
    if (named := settings.home()) is not None:
        with contextlib.suppress(OSError):  # relative to a working directory that is gone
            yield os.path.abspath(os.path.expanduser(named))
    yield from (os.path.join(folder, "autoflow") for folder in settings.state_folders())
    temporary = "/tmp"  # noqa: S108 - ours alone inside it, see `ensure_private`
    with contextlib.suppress(OSError):  # on a full disk Python finds none
        import tempfile

        temporary = tempfile.gettempdir()
    yield os.path.join(temporary, f"autoflow-{os.geteuid()}")


def ensure_private(folder: str) -> None:
    """Make a folder that only its owner reads, or check that an existing one is.

    Raises:
        OSError: it cannot be made, is a link, belongs to another user, or others may write to it.
    """
    os.makedirs(folder, mode=0o700, exist_ok=True)
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(f"{folder} is a link or a file, not a folder")
    if found.st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to user {found.st_uid}, not to {os.geteuid()}")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(f"{folder} can be written by others; chmod go-w {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{folder} cannot be written")


class Choice(NamedTuple):
    """A folder that can be used, or None; and why those tried before it cannot."""

    folder: str | None
    refused: list[str]


def choose(claim: Callable[[str], str]) -> Choice:
    """Try the candidates in order.

    Args:
        claim: gives the folder wanted in a candidate, made if need be; an `OSError` says why it cannot be.
    """
    refused: list[str] = []
    for candidate in candidates():
        try:
            return Choice(claim(candidate), refused)
        except OSError as error:
            refused.append(str(error))
    return Choice(None, refused)


def find() -> str | None:
    """The home folder, made if need be; None with one warning when no candidate can be used."""
    return _told(choose(_private)).folder if SUPPORTED else None


def outbox_of(origin: str) -> str | None:
    """The folder of one destination's journals in the first home that takes it; None, with one warning, in none."""
    return _told(choose(lambda candidate: outbox_folder(candidate, origin))).folder


def _private(folder: str) -> str:
    ensure_private(folder)
    return folder


def _told(choice: Choice) -> Choice:
    """Warn once when records are kept in memory, and once when they are not where ``AUTOFLOW_HOME`` says."""
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
    """A folder name for a destination: readable, and different for different origins."""
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", origin.split("://")[-1]).strip("-.")[:60]
    return readable if readable == origin else f"{readable}-{crc32(origin.encode()):08x}"


def make(folder: str) -> None:
    """Make the folder of a destination, with those above it that are ours.

    Raises:
        OSError: as `ensure_private`.
    """
    parent = os.path.dirname(folder)
    for part in (os.path.dirname(parent), parent, folder):
        ensure_private(part)


def folder_of(home: str, origin: str) -> str:
    """The path of the folder of one destination's journals."""
    return os.path.join(home, "outbox", slug(origin))


def outbox_folder(home: str, origin: str) -> str:
    """The folder of one destination's journals, made if need be.

    Raises:
        OSError: as `ensure_private`.
    """
    folder = folder_of(home, origin)
    make(folder)
    note = os.path.join(folder, _ORIGIN)
    with contextlib.suppress(OSError):  # journals say it too
        if atomic_file.read(note) != origin.encode():
            atomic_file.write(note, origin.encode())
    return folder


def origin_of(folder: str) -> str | None:
    """The destination a folder's records are for, as its own note says; None when none does or it does not fit."""
    with contextlib.suppress(OSError, ValueError):
        origin = (atomic_file.read(os.path.join(folder, _ORIGIN)) or b"").decode()
        if slug(origin) == os.path.basename(folder):
            return origin
    return None
