"""All benchmarks, one after the other; RESULTS.md beside this file is written from the last results of each.

``run.py [NAME ...]`` runs those named, and keeps the results of the others. Each is a script of its own, so
that none sees another's processes or imports; its results are stored in ``results/NAME.json``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measure import HERE, Goal, goals_table, machine
from peers import PEERS, installed

BENCHMARKS = (
    *("call_cost", "delivery", "throughput", "server", "mlflow_server", "ingest", "interpreter"),
    *("versions", "sdk_versions", "folders", "impact", "page"),
)
RESULTS = HERE / "RESULTS.md"
RESULTS_FOLDER = HERE / "results"

REPEAT = """## How to repeat

`make bench` installs the extra `bench` and runs everything; `python benchmarks/run.py delivery` runs one part.
Shorter: `BENCH_ROUNDS` (5), `BENCH_CALLS` (20000), `BENCH_OUTAGE` (30, seconds), `BENCH_MANY` (100000, records of the
large backlog), `BENCH_SOME` (5000, of the others), `BENCH_IDLE` (10, seconds), `BENCH_SECONDS` (10, of each load of the
server), `BENCH_EDGES` (1000000, of the large store), `BENCH_UPLOAD` (1024, MiB), `VERSIONS_ITEMS` (20000,1000000),
`SDK_VERSIONS_ITEMS` (12500), `BENCH_SIZES` (100000,1000000, of the impact).
`make soak` is the long run of kills.
"""


def run(name: str) -> bool:
    """Run one benchmark and store its results; return whether it succeeded."""
    print(f"== {name}", file=sys.stderr, flush=True)
    absent = [peer.title for peer in PEERS if not installed(peer)]
    result: dict[str, Any] = {"date": time.strftime("%Y-%m-%d"), "machine": machine(), "absent": absent}
    with tempfile.TemporaryDirectory() as folder:
        goals = Path(folder, "goals")
        done = subprocess.run(
            [sys.executable, str(HERE / f"{name}.py")],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "BENCH_GOALS": str(goals)},
            check=False,
        )
        if done.returncode:
            print(f"{name} failed ({done.returncode}); its previous results are kept", file=sys.stderr)
            return False
        result["section"] = done.stdout.strip()
        result["goals"] = [json.loads(line) for line in goals.read_text().splitlines()] if goals.exists() else []
    RESULTS_FOLDER.mkdir(exist_ok=True)
    (RESULTS_FOLDER / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
    return True


def report() -> str:
    """Return the report of the last results, goals first."""
    parts = {
        name: json.loads(path.read_text()) for name in BENCHMARKS if (path := RESULTS_FOLDER / f"{name}.json").exists()
    }
    goals = [Goal(*goal) for part in parts.values() for goal in part["goals"]]
    head = "# Results\n\nRatios and medians say more than absolute figures; what is compared took turns in one run."
    runs = "\n".join(
        f"- {name}: {part['date']}; {part['machine']}" + (f"; not installed: {', '.join(absent)}" if absent else "")
        for name, part in parts.items()
        for absent in [part["absent"]]
    )
    met = sum(goal.met for goal in goals)
    table = f"## Goals\n\n{met} of {len(goals)} met.\n\n{goals_table(goals)}"
    return "\n\n".join(
        part.strip() for part in [f"{head}\n\n{runs}", table, *(p["section"] for p in parts.values()), REPEAT]
    )


def main(names: list[str]) -> int:
    """Run them and write the report; 1 when one failed."""
    done = [run(name) for name in names]
    RESULTS.write_text(report() + "\n")
    print(f"written to {RESULTS}", file=sys.stderr)
    return int(not all(done))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:] or list(BENCHMARKS)))
