"""The frameworks too large for the tests' environment: Ray, and torch on the CPU, each in an environment of its own.

For each pool an app plays the scenarios of `tests/runtime/integrations/scenarios.py`: a pool made before any run, in a
run and used in the next one, overlapping runs, failures, tasks left behind by a run that closed. Its records go to a
server here, and every one is compared with the run that caused it: none may be missing, doubled or in another run.

    python benchmarks/frameworks_soak.py ray=PYTHON torch=PYTHON

names the interpreters that have them. Ends with 1 when anything was violated.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from autoflow.testing import FaultyServer

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "runtime" / "integrations"))
import apps
import scenarios

ORDER = ("implicit", "unattributed", "first", "second", "third", "fourth", "left", "failed", "inside", "later")
POOLS = {
    "ray": (
        "ray_pools.py",
        ("tasks", "optioned_tasks", "streams", "propagated", "actors", "threaded_actors", "async_actors"),
    ),
    "torch": ("torch_pools.py", ("2",)),  # workers
}


def main(arguments: list[str]) -> int:
    """Play every pool, and print a table: how many records went to each run."""
    violations = 0
    print(f"{'pool':24}" + "".join(f"{name:>13}" for name in ORDER))
    for name, python in (argument.split("=", 1) for argument in arguments):
        app, pools = POOLS[name]
        for pool in pools:
            violations += not _play(f"{name} {pool}", python, app, pool)
    print(f"{violations} pools with violations")
    return 1 if violations else 0


def _play(title: str, python: str, app: str, pool: str) -> bool:
    with tempfile.TemporaryDirectory() as folder, FaultyServer() as server:
        try:
            keys = apps.play(str(Path(python).absolute()), app, pool, apps.environment_of(Path(folder), server.address))
            counts = scenarios.check(server.records, keys)
        except AssertionError as error:
            print(f"{title:24} VIOLATED: {error}")
            return False
    print(f"{title:24}" + "".join(f"{counts.get(name, 0):13}" for name in ORDER), flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
