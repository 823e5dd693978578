"""What a reproduction is about to execute, as it is shown to the person who decides."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple

from autoflow.reproduction.recorded import Recorded
from autoflow.reproduction.substitution import Command
from autoflow.runtime.facts import VARIABLES

# Of this process's environment a reproduced command sees these, and AUTOFLOW_* but for tokens: no credentials.
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
# Those that are about another run, or give access.
_WITHHELD = re.compile(r"TOKEN|SECRET|PASSWORD|KEY|^AUTOFLOW_(RUN|REPRODUCES|PARAMETERS)$")
# A name and a version as PEP 508 and PEP 440 write them: no option, url, path, marker or second line fits.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"(?:\d+!)?\d+(?:\.\d+)*(?:[._-]?[A-Za-z]+[._-]?\d*)*(?:\+[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*)?")
LONGEST = 200  # characters of a name or version


def inherited() -> dict[str, str]:
    """Return the variables of this process's environment that what is executed may see."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in PASSED or (name.startswith(("LC_", "AUTOFLOW_")) and not _WITHHELD.search(name))
    }


def accepted(environment: Mapping[str, Any]) -> dict[str, str]:
    """Return the recorded variables that are set again: those that autoflow records, whatever a server sent."""
    return {name: value for name, value in environment.items() if name in VARIABLES and isinstance(value, str)}


def requirements(machine: Mapping[str, Any]) -> list[str]:
    """Return a line ``name==version`` for each recorded package; a package from elsewhere is a comment.

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
            why = f"was installed from {source!a}: install it yourself" if source is not None else "is no index version"
            lines.append(f"# {str(name)!a} {str(version)!a} {why}")
    return lines


class Plan(NamedTuple):
    """One execution that is about to happen.

    Args:
        ref: the task that is repeated, as ``task:5``.
        app: its name.
        author: the login of who recorded it, empty when unknown.
        host: the machine it ran on, empty when unknown.
        commit: the commit that is checked out.
        repository: the remote that was recorded.
        root: the working tree it ran in; paths below it are those of the checkout.
        folder: where it ran.
        command: the command line, the interpreter that is used first.
        environment: the variables that are set.
        passed: names of the variables of this process that are passed on.
        requirements: the packages it had; they are compared, not installed.
        parameters: those given to ``workflow``, as JSON; empty without any.
    """

    ref: str
    app: str
    author: str
    host: str
    commit: str
    repository: str
    root: str
    folder: str
    command: list[str]
    environment: dict[str, str]
    passed: list[str]
    requirements: list[str]
    parameters: str

    def lines(self) -> list[str]:
        """Return the plan as lines of text; control characters in them are the reader's to escape."""
        return [
            f"{self.ref} ({self.app}) is about to be run again on this machine, with your rights:",
            f"  recorded by  {self.author or 'unknown'}",
            f"  on host      {self.host or 'unknown'}",
            f"  code         commit {self.commit}" + (f" of {self.repository}" if self.repository else ""),
            f"  in folder    {self.folder or 'unknown'}; paths below {self.root or '?'} are those of the checkout",
            f"  command      {shlex.join(self.command)}",
            *([f"  parameters   {self.parameters}"] if self.parameters else []),
            *(f"  variable     {name}={value}" for name, value in self.environment.items()),
            f"  passed on    {', '.join(self.passed) or 'nothing'}",
            "  credentials  none: no token of yours reaches the command. Where the server needs one, it gets",
            "               one that reads what the task's team has, changes only what is made since it was issued,",
            "               and is revoked at the end",
            *(f"  package      {line}" for line in self.requirements),
        ]


def plan(run: Recorded, command: Command, *, interpreter: str, told: Mapping[str, str]) -> Plan:
    """Return the plan of a run.

    Args:
        run: what was recorded.
        command: what is executed.
        interpreter: path of the interpreter.
        told: the variables that point the run at its server.
    """
    facts = run.facts
    environment = {**command.environment, **told}
    return Plan(
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
        sorted(inherited().keys() - environment.keys()),
        requirements(facts),
        json.dumps(command.parameters, ensure_ascii=False) if command.parameters else "",
    )
