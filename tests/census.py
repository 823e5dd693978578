"""Counts the records of an outbox by reading its files: independent of the package's own reader and counts.

The format, stated again: a line is ``crc32 SP json LF``; a record's JSON begins with ``{"n":``, a note of dropped ones
holds ``dropped``; a progress file says how far each segment was dealt with; totals stand for journals that are gone.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32


class Census(NamedTuple):
    """What became of every record written, as the files of an outbox say."""

    recorded: int
    sent: int
    waiting: int
    dead: int
    dropped: int


def bodies(path: Path) -> list[dict[str, Any]]:
    """The JSON of every whole line of a framed file; damaged lines are left out."""
    return [body for _, body in _framed(path, 0)]


def _framed(path: Path, start: int) -> list[tuple[int, dict[str, Any]]]:
    contents = []
    for line in path.read_bytes()[start:].splitlines(keepends=True) if path.exists() else ():
        match = re.fullmatch(rb"([0-9a-f]{8}) (\{.*\})\n", line)
        if match is not None and int(match[1], 16) == crc32(match[2]):
            contents.append((start, json.loads(match[2])))
    return contents


def _small(path: Path) -> dict[str, Any]:
    contents = bodies(path)
    return contents[0] if contents else {}


def census(folder: Path) -> Census:
    """Count one destination's folder."""
    totals = _small(folder / "totals")
    sent, settled_dead = totals.get("sent", 0), totals.get("dead", 0)
    dropped = totals.get("dropped", 0)
    waiting = 0
    names = {path.name.split(".")[0] for path in folder.iterdir() if path.suffix in {".journal", ".progress"}}
    for name in names - set(totals.get("folded", ())):
        progress = _small(folder / f"{name}.progress")
        sent += progress.get("sent", 0)
        settled_dead += progress.get("dead", 0)
        noted = progress.get("dropped", 0)
        for segment in folder.glob(f"{name}.*.journal"):
            offset = progress.get("offsets", {}).get(str(int(segment.name.split(".")[1])), 0)
            for _, body in _framed(segment, offset):
                waiting += "n" in body
                noted += body.get("dropped", 0) if "n" not in body else 0
        dropped += max(noted, _small(folder / f"{name}.dropped").get("dropped", 0))
    aside = {name: {body["key"] for body in bodies(folder / name) if "key" in body} for name in ("dead", "blocked")}
    dead = len(aside["dead"])
    gone = _small(folder / "dead").get("purged", 0)
    assert dead == settled_dead - gone, "each dead letter is in the file"
    waiting += len(aside["blocked"])
    return Census(sent + waiting + dead, sent, waiting, dead, dropped)


def census_of(home: Path) -> Census:
    """Count every destination of a home."""
    parts = [census(folder) for folder in sorted(home.glob("outbox/*/"))]
    return Census(*(sum(column) for column in zip(*parts, strict=True))) if parts else Census(0, 0, 0, 0, 0)
