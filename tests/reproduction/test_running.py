"""Execution of a reproduced command."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from autoflow import workflow
from autoflow.errors import NotReproducible
from autoflow.reproduction.running import execute


def test_a_command_does_not_join_the_run_that_starts_it(tmp_path):
    """It is a run of its own, although other subprocesses join the run they are started in."""
    program = f"import os; open({str(tmp_path / 'output')!r}, 'w').write(os.environ.get('AUTOFLOW_RUN', 'none'))"
    environment = {name: value for name, value in os.environ.items() if name != "AUTOFLOW_RUN"}
    with workflow("Reproduce"):
        assert execute([sys.executable, "-c", program], str(tmp_path), environment, "an-attempt") == 0
    assert (tmp_path / "output").read_text() == "none"


def test_a_timeout_ends_all_processes(tmp_path):
    """Those of another session too, where the system shows their environment."""
    pids = tmp_path / "pids"
    script = f"sleep 600 & echo $! > {pids}; setsid sleep 600 & echo $! >> {pids}; wait"
    environment = {**os.environ, "AUTOFLOW_REPRODUCES": "task:1 some-attempt"}
    with pytest.raises(NotReproducible, match="did not end within 1 s"):
        execute(["sh", "-c", script], str(tmp_path), environment, "some-attempt", timeout=1)
    for pid in pids.read_text().split():
        line = ["ps", "-o", "stat=", "-p", pid]
        state = subprocess.run(line, capture_output=True, text=True, check=False).stdout
        assert state.strip()[:1] in {"", "Z"}
