"""Dead letters: records that will never be delivered, each with the reason, kept until somebody purges them.

One file a destination, of framed lines as in a journal, so that a letter cut short by a full disk costs itself only.
How many were purged is its first line: it changes in the same step as the letters go, and the counts stay true.
A letter written twice (its writer died before it noted so) is one letter.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any

from autoflow.outbox import frame
from autoflow.outbox.progress import locked

FILE = "dead"


def bury(folder: str | None, key: str, record: Mapping[str, Any] | None, reason: str) -> None:
    """Write one dead letter.

    Raises:
        OSError: it cannot be written; the record then stays in its journal.
    """
    if folder is None:
        return
    letter = {"key": key, "at": time.time_ns(), "reason": reason, "record": record}
    line = frame.encode(json.dumps(letter).encode())
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    with locked(folder):
        descriptor = os.open(os.path.join(folder, FILE), flags, 0o600)
        try:
            if os.write(descriptor, line) != len(line):
                raise OSError("the dead letter could not be written whole")
        finally:
            os.close(descriptor)


def letters(folder: str) -> Iterator[dict[str, Any]]:
    """The dead letters of a destination, oldest first: ``key``, ``at`` (ns since the epoch), ``reason``, ``record``.

    A damaged one is passed over.

    Raises:
        OSError: they cannot be read.
    """
    seen = set()
    for form in _lines(folder):
        if "key" in form and form["key"] not in seen:
            seen.add(form["key"])
            yield form


def purged(folder: str) -> int:
    """How many letters were purged so far; they count no more."""
    first = next(_lines(folder), {})
    return int(first.get("purged", 0))


def purge(folder: str, before: int) -> int:
    """Remove the letters written before a moment (ns since the epoch); how many.

    Raises:
        OSError: the file cannot be written, and is as it was.
    """
    path = os.path.join(folder, FILE)
    with locked(folder):
        kept, gone = [], 0
        for letter in letters(folder):
            if letter["at"] < before:
                gone += 1
            else:
                kept.append(letter)
        if not gone:
            return 0
        fresh = f"{path}.new"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        with open(os.open(fresh, flags, 0o600), "wb") as file:
            for form in ({"purged": purged(folder) + gone}, *kept):
                file.write(frame.encode(json.dumps(form).encode()))
        os.replace(fresh, path)
        return gone


def _lines(folder: str) -> Iterator[dict[str, Any]]:
    try:
        file = open(os.open(os.path.join(folder, FILE), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb")
    except FileNotFoundError:
        return
    with contextlib.closing(file):
        for raw in file:
            body = frame.decode(raw.removesuffix(b"\n")).body
            if body is not None:
                yield json.loads(body)
