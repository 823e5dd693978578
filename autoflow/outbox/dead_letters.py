"""Records set aside: dead letters, which were refused for good, and blocked records, which are retried later.

Each destination has a file of each kind, with framed lines as in a journal, so that an entry cut short by a full disk
damages no other. Each entry has a reason. The first line counts the entries that left the file: it changes in the same
step, so the counts stay right. An entry written twice (its writer died before saving its progress) counts once.

`requeue` moves entries to a journal, which is sent like any other; the records keep their keys and their order.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypedDict

from autoflow.outbox import frame
from autoflow.outbox.journal_files import BLOCKED, RETRIED, segment_path
from autoflow.outbox.progress import locked
from autoflow.wire.records import Record

FILE = "dead"
BLOCKED_FILE = "blocked"


class DeadLetter(TypedDict):
    """An entry: a record that was set aside.

    Args:
        at: nanoseconds since the epoch.
        record: None for a damaged line of a journal.
    """

    key: str
    at: int
    reason: str
    record: Record | None


class _Header(TypedDict, total=False):
    """The first line of a file.

    Args:
        purged: number of entries that left the file, purged or requeued.
        into: journal that the last of them were moved to.
    """

    purged: int
    into: str


_PREFIX = {FILE: RETRIED, BLOCKED_FILE: BLOCKED}
_REQUEUE = ".requeue"


def append(folder: str | None, key: str, record: Record | None, reason: str, *, file: str = FILE) -> None:
    """Append one entry.

    Raises:
        OSError: it cannot be written; the record stays in its journal.
    """
    if folder is None:
        return
    letter: DeadLetter = {"key": key, "at": time.time_ns(), "reason": reason, "record": record}
    line = frame.encode(json.dumps(letter).encode())
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    with locked(folder):
        descriptor = os.open(os.path.join(folder, file), flags, 0o600)
        try:
            if os.write(descriptor, line) != len(line):
                raise OSError("short write of a dead letter")
        finally:
            os.close(descriptor)


def iter_dead_letters(folder: str, file: str = FILE) -> Iterator[DeadLetter]:
    """Yield the entries of a destination, oldest first; damaged ones are skipped.

    Raises:
        OSError: they cannot be read.
    """
    keys = set()
    for form in _lines(folder, file):
        if "key" in form and form["key"] not in keys:
            keys.add(form["key"])
            yield form


def purged(folder: str, file: str = FILE) -> int:
    """Return how many entries have left the file, purged or requeued; they are no longer counted."""
    return _header(folder, file).get("purged", 0)


def purge(folder: str, before: int) -> int:
    """Remove the dead letters written before a time (ns since the epoch); return how many.

    Raises:
        OSError: the file cannot be written, and is unchanged.
    """
    with locked(folder):
        settle_locked(folder)
        purged_letters, remaining = _split(folder, FILE, lambda letter: bool(letter["at"] < before))
        if purged_letters:
            _replace(folder, FILE, len(purged_letters), remaining)
        return len(purged_letters)


def requeue(folder: str, file: str = FILE, choose: Callable[[DeadLetter], bool] = lambda letter: True) -> int:
    """Move entries to a new journal, from which they are sent again; return how many.

    An entry without a record (a damaged line of a journal) stays. If the process dies meanwhile, the next call of this
    function or of `settle` completes or undoes the step.

    Args:
        folder: the destination's folder.
        file: the kind of entries.
        choose: whether to move an entry.

    Raises:
        OSError: a file cannot be written; the entries are unchanged.
    """
    with locked(folder):
        settle_locked(folder)
        chosen, remaining = _split(folder, file, lambda letter: letter["record"] is not None and choose(letter))
        if not chosen:
            return 0
        name = _PREFIX[file] + os.urandom(8).hex()
        lines = [
            json.dumps({"n": number, **(letter["record"] or {}), "key": letter["key"]}).encode()
            for number, letter in enumerate(chosen, start=1)
        ]
        try:
            _write(os.path.join(folder, name + _REQUEUE), lines)
            _replace(folder, file, len(chosen), remaining, into=name)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(folder, name + _REQUEUE))
            raise
        settle_locked(folder)
        return len(chosen)


def sync(folder: str) -> None:
    """Complete or undo a `requeue` whose process died.

    Raises:
        OSError: the folder cannot be read or written.
    """
    if any(entry.endswith(_REQUEUE) for entry in os.listdir(folder)):
        with locked(folder):
            settle_locked(folder)


def settle_locked(folder: str) -> None:
    """As `settle`, for callers that hold the folder's lock."""
    for entry in os.listdir(folder):
        if entry.endswith(_REQUEUE):
            name = entry.removesuffix(_REQUEUE)
            path = os.path.join(folder, entry)
            if any(_header(folder, file).get("into") == name for file in _PREFIX):
                os.rename(path, segment_path(folder, name, 0))
            else:
                os.unlink(path)


def _split(folder: str, file: str, choose: Callable[[DeadLetter], bool]) -> tuple[list[DeadLetter], list[DeadLetter]]:
    chosen: list[DeadLetter] = []
    remaining: list[DeadLetter] = []
    for letter in iter_dead_letters(folder, file):
        (chosen if choose(letter) else remaining).append(letter)
    return chosen, remaining


def _replace(folder: str, file: str, removed: int, remaining: Iterable[DeadLetter], into: str = "") -> None:
    """Rewrite a file with the entries that remain, atomically.

    Args:
        folder: the destination's folder.
        file: the kind of entries.
        removed: how many leave it.
        remaining: those that stay.
        into: the journal they move to.
    """
    path = os.path.join(folder, file)
    first: _Header = {"purged": purged(folder, file) + removed}
    if into:
        first["into"] = into
    _write(f"{path}.new", [json.dumps(form).encode() for form in (first, *remaining)])
    os.replace(f"{path}.new", path)


def _write(path: str, bodies: Iterable[bytes]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with open(os.open(path, flags, 0o600), "wb") as file:
        for body in bodies:
            file.write(frame.encode(body))


def _header(folder: str, file: str) -> _Header:
    """Return the first line of a file; empty when there is no file, or it has an entry there."""
    header: _Header
    for header in _lines(folder, file):
        return header
    return {}


def _lines(folder: str, name: str) -> Iterator[Any]:
    try:
        file = open(os.open(os.path.join(folder, name), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb")
    except FileNotFoundError:
        return
    with contextlib.closing(file):
        for raw in file:
            body = frame.decode(raw.removesuffix(b"\n")).body
            if body is not None:
                yield json.loads(body)
