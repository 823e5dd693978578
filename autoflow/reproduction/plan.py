"""The plan of a reproduction, and the environment and requirements it is limited to."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from autoflow.model.reproduction import ReproductionPlan
from autoflow.model.run import RunFacts
from autoflow.model.run_code import code_files, executed_notebook
from autoflow.model.run_variables import is_settable
from autoflow.process.paths import path_below
from autoflow.reproduction.comparison import is_local
from autoflow.reproduction.recorded_run import MASK, RecordedRun
from autoflow.reproduction.substitution import Command
from autoflow.runtime.facts import VARIABLES

# The variables of this process that a reproduced command sees, beside AUTOFLOW_* without tokens: no credentials.
PASSED = frozenset(
    {
        "PATH",
        "HOME",
        "LANG",
        "LANGUAGE",
        "TMPDIR",
        "TZ",
        "USER",
        "LOGNAME",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "VIRTUAL_ENV",
    }
)
# Variables that belong to another run, or grant access.
_WITHHELD = re.compile(r"TOKEN|SECRET|PASSWORD|KEY|^AUTOFLOW_(RUN|REPRODUCES|PARAMETERS)$")
# A name (PEP 508) and a version (PEP 440); options, URLs, paths, markers and further lines do not match.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"(?:\d+!)?\d+(?:\.\d+)*(?:[._-]?[A-Za-z]+[._-]?\d*)*(?:\+[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*)?")
LONGEST = 200  # characters of a name or version


def inherited_environment() -> dict[str, str]:
    """Return the variables of this process that are passed to executed commands."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in PASSED or (name.startswith(("LC_", "AUTOFLOW_")) and not _WITHHELD.search(name))
    }


def allowed_variables(environment: Mapping[str, Any]) -> dict[str, str]:
    """Return the recorded variables that may be set, whatever a server sent; none that was masked."""
    return {
        name: value
        for name, value in environment.items()
        if (name in VARIABLES or is_settable(name)) and isinstance(value, str) and MASK not in value
    }


def requirement_lines(machine: Mapping[str, Any]) -> list[str]:
    """Return a line ``name==version`` for each recorded package; a package that is not from an index is a comment.

    Args:
        machine: the recorded ``packages`` and ``sources``, see `RunFacts`.
    """
    lines = []
    for name, version in machine.get("packages", {}).items():
        source = machine.get("sources", {}).get(name)
        valid = len(f"{name}{version}") <= LONGEST and _NAME.fullmatch(str(name)) and _VERSION.fullmatch(str(version))
        if valid and source is None:
            lines.append(f"{name}=={version}")
        else:
            reason = (
                f"was installed from {source!a}: install it yourself"
                if source is not None
                else "is not a version of a package index"
            )
            lines.append(f"# {str(name)!a} {str(version)!a} {reason}")
    return lines


def build_plan(
    run: RecordedRun, command: Command, *, interpreter: str, variables: Mapping[str, str]
) -> ReproductionPlan:
    """Return the plan of a reproduction.

    Args:
        run: the recorded run.
        command: the command that is executed.
        interpreter: path of the interpreter.
        variables: the variables that point the run at its server.
    """
    facts = run.facts
    environment = {**command.environment, **variables}
    return ReproductionPlan(
        run.ref,
        run.name,
        run.author,
        facts.get("host", ""),
        run.commit,
        facts.get("repository", ""),
        facts.get("root", ""),
        facts.get("folder", ""),
        [interpreter, *command.words[1:]],
        environment,
        sorted(inherited_environment().keys() - environment.keys()),
        requirement_lines(facts),
        json.dumps(command.parameters, ensure_ascii=False) if command.parameters else "",
        _changes(facts),
        overwrites=[*_overwritten(run)],
    )


def _overwritten(run: RecordedRun) -> Iterator[str]:
    """Yield the files of the machine that a run wrote outside of its repository."""
    root = run.facts.get("root")
    for output in run.outputs:
        path = output.get("path", "")
        if is_local(output) and (root is None or path_below(path, root) is None):
            yield path


def _changes(facts: RunFacts) -> str:
    """Return what is added to the commit: changes, and files that git did not have."""
    patch = facts.get("patch")
    parts = [f"the recorded changes of {patch['files']} files"] if patch is not None and "content" in patch else []
    parts += [f"the file {file['path']}" for file in code_files(facts)]
    notebook = executed_notebook(facts)
    parts += [f"{notebook['cells']} cells of a notebook, in place of the command"] if notebook is not None else []
    return ", ".join(parts)
