"""What the tests of the runtime share."""

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
        """Run it; what it printed. The environment is bare but for what is given."""
        path = self.folder / "app.py"
        path.write_text(text)
        given = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH"),  # of a checkout that is not the installed one
            "HOME": str(self.folder),
            "AUTOFLOW_HOME": str(self.home),
            "AUTOFLOW_SERVER": NOWHERE,
            "AUTOFLOW_EXIT_FLUSH": "0",
            **environment,
        }
        done = subprocess.run(
            [sys.executable, "-W", "error", str(path)],
            env={name: value for name, value in given.items() if value is not None},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == expect, done.stderr
        return done

    def records(self, home=None):
        """What stands in the journals of the home, journal by journal, each in the order written."""
        found = []
        for path in sorted((home or self.home).rglob("*.journal")):
            lines = [json.loads(line.split(b" ", 1)[1]) for line in path.read_bytes().splitlines()]
            found += [line for line in lines if "n" in line]
        return found

    def edges(self, home=None):
        """The edges among them as (direction, kind, subject, run)."""
        return [
            (one["direction"], one["kind"], next(iter(one["subject"].values())), one["run"])
            for one in self.records(home)
            if one["type"] == "edge"
        ]


@pytest.fixture
def script(tmp_path):
    """Run programs."""
    return Script(tmp_path)
