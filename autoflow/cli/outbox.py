"""``autoflow outbox``: count, send, export and purge records in the outbox."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import TextIO, TypedDict

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
from autoflow.wire.records import Record

DAY = 86_400 * 10**9  # nanoseconds


class _Reason(TypedDict, total=False):
    reason: str


class _ExportedRecord(_Reason):
    """A line of an export; `reason` of blocked and dead records."""

    state: str
    key: str
    record: Record | None


def status(args: argparse.Namespace) -> int:
    """Print the number of records in each state."""
    _print_counts(as_json=args.json)
    return 0


def sync_all(args: argparse.Namespace) -> int:
    """Send the pending records of all destinations; exit code 1 if some are still pending."""
    return _send(list(destinations()), as_json=args.json)


def retry(args: argparse.Namespace) -> int:
    """Send dead letters again, in order and with their keys; exit code 1 if some are pending or rejected again."""
    chosen = [(origin, folder) for origin, folder in destinations() if args.destination in {None, origin}]
    if args.destination is not None and not chosen:
        print(f"autoflow: there are no records for {args.destination}; see `autoflow outbox status`", file=sys.stderr)
        return 1
    reason = args.reason or ""
    moved = sum(
        dead_letters.requeue(folder, choose=lambda letter: reason in str(letter["reason"])) for _, folder in chosen
    )
    dead_before = sum(counts_of(folder)["dead"] for _, folder in chosen)
    print(f"{moved} dead letters will be sent again.", file=sys.stderr)
    code = _send(chosen, as_json=args.json)
    rejected = sum(counts_of(folder)["dead"] for _, folder in chosen) - dead_before
    if rejected > 0:
        print(f"{rejected} of them were rejected again; see `autoflow outbox status`.", file=sys.stderr)
    return 1 if rejected > 0 else code


def _send(chosen: list[tuple[str, str]], *, as_json: bool) -> int:
    sent = [_sync(origin, folder) for origin, folder in chosen]
    _print_counts(as_json=as_json)
    if all(sent):
        return 0
    for _, folder in chosen:
        for held in held_by_others(folder):
            holder = held.holder or "another process"
            print(f"autoflow: {held.waiting} records in {folder} are being sent by {holder}", file=sys.stderr)
    print("Some records could not be sent; they are kept. Run `autoflow doctor` for the reason.", file=sys.stderr)
    return 1


def _sync(origin: str, folder: str) -> bool:
    destination: Destination | None
    if origin == UNRESOLVED:  # recorded while the environment had no valid server address: sent to the present one
        destination = resolve_for_records()
        if destination.origin in {UNRESOLVED, "memory", "off"}:
            return False
        return sync(folder, destination.origin, connector_to(destination))
    try:
        destination = parse_address(origin)
    except ValueError:
        destination = None
    if destination is None or destination.origin != origin:
        print(
            f"autoflow: the server of the records in {folder} is unknown; they are not sent. "
            "`autoflow outbox export` writes them to a file",
            file=sys.stderr,
        )
        return False
    # the environment's token is for the environment's server, and is not sent to servers of older records
    return sync(folder, origin, connector_to(destination, None if origin in _known_origins() else ""))


def _known_origins() -> set[str]:
    instance = settings.instance()
    origin = parse_origin(instance) if instance is not None else None
    return {resolve_for_records().origin} | ({origin} if origin is not None else set())


def export(args: argparse.Namespace) -> int:
    """Write pending, blocked and dead records as JSON lines."""
    if args.file == "-":
        _write(sys.stdout)
        return 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    with open(os.open(args.file, flags, 0o600), "w", encoding="utf-8") as file:
        _write(file)
    return 0


def _write(stream: TextIO) -> None:
    for origin, folder in destinations():
        for line in (*_pending(folder), *_set_aside(folder)):
            stream.write(json.dumps({"destination": origin, **line}) + "\n")


def _pending(folder: str) -> Iterator[_ExportedRecord]:
    for name in journals(folder):
        reader = Reader(folder, name, owned=False)
        while entries := reader.entries():
            for entry in entries:
                if entry.line.body is not None and is_record(entry.line):
                    record = json.loads(entry.line.body)
                    key = f"{name}:{record.pop('n')}"
                    yield {"state": "waiting", "key": record.pop("key", key), "record": record}
                reader.advance(entry)


def _set_aside(folder: str) -> Iterator[_ExportedRecord]:
    for state, file in (("blocked", dead_letters.BLOCKED_FILE), ("dead", dead_letters.FILE)):
        for letter in dead_letters.iter_dead_letters(folder, file):
            yield {"state": state, "key": letter["key"], "reason": letter["reason"], "record": letter["record"]}


def purge(args: argparse.Namespace) -> int:
    """Remove dead letters after confirmation; exit code 1 if it was not confirmed."""
    before = time.time_ns() - int((args.older_than or 0) * DAY)
    selected = sum(
        letter["at"] < before for _, folder in destinations() for letter in dead_letters.iter_dead_letters(folder)
    )
    if selected and not args.yes:
        if not sys.stdin.isatty():
            print(
                f"autoflow: {selected} dead letters would be removed permanently; confirm with --yes", file=sys.stderr
            )
            return 1
        if input(f"Remove {selected} dead letters permanently? [y/N] ").strip().lower() not in {"y", "yes"}:
            return 1
    removed = sum(dead_letters.purge(folder, before) for _, folder in destinations())
    print(f"{removed} dead letters removed.")
    return 0


def _print_counts(*, as_json: bool) -> None:
    totals = counts()
    if as_json:
        print(json.dumps(totals, indent=2))
        return
    parts = totals["destinations"]
    width = max([len(origin) for origin in parts] + [len("all")])
    print(" " * width, *(f"{name:>9}" for name in COUNTS))
    of_all: dict[str, int] = {name: totals[name] for name in COUNTS}
    for origin, part in {**parts, "all": of_all}.items():
        print(f"{origin:<{width}}", *(f"{part[name]:>9}" for name in COUNTS))
    for origin, folder in destinations():
        for state, file in (("dead", dead_letters.FILE), ("blocked", dead_letters.BLOCKED_FILE)):
            for reason, count in reasons(folder, file).items():
                print(f"{state}, {origin}: {reason}" + (f" ({count} records)" if count > 1 else ""))


def reasons(folder: str, file: str = dead_letters.FILE) -> dict[str, int]:
    """Count the dead (or, by the file, blocked) records of a destination by reason, the most frequent first."""
    counts_by_reason: dict[str, int] = {}
    for letter in dead_letters.iter_dead_letters(folder, file):
        counts_by_reason[letter["reason"]] = counts_by_reason.get(letter["reason"], 0) + 1
    return dict(sorted(counts_by_reason.items(), key=lambda item: -item[1]))
