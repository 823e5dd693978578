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
from autoflow.outbox import dead_letters
from autoflow.outbox.journal_files import journals
from autoflow.outbox.reader import Reader, is_record
from autoflow.outbox.status import COUNTS, destinations
from autoflow.outbox.status import of_folder as counts_of
from autoflow.outbox.status import status as counts
from autoflow.outbox.sync import held_by_others, sync
from autoflow.runtime.destination import Destination, connector_to, parse_address, parse_origin, resolve_for_records
from autoflow.transport.unresolved import ORIGIN as UNRESOLVED

DAY = 86_400 * 10**9  # nanoseconds


def status(given: argparse.Namespace) -> int:
    """Print the counts."""
    _print_counts(as_json=given.json)
    return 0


def sync_all(given: argparse.Namespace) -> int:
    """Send what waits for every destination; 1 when something still does."""
    return _send(list(destinations()), as_json=given.json)


def retry(given: argparse.Namespace) -> int:
    """Send dead letters again, in their order and with their keys; 1 when something still waits or is refused again."""
    chosen = [(origin, folder) for origin, folder in destinations() if given.destination in {None, origin}]
    if given.destination is not None and not chosen:
        print(f"autoflow: there are no records for {given.destination}", file=sys.stderr)
        return 1
    reason = given.reason or ""
    moved = sum(
        dead_letters.requeue(folder, choose=lambda letter: reason in str(letter["reason"])) for _, folder in chosen
    )
    dead_before = sum(counts_of(folder)["dead"] for _, folder in chosen)
    print(f"{moved} dead letters are sent again.", file=sys.stderr)
    code = _send(chosen, as_json=given.json)
    again = sum(counts_of(folder)["dead"] for _, folder in chosen) - dead_before
    if again > 0:
        print(f"{again} of them are refused again: see `autoflow outbox status`.", file=sys.stderr)
    return 1 if again > 0 else code


def _send(chosen: list[tuple[str, str]], *, as_json: bool) -> int:
    done = [_sync(origin, folder) for origin, folder in chosen]
    _print_counts(as_json=as_json)
    if all(done):
        return 0
    for _, folder in chosen:
        for held in held_by_others(folder):
            who = held.holder or "another process"
            print(f"autoflow: {held.waiting} records in {folder} are left to {who}, which sends them", file=sys.stderr)
    print("Not everything could be sent; what waits is kept. See `autoflow doctor`.", file=sys.stderr)
    return 1


def _sync(origin: str, folder: str) -> bool:
    destination: Destination | None
    if origin == UNRESOLVED:  # recorded while the environment named no server: for the one it names now
        destination = resolve_for_records()
        if destination.origin in {UNRESOLVED, "memory", "off"}:
            return False
        return sync(folder, destination.origin, connector_to(destination))
    try:
        destination = parse_address(origin)
    except ValueError:
        destination = None
    if destination is None or destination.origin != origin:
        print(f"autoflow: nothing says which server {folder} is for; it is left as it is", file=sys.stderr)
        return False
    # the environment's token is for the server the environment names, and goes to no other one records wait for
    return sync(folder, origin, connector_to(destination, None if origin in _known_origins() else ""))


def _known_origins() -> set[str]:
    instance = settings.instance()
    named = parse_origin(instance) if instance is not None else None
    return {resolve_for_records().origin} | ({named} if named is not None else set())


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
        for form in (*_waiting(folder), *_set_aside(folder)):
            stream.write(json.dumps({"destination": origin, **form}) + "\n")


def _waiting(folder: str) -> Iterator[dict[str, Any]]:
    for name in journals(folder):
        reader = Reader(folder, name, owned=False)
        while entries := reader.entries():
            for entry in entries:
                if entry.line.body is not None and is_record(entry.line):
                    record = json.loads(entry.line.body)
                    key = f"{name}:{record.pop('n')}"
                    yield {"state": "waiting", "key": record.pop("key", key), "record": record}
                reader.advance(entry)


def _set_aside(folder: str) -> Iterator[dict[str, Any]]:
    for state, file in (("blocked", dead_letters.BLOCKED_FILE), ("dead", dead_letters.FILE)):
        for letter in dead_letters.iter_dead_letters(folder, file):
            yield {"state": state, "key": letter["key"], "reason": letter["reason"], "record": letter["record"]}


def purge(given: argparse.Namespace) -> int:
    """Remove dead letters, after asking; 1 when nobody could be asked, or said no."""
    before = time.time_ns() - int((given.older_than or 0) * DAY)
    doomed = sum(
        letter["at"] < before for _, folder in destinations() for letter in dead_letters.iter_dead_letters(folder)
    )
    if doomed and not given.yes:
        if not sys.stdin.isatty():
            print(f"autoflow: {doomed} dead letters would be removed for good; say --yes", file=sys.stderr)
            return 1
        if input(f"Remove {doomed} dead letters for good? [y/N] ").strip().lower() not in {"y", "yes"}:
            return 1
    gone = sum(dead_letters.purge(folder, before) for _, folder in destinations())
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
        for state, file in (("dead", dead_letters.FILE), ("blocked", dead_letters.BLOCKED_FILE)):
            for reason, count in reasons(folder, file).items():
                print(f"{state}, {origin}: {reason}" + (f" ({count} records)" if count > 1 else ""))


def reasons(folder: str, file: str = dead_letters.FILE) -> dict[str, int]:
    """Why records of a destination are dead (or blocked, by the file), most frequent first, with how many."""
    found: dict[str, int] = {}
    for letter in dead_letters.iter_dead_letters(folder, file):
        found[letter["reason"]] = found.get(letter["reason"], 0) + 1
    return dict(sorted(found.items(), key=lambda item: -item[1]))
