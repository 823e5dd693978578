"""``autoflow outbox``: what waits, sending it, and what can never be sent."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any, TextIO

from autoflow import settings
from autoflow.outbox import deadletters
from autoflow.outbox.journal import journals
from autoflow.outbox.reader import Reader, is_record
from autoflow.outbox.status import COUNTS, destinations
from autoflow.outbox.status import status as counts
from autoflow.outbox.sync import sync
from autoflow.runtime.destination import connect, of_address, resolve

DAY = 86_400 * 10**9  # nanoseconds


def status(given: argparse.Namespace) -> int:
    """Print the counts."""
    _print_counts(as_json=given.json)
    return 0


def sync_all(given: argparse.Namespace) -> int:
    """Send what waits for every destination; 1 when something still does."""
    done = [_sync(origin, folder) for origin, folder in destinations()]
    _print_counts(as_json=given.json)
    if not all(done):
        print("Not everything could be sent; what waits is kept. See `autoflow doctor`.", file=sys.stderr)
        return 1
    return 0


def _sync(origin: str, folder: str) -> bool:
    try:
        destination = of_address(origin)
    except ValueError:
        destination = None
    if destination is None or destination.origin != origin:
        print(f"autoflow: nothing says which server {folder} is for; it is left as it is", file=sys.stderr)
        return False
    # the environment's token is for the server the environment names, and goes to no other one records wait for
    return sync(folder, origin, connect(destination, None if origin in _known_origins() else ""))


def _known_origins() -> set[str]:
    instance = settings.instance()
    return {resolve().origin} | ({of_address(instance).origin} if instance is not None else set())


def export(given: argparse.Namespace) -> int:
    """Write waiting and dead records as JSON lines."""
    if given.file == "-":
        _write(sys.stdout)
        return 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    with open(os.open(given.file, flags, 0o600), "w", encoding="utf-8") as file:
        _write(file)
    return 0


def _write(stream: TextIO) -> None:
    for origin, folder in destinations():
        for form in (*_waiting(folder), *_dead(folder)):
            stream.write(json.dumps({"destination": origin, **form}) + "\n")


def _waiting(folder: str) -> Iterator[dict[str, Any]]:
    for name in journals(folder):
        reader = Reader(folder, name, owned=False)
        while entries := reader.entries():
            for entry in entries:
                if entry.line.body is not None and is_record(entry.line):
                    record = json.loads(entry.line.body)
                    yield {"state": "waiting", "key": f"{name}:{record.pop('n')}", "record": record}
                reader.advance(entry)


def _dead(folder: str) -> Iterator[dict[str, Any]]:
    for letter in deadletters.letters(folder):
        yield {"state": "dead", "key": letter["key"], "reason": letter["reason"], "record": letter["record"]}


def purge(given: argparse.Namespace) -> int:
    """Remove dead letters, after asking; 1 when nobody could be asked, or said no."""
    before = time.time_ns() - int((given.older_than or 0) * DAY)
    doomed = sum(letter["at"] < before for _, folder in destinations() for letter in deadletters.letters(folder))
    if doomed and not given.yes:
        if not sys.stdin.isatty():
            print(f"autoflow: {doomed} dead letters would be removed for good; say --yes", file=sys.stderr)
            return 1
        if input(f"Remove {doomed} dead letters for good? [y/N] ").strip().lower() not in {"y", "yes"}:
            return 1
    gone = sum(deadletters.purge(folder, before) for _, folder in destinations())
    print(f"{gone} dead letters removed.")
    return 0


def _print_counts(*, as_json: bool) -> None:
    found = counts()
    if as_json:
        print(json.dumps(found, indent=2))
        return
    parts = found["destinations"]
    width = max([len(origin) for origin in parts] + [len("all")])
    print(" " * width, *(f"{name:>9}" for name in COUNTS))
    for origin, part in [*parts.items(), ("all", found)]:
        print(f"{origin:<{width}}", *(f"{part[name]:>9}" for name in COUNTS))
    for origin, folder in destinations():
        for reason, count in reasons(folder).items():
            print(f"dead, {origin}: {reason}" + (f" ({count} records)" if count > 1 else ""))


def reasons(folder: str) -> dict[str, int]:
    """Why records of a destination are dead, most frequent first, with how many."""
    found: dict[str, int] = {}
    for letter in deadletters.letters(folder):
        found[letter["reason"]] = found.get(letter["reason"], 0) + 1
    return dict(sorted(found.items(), key=lambda item: -item[1]))
