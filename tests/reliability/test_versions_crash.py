"""Writers, restores, deletions and garbage collection, killed repeatedly: no version loses data.

`make soak` does it for longer, and with a collector that loses bytes, so that the run can fail.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.buckets import make_bucket, serving, variables

SOAK = Path(__file__).parents[2] / "benchmarks" / "versions_soak.py"

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("crash")]


def soak(*arguments, **environment):
    """Run it; gives how it ended, and its counts."""
    command = [sys.executable, "-W", "ignore", str(SOAK), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment or None)
    assert "Traceback" not in done.stderr, done.stderr
    lines = done.stdout.splitlines()
    return done.returncode, json.loads(lines[-2]), lines[-1]


def test_killed_processes_lose_no_version():
    """Processes killed: versions hold what was saved, no bytes are missing, one sweep leaves nothing stray."""
    code, counts, output = soak("--kills", "12", "--versions", "4")
    assert (code, counts["violations"]) == (0, 0), output
    assert counts["killed"] >= 12
    assert counts["versions alive"] >= 4


def test_nothing_is_lost_on_postgresql(postgres):
    """As above on PostgreSQL, where the writers are connections that break."""
    with postgres.database() as url:
        code, counts, output = soak("--kills", "12", "--versions", "2", "--database", url)
    assert (code, counts["violations"]) == (0, 0), output


def test_nothing_is_lost_in_a_bucket():
    """As above with blobs in a bucket, whose uploads are interrupted."""
    with serving() as address:
        environment = {**os.environ, **variables(address)}
        bucket_url = f"s3://{make_bucket(address)}/soak"
        code, counts, output = soak("--kills", "12", "--versions", "2", "--blobs", bucket_url, **environment)
    assert (code, counts["violations"]) == (0, 0), output
