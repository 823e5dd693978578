"""Calls of git that are bounded in time and change nothing."""

from __future__ import annotations

import os
import subprocess

from autoflow.process import time_budget

SECONDS = 5.0


def read_bytes(folder: str, *arguments: str, stdin: bytes = b"") -> bytes | None:
    """Run git in a folder and return its output; None if it failed or took longer than `SECONDS`."""
    variables = {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        process = subprocess.run(  # noqa: S603 - our own arguments only
            ["git", "-C", folder, *arguments],  # noqa: S607 - the user's own git
            capture_output=True,
            timeout=time_budget.remaining(SECONDS),
            check=False,
            env={**os.environ, **variables},
            input=stdin,
        )
    except (OSError, subprocess.SubprocessError, RuntimeError):  # RuntimeError: the interpreter is shutting down
        return None
    return process.stdout if process.returncode == 0 else None


def read(folder: str, *arguments: str) -> str | None:
    """Return the output as text without white space around it; None as `read_bytes`."""
    output = read_bytes(folder, *arguments)
    return None if output is None else output.decode(errors="replace").strip()


def read_paths(folder: str, *arguments: str) -> list[str]:
    """Return the paths of an output that ``-z`` ends with zeros; empty if git failed."""
    output = read_bytes(folder, *arguments)
    return [os.fsdecode(path) for path in (output or b"").split(b"\0") if path]
