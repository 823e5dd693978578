"""One execution of a command in a working tree, as a run of its own."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Mapping, Sequence

from autoflow.errors import NotReproducible
from autoflow.reproduction.interpreter import Interpreter
from autoflow.reproduction.plan import inherited
from autoflow.reproduction.recorded import Recorded
from autoflow.reproduction.substitution import Command
from autoflow.reproduction.worktree import inside
from autoflow.runtime.context import use_run
from autoflow.runtime.lifecycle import NO_RUN

ERRORS = 2  # the file descriptor what the command prints goes to: standard output is for the answer
LONGEST = 120 << 10  # of one variable, in bytes; the kernel takes 128 KiB


def new_attempt() -> str:
    """A name for one execution."""
    return secrets.token_hex(12)


def environment(
    run: Recorded, command: Command, interpreter: Interpreter, tree: str, told: Mapping[str, str]
) -> dict[str, str]:
    """The variables the command sees: the listed ones of this process, those recorded of the run, and `told`.

    Packages that are imported from where they are written are imported from the tree.
    """
    root = run.facts.get("root")
    paths = [inside(one, root, tree) for one in command.environment.get("PYTHONPATH", "").split(os.pathsep) if one]
    for folder in interpreter.editable:
        here = inside(folder, root, tree)
        if here != folder:
            paths += [one for one in (os.path.join(here, "src"), here) if os.path.isdir(one)]
    made = {**inherited(), **command.environment, **told}
    parameters = json.dumps(command.parameters)
    if command.parameters and len(parameters) < LONGEST:
        made["AUTOFLOW_PARAMETERS"] = parameters
    if paths:
        made["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    return made


def line(run: Recorded, command: Command, interpreter: Interpreter, tree: str) -> list[str]:
    """The command line in the tree."""
    root = run.facts.get("root")
    words = []
    for word in command.words[1:]:
        name, equals, value = word.partition("=")
        words.append(f"{name}={inside(value, root, tree)}" if equals else inside(word, root, tree))
    return [interpreter.path, *words]


def folder(run: Recorded, tree: str) -> str:
    """The working folder: the one it was, in the tree if it was in the repository.

    Raises:
        NotReproducible: the commit has not the folder, or not the script.
    """
    script = run.facts.get("script_within")
    if script is not None and not os.path.exists(os.path.join(tree, script)):
        raise NotReproducible(f"commit {run.commit[:12]} has no {script}: it was never committed")
    within = run.facts.get("folder_within")
    if within is not None:
        found = os.path.realpath(os.path.join(tree, within))
        if os.path.commonpath([found, os.path.realpath(tree)]) != os.path.realpath(tree):
            raise NotReproducible(
                f"the recorded folder {within!a} lies outside of the code of commit {run.commit[:12]}"
            )
        if not os.path.isdir(found):
            raise NotReproducible(f"commit {run.commit[:12]} has no folder {within}, where it ran")
        return found
    outside = run.facts.get("folder")
    return outside if outside is not None and os.path.isdir(outside) else tree


def execute(words: Sequence[str], where: str, environment: Mapping[str, str]) -> int:
    """Run a command to its end; gives its exit code. What it prints goes to standard error.

    Raises:
        NotReproducible: it cannot be started.
    """
    try:
        with use_run(NO_RUN):  # it is a run of its own, whatever run it is started from
            done = subprocess.run(  # noqa: S603 - the user's own command, as recorded
                list(words), cwd=where, env=dict(environment), stdin=subprocess.DEVNULL, stdout=ERRORS, check=False
            )
    except (OSError, ValueError) as error:
        raise NotReproducible(f"{words[0]} cannot be started: {error}") from error
    return done.returncode
