"""Fixtures of the runtime's tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

NOWHERE = "http://127.0.0.1:9"  # nobody listens: records wait in the journal, where they can be read


class Script:
    """A program of its own, run in its own folder, with its own home."""

    def __init__(self, folder):
        self.folder = folder
        self.home = folder / "home"

    def __call__(self, text, *, expect=0, **environment):
        """Run a program in a bare environment with some variables set; return the completed process."""
        path = self.folder / "app.py"
        path.write_text(text)
        variables = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH"),  # of a checkout that is not the installed one
            "HOME": str(self.folder),
            "AUTOFLOW_HOME": str(self.home),
            "AUTOFLOW_SERVER": NOWHERE,
            "AUTOFLOW_EXIT_FLUSH": "0",
            **environment,
        }
        process = subprocess.run(
            [sys.executable, "-W", "error", str(path)],
            env={name: value for name, value in variables.items() if value is not None},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert process.returncode == expect, process.stderr
        return process

    def records(self, home=None):
        """Return the records in the home's journals, journal by journal, each in the order written."""
        records = []
        for path in sorted((home or self.home).rglob("*.journal")):
            lines = [json.loads(line.split(b" ", 1)[1]) for line in path.read_bytes().splitlines()]
            records += [line for line in lines if "n" in line]
        return records

    def edges(self, home=None):
        """Return the edges among them as (direction, kind, subject, run)."""
        return [
            (record["direction"], record["kind"], next(iter(record["subject"].values())), record["run"])
            for record in self.records(home)
            if record["type"] == "edge"
        ]


@pytest.fixture
def script(tmp_path):
    """Run programs."""
    return Script(tmp_path)
