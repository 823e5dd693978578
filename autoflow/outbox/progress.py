"""The progress of sending a journal, stored beside it, and the totals of journals that were removed.

A journal that is sent and removed is added to the totals of its folder under a lock and by name, so that a crash
between the two steps cannot count it twice.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from autoflow.outbox import atomic_file
from autoflow.outbox.journal_files import progress_path
from autoflow.process.forks import ProcessLock
from autoflow.process.posix import fcntl


@dataclass(slots=True)
class Progress:
    """The progress of sending one journal.

    Args:
        offsets: bytes dealt with, by segment number; a segment without one was not read yet.
        recorded: records dealt with, in any way. sent: those delivered. dead: those refused for good.
        blocked: those set aside, to be retried.
        dropped: records the writer could not write, from its notes in the segments.
        open_runs: keys of runs that have begun and not ended in what was dealt with.
        delivery_state: what the destination keeps between batches, such as settings to send with a later edge.
    """

    offsets: dict[int, int] = field(default_factory=dict)
    recorded: int = 0
    sent: int = 0
    dead: int = 0
    dropped: int = 0
    blocked: int = 0
    open_runs: dict[str, bool] = field(default_factory=dict)
    delivery_state: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Totals:
    """Counts over journals that were removed; `folded` names the latest of them."""

    recorded: int = 0
    sent: int = 0
    dead: int = 0
    dropped: int = 0
    blocked: int = 0
    folded: list[str] = field(default_factory=list)


_COUNTS = ("recorded", "sent", "dead", "dropped", "blocked")


def _read(path: str) -> dict[str, Any]:
    content = atomic_file.read(path)
    value = json.loads(content) if content is not None else {}
    return value if isinstance(value, dict) else {}


def load(folder: str, name: str) -> Progress:
    """Read a journal's progress; a new one when there is none yet or it is damaged.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        form = _read(progress_path(folder, name))
        offsets = {int(segment): int(offset) for segment, offset in form.pop("offsets", {}).items()}
        carry = form.pop("carry", {})
        counts = {name: form[name] for name in _COUNTS if name in form}
        return Progress(offsets, **counts, open_runs=carry.get("runs", {}), delivery_state=carry.get("delivery", {}))
    except (TypeError, ValueError, AttributeError):
        return Progress()


def save(folder: str, name: str, progress: Progress) -> None:
    """Write a journal's progress.

    Raises:
        OSError: it cannot be written; records sent since the last time may be sent again.
    """
    form = asdict(progress)
    form["carry"] = {"runs": form.pop("open_runs"), "delivery": form.pop("delivery_state")}
    if not progress.blocked:  # an older autoflow on the same folder rejects members that it does not know
        del form["blocked"]
    atomic_file.write(progress_path(folder, name), json.dumps(form).encode())


_in_process = ProcessLock()


@contextlib.contextmanager
def locked(folder: str) -> Iterator[None]:
    """Lock a folder's counts against other threads and processes while the block runs.

    Raises:
        OSError: the lock file cannot be created.
    """
    with _in_process:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(os.path.join(folder, "totals.lock"), flags, 0o600)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def locked_totals(folder: str) -> Iterator[Totals]:
    """Lock and yield the folder's totals; changes are written when the block ends without an error.

    Raises:
        OSError: they cannot be read, or written.
    """
    path = os.path.join(folder, "totals")
    with locked(folder):
        form = _read(path)
        totals = Totals(**{name: form[name] for name in Totals.__dataclass_fields__ if name in form})
        before = asdict(totals)
        yield totals
        if asdict(totals) != before:
            atomic_file.write(path, json.dumps(asdict(totals)).encode())
