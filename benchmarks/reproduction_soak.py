"""Every way of starting a run with every change afterwards: the verdict of `reproduce`, compared with the truth.

Ends with 1 when a verdict was not true: above all, when a run that differs was said to be the same.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from autoflow import Api
from autoflow.errors import NotReproducible
from autoflow.runtime import destination
from tests.reproduction.matrix import CHANGES, SLOW_WAYS, WAYS, judge


def main() -> int:
    """Print a line for each combination; return the exit code."""
    wrong = 0
    for way in (*WAYS, *SLOW_WAYS):
        for change, truth in CHANGES.items():
            with tempfile.TemporaryDirectory(prefix="autoflow-matrix-") as folder:
                os.environ["AUTOFLOW_HOME"], os.environ["AUTOFLOW_SERVER"] = f"{folder}/home", "embedded"
                destination.reset()
                api = Api()
                try:
                    verdict, description = judge(api, Path(folder) / "work", way, [change])
                except NotReproducible as error:
                    verdict, description = None, f"{way}, {change}: {error}"
                api.transport.close()
                wrong += verdict != truth
                print(f"{'true ' if verdict == truth else 'WRONG'}  {way:<10} {change:<11} {verdict}", flush=True)
                if verdict != truth:
                    print(description, flush=True)
    print(f"{wrong} of {len(WAYS + SLOW_WAYS) * len(CHANGES)} verdicts are wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
