"""What is needed to run the same thing again: known at once when the run starts, or gathered later by the sender.

Of the environment only `VARIABLES` are kept: names that bear on what a program computes, or that say what data it is
for, and that no secret hides under.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from autoflow import settings
from autoflow.guard import guard
from autoflow.model.run import RunFacts
from autoflow.process.forks import defer_forks
from autoflow.runtime import masking

GIT_SECONDS = 5.0

# What a Supervisely app is told to work on.
SUBJECTS = (
    "PROJECT_ID",
    "CONTEXT_PROJECTID",
    "context.projectId",
    "modal.state.slyProjectId",
    "DATASET_ID",
    "CONTEXT_DATASETID",
    "context.datasetId",
    "modal.state.slyDatasetId",
    "modal.state.slyFile",
    "modal.state.slyFolder",
)
VARIABLES = (
    *SUBJECTS,
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_VISIBLE_DEVICES",
    "MKL_NUM_THREADS",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "PYTHONPATH",
    "TF_DETERMINISTIC_OPS",
)


def initial_facts(parameters: Any) -> RunFacts:
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
    if repeated := settings.reproduces():
        facts["reproduces"], _, facts["attempt"] = repeated.partition(" ")
    with guard:  # what an app calls its parameters may be anything
        if parameters:
            given = parameters if isinstance(parameters, Mapping) else vars(parameters)
            facts["parameters"] = masking.value(dict(given))
    with contextlib.suppress(OSError):  # the working folder may be gone
        facts["folder"] = os.getcwd()
        if script := getattr(main, "__file__", None):
            facts["script"] = os.path.abspath(script)
    return facts


def gather_facts(known: RunFacts) -> RunFacts:
    """The facts that cost time: git and the installed packages; for the sender's thread, bounded in time.

    Args:
        known: what `initial_facts` gave.
    """
    packages, sources = _packages()
    facts: RunFacts = {"packages": packages, "sources": sources, "machine": f"{platform.system()} {platform.machine()}"}
    facts["environment"] = {name: masking.text(os.environ[name]) for name in VARIABLES if name in os.environ}
    found = _working_tree(known.get("folder"), known.get("script"))
    if found is None:
        return facts
    root, commit = found
    facts["root"], facts["commit"] = root, commit
    if (folder := _within(root, known.get("folder"))) is not None:
        facts["folder_within"] = folder
    if (script := _within(root, known.get("script"))) is not None:
        facts["script_within"] = script
    if (dirty := _dirty(root, script)) is not None:
        facts["dirty"] = dirty
    if repository := _git(root, "config", "--get", "remote.origin.url"):
        facts["repository"] = masking.text(repository)
    return facts


def _working_tree(folder: str | None, script: str | None) -> tuple[str, str] | None:
    """Root and commit of the working tree a run's code is in: its script's, else that of the folder it ran in.

    A script that git is told to ignore, as one that was installed into an environment, says nothing.
    """
    places = [folder]
    if script and os.path.isfile(script):
        own = os.path.dirname(script)
        if _git(own, "check-ignore", script) is None:
            places.insert(0, own)
    for place in places:
        told = (_git(place, "rev-parse", "--show-toplevel", "HEAD") or "") if place is not None else ""
        root, _, commit = told.rpartition("\n")
        if root and commit:
            return root, commit
    return None


def _within(root: str, path: str | None) -> str | None:
    """A path relative to the root, empty for the root itself; None when it is outside."""
    if path is None:
        return None
    relative = os.path.relpath(os.path.realpath(path), root)
    if relative == os.pardir or relative.startswith(os.pardir + os.sep):
        return None
    return "" if relative == os.curdir else relative


def _dirty(root: str, script: str | None) -> bool | None:
    """Whether the code is other than the commit's; None when git did not say in time."""
    status = _git(root, "status", "--porcelain", "--untracked-files=no")
    if status == "" and script is not None:
        status = _git(root, "status", "--porcelain", "--untracked-files=all", "--", script)
    return None if status is None else bool(status)


@functools.cache
def _packages() -> tuple[dict[str, str], dict[str, str]]:
    """The installed packages, name to version, and the urls of those from no index; fixed for a process's life."""
    with defer_forks():
        from importlib import metadata

    found, sources = {}, {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if name and name not in found:  # the first on the path is the one that is imported
            found[name] = distribution.version
            if (source := _source(distribution.read_text("direct_url.json"))) is not None:
                sources[name] = source
        time.sleep(0)  # the app's threads go first
    return dict(sorted(found.items())), dict(sorted(sources.items()))


def _source(text: str | None) -> str | None:
    """Where a package is from, of the file its installer left: ``git+url@commit`` for a checkout, else the url."""
    try:
        told = json.loads(text or "{}")
        url = masking.text(told["url"])
        checkout = told.get("vcs_info")
        return f"{checkout['vcs']}+{url}@{checkout['commit_id']}" if checkout else url
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


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
