"""Run scripts in their own processes, on a real file system that is full."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

SECONDS = 60


def run(script, *command, **environment):
    """Run a script in its own process; return what it printed, parsed as JSON."""
    done = subprocess.run(
        [*command, sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, "AUTOFLOW_STRICT": "0", **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


ON_A_SMALL_DISK = """
import json, os, sys, autoflow
from autoflow.outbox import sender
from autoflow.outbox.status import status
from autoflow.testing import FaultyServer

home = os.environ["AUTOFLOW_HOME"]

@autoflow.workflow_input("project")
def load(project_id):
    return project_id

def look():
    found = status()
    assert found["recorded"] == found["sent"] + found["waiting"] + found["dead"], found
    return {name: found[name] for name in ("recorded", "sent", "waiting", "dead", "dropped")}
"""
