"""``autoflow push``: copy a whole store to a server."""

from __future__ import annotations

import argparse
import json
import sys

from autoflow.api.client import Api
from autoflow.cli.api_access import needs_autoflow_server, open_api
from autoflow.cli.progress import Progress
from autoflow.graph.render.labels import printable
from autoflow.transfer.store import StoreCopy, copy_store


def push(args: argparse.Namespace) -> int:
    """Copy projects with their versions, files and runs to a server, and print the numbers that they have there.

    Exit code 1 if versions could not be copied; they are named.
    """
    source, target = open_api(), Api(args.server, args.token)
    with needs_autoflow_server(source), Progress(quiet=args.json) as progress:
        copy = copy_store(source.transport, target.transport, dry_run=args.dry_run, progress=progress)
    if args.json:
        print(json.dumps({"dry_run": args.dry_run, **copy._asdict()}, ensure_ascii=False, indent=2))
        return 1 if copy.skipped else 0
    _print(copy, target.origin, "would copy" if args.dry_run else "copied")
    for version, reason in copy.skipped.items():
        print(printable(f"autoflow: version:{version} was not copied: {reason}"), file=sys.stderr)
    return 1 if copy.skipped else 0


def _print(copy: StoreCopy, origin: str, verb: str) -> None:
    counts = f"{copy.versions:,} versions, {copy.files:,} files, {copy.runs:,} runs"
    everything = "everything else" if copy.skipped else "everything"
    print(f"{verb} {counts} to {origin}" if any(copy[:3]) else f"nothing to copy: {origin} has {everything}")
    for noun, ids in (("project", copy.projects), ("task", copy.tasks)):
        for number, there in sorted(ids.items()):
            print(f"  {noun}:{number} is {noun}:{there} there")
    for path, other_path in copy.moved.items():
        print(printable(f"  {path} is {other_path} there, as that path is in use"))
