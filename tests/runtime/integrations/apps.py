"""Runs an app that plays the scenarios, to its end and until its records are delivered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SECONDS = 300


def environment_of(folder: Path, server: str, **more: str) -> dict[str, str]:
    """A bare environment, with a home in a folder and records that go to a server."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "AUTOFLOW_HOME": str(folder / "home"),
        "AUTOFLOW_SERVER": server,
        "AUTOFLOW_TOKEN": "t",
        **more,
    }


def play(python: str, app: str, pool: str, environment: dict[str, str]) -> dict[str, str]:
    """Run an app with a pool, send what it left, and return the keys of its runs, by name.

    Args:
        python: an interpreter that has the pool's library and autoflow.
        app: a script beside this module.
        pool: its argument.
        environment: see `environment_of`.

    Raises:
        AssertionError: the app, or the sending, failed.
    """
    process = _run([python, str(HERE / app), pool], environment)
    _run([sys.executable, "-m", "autoflow", "outbox", "sync"], environment)
    keys: dict[str, str] = json.loads(process.stdout.splitlines()[-1])
    return keys


def _run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    process = subprocess.run(
        command,
        env=environment,
        cwd=environment["HOME"],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert process.returncode == 0, f"{command} ended with {process.returncode}:\n{process.stdout}\n{process.stderr}"
    return process
