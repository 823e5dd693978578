"""``autoflow server recover``: look at a store that is unavailable, and mend it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from autoflow.cli.serve import folder_of, notes_folder
from autoflow.distribution import install
from autoflow.errors import ServerExtraMissing
from autoflow.graph.render.labels import printable

if TYPE_CHECKING:
    from autoflow.server.maintenance.recovery import Diagnosis


def recover(given: argparse.Namespace) -> int:
    """Print what is wrong with a store and, after asking, mend it; 1 when it is not sound afterwards."""
    try:
        from autoflow.server.location import locate
        from autoflow.server.maintenance.recovery import Recovery
    except ImportError as error:
        raise ServerExtraMissing(f"this needs more: {install('server')} ({error})") from error
    place = locate(folder_of(given), given.database, given.blobs, notes_folder())
    recovery = Recovery(place.url, place.witnesses, place.remedy)
    finding = recovery.diagnose()
    if finding is not None and not given.json:
        for line in _lines(finding):
            print(printable(line))
    repair = finding is not None and (given.yes or (not given.json and _confirmed()))
    mended = recovery.repair() if repair else []
    sound = finding is None or bool(mended)
    if given.json:
        found = {**finding._asdict(), "tables": [table._asdict() for table in finding.tables]} if finding else None
        print(json.dumps({"sound": sound, "found": found, "mended": [each.reason for each in mended]}, indent=2))
    elif finding is None:
        print(f"The store {place.url.render_as_string(hide_password=True)} is sound.")
    elif mended:
        print("Done. `autoflow versions verify --level 2` says which bytes and versions are whole.")
    return 0 if sound else 1


def _lines(finding: Diagnosis) -> Iterator[str]:
    yield finding.message
    for table in finding.tables:
        gaps = f", with {table.gaps:,} gaps" if table.gaps else ""
        yield f"  {table.name:<24}{table.rows:>12,} rows can be read{gaps}"
    yield f"To mend it: {finding.action}."


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        print("Nothing was changed: say --yes to have that done.", file=sys.stderr)
        return False
    return input("Do that? [y/N] ").strip().lower() in {"y", "yes"}
