"""What is needed to run the same thing again: known at once when the run starts, or gathered later by the sender."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from autoflow.forks import put_off
from autoflow.guard import guard
from autoflow.model.run import RunFacts
from autoflow.runtime import masking

GIT_SECONDS = 5.0


def at_once(parameters: Any) -> RunFacts:
    """The facts that cost nothing.

    Args:
        parameters: a mapping, an object with attributes (argparse's), or None.
    """
    main = sys.modules.get("__main__")
    facts: RunFacts = {
        "command": masking.command([sys.executable, *getattr(sys, "orig_argv", sys.argv)[1:]]),
        "python": platform.python_version(),
        "host": os.uname().nodename,
        "pid": os.getpid(),
    }
    with guard:  # what an app calls its parameters may be anything
        if parameters:
            given = parameters if isinstance(parameters, Mapping) else vars(parameters)
            facts["parameters"] = masking.value(dict(given))
    with contextlib.suppress(OSError):  # the working folder may be gone
        facts["folder"] = os.getcwd()
        if script := getattr(main, "__file__", None):
            facts["script"] = os.path.abspath(script)
    return facts


def gathered(folder: str | None) -> RunFacts:
    """The facts that cost time: git and the installed packages; for the sender's thread, bounded in time."""
    facts: RunFacts = {"packages": _packages()}
    if folder is not None and (commit := _git(folder, "rev-parse", "HEAD")):
        facts["commit"] = commit
        status = _git(folder, "status", "--porcelain", "--untracked-files=no")
        if status is not None:
            facts["dirty"] = bool(status)
        if repository := _git(folder, "config", "--get", "remote.origin.url"):
            facts["repository"] = masking.text(repository)
    return facts


@functools.cache
def _packages() -> dict[str, str]:
    """The installed packages, name to version; they do not change under a process."""
    with put_off():
        from importlib import metadata

    found = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if name:
            found[name] = distribution.version
        time.sleep(0)  # the app's threads go first
    return dict(sorted(found.items()))


def _git(folder: str, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - our own words only
            ["git", "-C", folder, *arguments],  # noqa: S607 - the user's own git
            capture_output=True,
            timeout=GIT_SECONDS,
            check=False,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError, RuntimeError):  # RuntimeError: too late to start a process
        return None
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None
