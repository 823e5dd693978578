"""The command of a reproduction is a run of its own, from wherever it is started."""

from __future__ import annotations

import os
import sys

from autoflow import workflow
from autoflow.reproduction.running import execute


def test_a_command_does_not_join_the_run_that_reproduces(tmp_path):
    """Though programs that are started in a run do."""
    program = f"import os; open({str(tmp_path / 'seen')!r}, 'w').write(os.environ.get('AUTOFLOW_RUN', 'none'))"
    environment = {name: value for name, value in os.environ.items() if name != "AUTOFLOW_RUN"}
    with workflow("Reproduce"):
        assert execute([sys.executable, "-c", program], str(tmp_path), environment) == 0
    assert (tmp_path / "seen").read_text() == "none"
