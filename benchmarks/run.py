"""All benchmarks, one after the other; writes RESULTS.md beside this file.

``run.py [NAME ...]`` runs those named. Each is a script of its own, so that none sees another's processes or imports.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import HERE, Goal, goals_table, machine
from peers import PEERS, installed

BENCHMARKS = ("call_cost", "delivery", "throughput")
RESULTS = HERE / "RESULTS.md"

REPEAT = """## How to repeat

`make bench` installs the extra `bench` and runs everything; `python benchmarks/run.py delivery` runs one part.
Shorter: `BENCH_ROUNDS` (5), `BENCH_CALLS` (20000), `BENCH_OUTAGE` (30, seconds), `BENCH_MANY` (100000, records of the
large backlog), `BENCH_SOME` (5000, of the others), `BENCH_IDLE` (10, seconds). `make soak` is the long run of kills.
"""


def run(name: str, goals: Path) -> str:
    """One benchmark: its section of the report, or what went wrong."""
    print(f"== {name}", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, str(HERE / f"{name}.py")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "BENCH_GOALS": str(goals)},
        check=False,
    )
    return done.stdout if done.returncode == 0 else f"## {name}\n\nIt failed ({done.returncode}); run it by itself.\n"


def main(names: list[str]) -> int:
    """Run them and write the report; 1 when one failed."""
    absent = [peer.title for peer in PEERS if not installed(peer)]
    before = machine()
    with tempfile.TemporaryDirectory() as folder:
        noted = Path(folder, "goals")
        sections = [run(name, noted) for name in names]
        goals = [Goal(*json.loads(line)) for line in noted.read_text().splitlines()] if noted.exists() else []
    met = sum(goal.met for goal in goals)
    report = [
        f"# Results\n\n{time.strftime('%Y-%m-%d')}; {before}. Not installed: {', '.join(absent) or 'none'}.\n"
        "Ratios and medians say more than absolute figures; clients take turns in one run on one machine.",
        f"## Goals\n\n{met} of {len(goals)} met.\n\n{goals_table(goals)}",
        *sections,
        REPEAT,
    ]
    RESULTS.write_text("\n\n".join(part.strip() for part in report) + "\n")
    print(f"{met} of {len(goals)} goals met; written to {RESULTS}", file=sys.stderr)
    return int(any("It failed" in section for section in sections))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:] or list(BENCHMARKS)))
