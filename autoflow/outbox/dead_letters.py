"""Records set aside: dead letters, which nobody will take, and blocked records, which are tried again later.

One file of each kind a destination, of framed lines as in a journal, so that an entry cut short by a full disk costs
itself only. Each entry has the reason. The first line counts the entries that left the file: it changes in the same
step as they go, so the counts stay true. An entry written twice (its writer died before it noted so) counts once.

`requeue` turns entries into a journal, which is then sent like any other; the records keep their keys and their order.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from autoflow.outbox import frame
from autoflow.outbox.journal_files import BLOCKED, RETRIED, segment_path
from autoflow.outbox.progress import locked

FILE = "dead"
BLOCKED_FILE = "blocked"

_PREFIX = {FILE: RETRIED, BLOCKED_FILE: BLOCKED}
_UNDER_WAY = ".requeue"


def append(folder: str | None, key: str, record: Mapping[str, Any] | None, reason: str, *, file: str = FILE) -> None:
    """Append one entry.

    Raises:
        OSError: it cannot be written; the record then stays in its journal.
    """
    if folder is None:
        return
    letter = {"key": key, "at": time.time_ns(), "reason": reason, "record": record}
    line = frame.encode(json.dumps(letter).encode())
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    with locked(folder):
        descriptor = os.open(os.path.join(folder, file), flags, 0o600)
        try:
            if os.write(descriptor, line) != len(line):
                raise OSError("the dead letter could not be written whole")
        finally:
            os.close(descriptor)


def iter_dead_letters(folder: str, file: str = FILE) -> Iterator[dict[str, Any]]:
    """The entries of a destination, oldest first: ``key``, ``at`` (ns since the epoch), ``reason``, ``record``.

    A damaged one is passed over.

    Raises:
        OSError: they cannot be read.
    """
    seen = set()
    for form in _lines(folder, file):
        if "key" in form and form["key"] not in seen:
            seen.add(form["key"])
            yield form


def purged(folder: str, file: str = FILE) -> int:
    """How many entries left the file so far, purged or requeued; they count no more."""
    first = next(_lines(folder, file), {})
    return int(first.get("purged", 0))


def purge(folder: str, before: int) -> int:
    """Remove the dead letters written before a moment (ns since the epoch); how many.

    Raises:
        OSError: the file cannot be written, and is as it was.
    """
    with locked(folder):
        settle_locked(folder)
        gone, kept = _split(folder, FILE, lambda letter: bool(letter["at"] < before))
        if gone:
            _replace(folder, FILE, len(gone), kept)
        return len(gone)


def requeue(folder: str, file: str = FILE, choose: Callable[[Mapping[str, Any]], bool] = lambda letter: True) -> int:
    """Move the chosen entries into a journal of their own, from where they are sent again; how many.

    An entry without a record (a damaged line of a journal) stays. A process that dies in the middle leaves a file
    that the next call here, or `sync`, completes or removes.

    Raises:
        OSError: a file cannot be written; the entries are as they were.
    """
    with locked(folder):
        settle_locked(folder)
        chosen, kept = _split(folder, file, lambda letter: letter["record"] is not None and choose(letter))
        if not chosen:
            return 0
        name = _PREFIX[file] + os.urandom(8).hex()
        lines = [
            json.dumps({"n": number, **letter["record"], "key": letter["key"]}).encode()
            for number, letter in enumerate(chosen, start=1)
        ]
        try:
            _write(os.path.join(folder, name + _UNDER_WAY), lines)
            _replace(folder, file, len(chosen), kept, into=name)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(folder, name + _UNDER_WAY))
            raise
        settle_locked(folder)
        return len(chosen)


def sync(folder: str) -> None:
    """Complete or undo a `requeue` whose process died.

    Raises:
        OSError: the folder cannot be read or written.
    """
    if any(entry.endswith(_UNDER_WAY) for entry in os.listdir(folder)):
        with locked(folder):
            settle_locked(folder)


def settle_locked(folder: str) -> None:
    """As `sync`, for who holds the folder's lock."""
    for entry in os.listdir(folder):
        if entry.endswith(_UNDER_WAY):
            name = entry.removesuffix(_UNDER_WAY)
            path = os.path.join(folder, entry)
            if any(next(_lines(folder, file), {}).get("into") == name for file in _PREFIX):
                os.rename(path, segment_path(folder, name, 0))
            else:
                os.unlink(path)


def _split(
    folder: str, file: str, choose: Callable[[Mapping[str, Any]], bool]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    chosen: list[dict[str, Any]] = []
    kept: list[dict[str, Any]] = []
    for letter in iter_dead_letters(folder, file):
        (chosen if choose(letter) else kept).append(letter)
    return chosen, kept


def _replace(folder: str, file: str, gone: int, kept: Iterable[Mapping[str, Any]], into: str = "") -> None:
    """Write a file anew without the entries that leave it, all in one step."""
    path = os.path.join(folder, file)
    first = {"purged": purged(folder, file) + gone} | ({"into": into} if into else {})
    _write(f"{path}.new", [json.dumps(form).encode() for form in (first, *kept)])
    os.replace(f"{path}.new", path)


def _write(path: str, bodies: Iterable[bytes]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with open(os.open(path, flags, 0o600), "wb") as file:
        for body in bodies:
            file.write(frame.encode(body))


def _lines(folder: str, name: str) -> Iterator[dict[str, Any]]:
    try:
        file = open(os.open(os.path.join(folder, name), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb")
    except FileNotFoundError:
        return
    with contextlib.closing(file):
        for raw in file:
            body = frame.decode(raw.removesuffix(b"\n")).body
            if body is not None:
                yield json.loads(body)
