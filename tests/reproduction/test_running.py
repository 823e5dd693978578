"""Execution of a reproduced command."""

from __future__ import annotations

import os
import sys

from autoflow import workflow
from autoflow.reproduction.running import execute


def test_a_command_does_not_join_the_run_that_starts_it(tmp_path):
    """It is a run of its own, although other subprocesses join the run they are started in."""
    program = f"import os; open({str(tmp_path / 'output')!r}, 'w').write(os.environ.get('AUTOFLOW_RUN', 'none'))"
    environment = {name: value for name, value in os.environ.items() if name != "AUTOFLOW_RUN"}
    with workflow("Reproduce"):
        assert execute([sys.executable, "-c", program], str(tmp_path), environment) == 0
    assert (tmp_path / "output").read_text() == "none"
