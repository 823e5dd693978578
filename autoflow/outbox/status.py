"""Counts of the records in the outbox over all destinations, read from its files, so that any process can ask.

For every record written, ``recorded = sent + waiting + dead``; what could not be written is ``dropped``. Dead letters
that were purged no longer count, neither as dead nor as recorded. A blocked record (`outbox.dead_letters`) counts as
waiting; ``blocked`` counts them among those waiting, and is present only when there are any.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Literal, TypedDict

from autoflow.outbox import dead_letters, home
from autoflow.outbox.journal_files import BLOCKED, dropped_of, journals
from autoflow.outbox.outbox import _outboxes
from autoflow.outbox.progress import Progress, load, locked_totals
from autoflow.outbox.reader import Reader

TRIES = 20
COUNTS: tuple[Literal["recorded", "sent", "waiting", "dead", "dropped"], ...] = (
    "recorded",
    "sent",
    "waiting",
    "dead",
    "dropped",
)


class _Blocked(TypedDict, total=False):
    blocked: int


class OutboxStatus(_Blocked):
    """Counts of records over all destinations, as the module defines them.

    Args:
        destinations: the same counts of each destination, by its origin.
    """

    recorded: int
    sent: int
    waiting: int
    dead: int
    dropped: int
    destinations: dict[str, dict[str, int]]


def destinations(home_folder: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield the destinations that have a folder: (origin, folder); for an unknown origin, the folder's name.

    Args:
        home_folder: the home to read; by default the one that records are written to.
    """
    parent = os.path.join(home_folder or home.find() or os.devnull, "outbox")
    for entry in sorted(os.listdir(parent)) if os.path.isdir(parent) else []:
        folder = os.path.join(parent, entry)
        if os.path.isdir(folder):
            yield home.origin_of(folder) or _origin_in_journals(folder) or entry, folder


def _origin_in_journals(folder: str) -> str | None:
    """Return the origin of a folder from the first line of a journal in it; None when there is none."""
    for name in journals(folder):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            for entry in Reader(folder, name, owned=False, from_start=True).entries(1):
                origin = json.loads(entry.line.body or b"null").get("origin")
                if home.slug(str(origin)) == os.path.basename(folder):
                    return str(origin)
    return None


def of_folder(folder: str) -> dict[str, int]:
    """Return the counts of one destination.

    Raises:
        OSError: the folder or something in it cannot be read.
    """
    with locked_totals(folder) as totals:
        dead_letters.settle_locked(folder)
        counts = {name: getattr(totals, name, 0) for name in COUNTS}
        blocked = retried = 0
        for name in journals(folder):
            if name in totals.folded:
                continue
            waiting, noted, progress = _read_consistently(folder, name)
            counts["recorded"] += progress.recorded + waiting
            counts["sent"] += progress.sent
            counts["dead"] += progress.dead
            counts["dropped"] += max(progress.dropped + noted, dropped_of(folder, name))
            counts["waiting"] += waiting
            blocked += progress.blocked
            retried += waiting if name.startswith(BLOCKED) else 0
        blocked += totals.blocked
        purged, requeued = dead_letters.purged(folder), dead_letters.purged(folder, dead_letters.BLOCKED_FILE)
    counts["recorded"] -= purged + requeued
    counts["dead"] -= purged
    counts["waiting"] += blocked - requeued
    blocked_now = blocked - requeued + retried
    return counts | ({"blocked": blocked_now} if blocked_now else {})


def _read_consistently(folder: str, name: str) -> tuple[int, int, Progress]:
    """Return a consistent view of a journal while it is sent: records waiting, drops noted, and progress."""
    tries = TRIES
    while True:
        reader = Reader(folder, name, owned=False)
        waiting, noted = reader.unread()
        tries -= 1
        if not tries or load(folder, name) == reader.progress:
            return waiting, noted, reader.progress


def status() -> OutboxStatus:
    """Return the counts over all destinations, and those of each.

    A destination whose folder cannot be read is left out (``autoflow doctor`` shows why).
    """
    parts: dict[str, dict[str, int]] = {}
    for origin, folder in destinations():
        with contextlib.suppress(OSError):
            parts[origin] = of_folder(folder)
    for outbox in _outboxes:
        part = parts.setdefault(outbox.origin, dict.fromkeys(COUNTS, 0))
        part["dropped"] += outbox.dropped
        for name, count in outbox.counts_in_memory().items():
            part[name] += count
    totals: OutboxStatus = {
        "recorded": _total(parts, "recorded"),
        "sent": _total(parts, "sent"),
        "waiting": _total(parts, "waiting"),
        "dead": _total(parts, "dead"),
        "dropped": _total(parts, "dropped"),
        "destinations": parts,
    }
    if blocked := _total(parts, "blocked"):
        totals["blocked"] = blocked
    return totals


def _total(parts: Mapping[str, Mapping[str, int]], name: str) -> int:
    return sum(part.get(name, 0) for part in parts.values())
