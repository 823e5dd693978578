"""``autoflow server recover``: diagnose a store that is unavailable, and repair it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from autoflow.cli import serve_options
from autoflow.cli.serve import folder_of, witness_folder
from autoflow.distribution import install
from autoflow.errors import ServerExtraMissing
from autoflow.graph.render.labels import printable

if TYPE_CHECKING:
    from autoflow.server.maintenance.recovery import Diagnosis


def recover(args: argparse.Namespace) -> int:
    """Print the diagnosis of a store and, after confirmation, repair it; exit code 1 if it is still unavailable."""
    try:
        from autoflow.server.location import locate
        from autoflow.server.maintenance.recovery import Recovery
    except ImportError as error:
        raise ServerExtraMissing(
            f"`autoflow server recover` needs more packages: {install('server')} ({error})"
        ) from error
    options, _ = serve_options.load(args)
    location = locate(folder_of(options.data), options.database, options.blobs, witness_folder())
    recovery = Recovery(location.url, location.witnesses, location.remedy)
    diagnosis = recovery.diagnose()
    if diagnosis is not None and not args.json:
        for line in _lines(diagnosis):
            print(printable(line))
    should_repair = diagnosis is not None and (args.yes or (not args.json and _confirmed()))
    repaired = recovery.repair() if should_repair else []
    is_sound = diagnosis is None or bool(repaired)
    if args.json:
        tables = [table._asdict() for table in diagnosis.tables] if diagnosis else []
        report = {
            "sound": is_sound,
            "found": {**diagnosis._asdict(), "tables": tables} if diagnosis else None,
            "mended": [entry.reason for entry in repaired],
        }
        print(json.dumps(report, indent=2))
    elif diagnosis is None:
        print(f"The store {location.url.render_as_string(hide_password=True)} is sound.")
    elif repaired:
        print("Repaired. Run `autoflow versions verify --level 2` to check versions and files.")
    return 0 if is_sound else 1


def _lines(diagnosis: Diagnosis) -> Iterator[str]:
    yield diagnosis.message
    for table in diagnosis.tables:
        gaps = f", with {table.gaps:,} gaps" if table.gaps else ""
        yield f"  {table.name:<24}{table.rows:>12,} rows can be read{gaps}"
    yield f"To repair it: {diagnosis.action}."


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        print("Nothing was changed; confirm with --yes to repair it.", file=sys.stderr)
        return False
    return input("Repair it? [y/N] ").strip().lower() in {"y", "yes"}
