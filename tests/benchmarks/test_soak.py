"""The long run of kills, in a short form: processes really are killed, and everything they acknowledged arrives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.core, pytest.mark.slow]

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
    response = json.loads(done.stdout.splitlines()[-2])
    assert response["violations"] == 0
    assert response["acknowledged"] >= 7500
    assert response["recorders killed"] >= 6
    assert response["senders killed"] >= 3
    assert response["looks"] > 0
