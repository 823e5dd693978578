"""The long run of kills, in a short form: processes really are killed, and everything they acknowledged arrives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.core

SOAK = Path(__file__).parents[2] / "benchmarks" / "soak.py"


def test_nothing_is_lost_or_sent_twice_while_recorders_and_senders_are_killed():
    """Every acknowledged record arrives once and in order, and the counts add up at every look."""
    done = subprocess.run(
        [sys.executable, str(SOAK)],
        env={**os.environ, "SOAK_SCALE": "0.03"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    told = json.loads(done.stdout.splitlines()[-2])
    assert told["violations"] == 0
    assert told["acknowledged"] >= 7500
    assert told["recorders killed"] >= 6
    assert told["senders killed"] >= 3
    assert told["looks"] > 0
