"""Execution of a reproduced command in a working tree."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Mapping, Sequence

from autoflow.errors import NotReproducible
from autoflow.model.run import RunFacts
from autoflow.model.run_code import executed_notebook
from autoflow.process import process_tree
from autoflow.process.paths import path_below
from autoflow.reproduction import notebook
from autoflow.reproduction.interpreter import Interpreter
from autoflow.reproduction.plan import inherited_environment
from autoflow.reproduction.recorded_run import RecordedRun
from autoflow.reproduction.substitution import Command
from autoflow.reproduction.worktree import relocate_existing
from autoflow.runtime.context import RunScope
from autoflow.runtime.lifecycle import NO_RUN

STDERR = 2  # file descriptor for the command's output: our own standard output has the result only
MAX_VARIABLE_BYTES = 120 << 10  # the kernel limits one variable to 128 KiB


def new_attempt_id() -> str:
    """Return a new id for one execution."""
    return secrets.token_hex(12)


def build_environment(
    run: RecordedRun, command: Command, interpreter: Interpreter, tree: str, variables: Mapping[str, str]
) -> dict[str, str]:
    """Return the command's environment: the allowed variables of this process, the recorded ones, and `variables`.

    Packages in editable mode whose source is in the repository are imported from the checkout.
    """
    root = run.facts.get("root")
    recorded_path = command.environment.get("PYTHONPATH", "").split(os.pathsep)
    paths = [relocate_existing(path, root, tree) for path in recorded_path if path]
    for folder in interpreter.editable:
        relocated = relocate_existing(folder, root, tree)
        if relocated != folder:
            paths += [path for path in (os.path.join(relocated, "src"), relocated) if os.path.isdir(path)]
    environment = {**inherited_environment(), **command.environment, **variables}
    parameters = json.dumps(command.parameters)
    if command.parameters and len(parameters) < MAX_VARIABLE_BYTES:
        environment["AUTOFLOW_PARAMETERS"] = parameters
    if paths:
        environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    return environment


def command_line(run: RecordedRun, command: Command, interpreter: Interpreter, tree: str, cells: str) -> list[str]:
    """Return the command line with its paths in the checkout, and a command of the environment in that of the
    interpreter; for a notebook, that which executes its recorded cells.
    """
    if executed_notebook(run.facts) is not None:
        return [interpreter.path, "-m", notebook.MODULE, cells]
    root = run.facts.get("root")
    words = []
    for word in command.words[1:]:
        installed = os.path.join(os.path.dirname(interpreter.path), os.path.basename(word))
        if os.path.dirname(word) == os.path.dirname(command.words[0]) != "" and os.path.exists(installed):
            words.append(installed)
            continue
        name, equals, value = word.partition("=")
        words.append(
            f"{name}={relocate_existing(value, root, tree)}" if equals else relocate_existing(word, root, tree)
        )
    return [interpreter.path, *words]


def start_folder(facts: RunFacts) -> tuple[str | None, str | None]:
    """Return the folder that a run's process was started in, and its path in the repository; None where unknown."""
    started_in, root = facts.get("started_in"), facts.get("root")
    if started_in is None:
        return facts.get("folder"), facts.get("folder_within")
    return started_in, path_below(os.path.realpath(started_in), root) if root is not None else None


def working_folder(run: RecordedRun, tree: str) -> str:
    """Return the recorded working folder, in the checkout if it was in the repository.

    Raises:
        NotReproducible: the commit lacks the folder or the script.
    """
    script = run.facts.get("script_within")
    if script is not None and not in_environment(script) and not os.path.exists(os.path.join(tree, script)):
        raise NotReproducible(f"commit {run.commit[:12]} has no {script}: it was never committed")
    folder, subfolder = start_folder(run.facts)
    if subfolder is not None:
        path = os.path.realpath(os.path.join(tree, subfolder))
        if path_below(path, os.path.realpath(tree)) is None:
            raise NotReproducible(
                f"the recorded folder {subfolder!a} is outside of the code of commit {run.commit[:12]}"
            )
        if not os.path.isdir(path):
            raise NotReproducible(f"commit {run.commit[:12]} has no folder {subfolder}, in which the run was started")
        return path
    return folder if folder is not None and os.path.isdir(folder) else tree


def in_environment(script: str) -> bool:
    """Return whether a script's path is that of one which an installer writes into an environment: its commands are
    beside its interpreter, and are no part of the code.
    """
    return "/bin/" in f"/{script}"


def execute(
    words: Sequence[str], folder: str, environment: Mapping[str, str], attempt: str, timeout: float | None = None
) -> int:
    """Run a command in a folder and return its exit code; its output goes to standard error.

    If it does not end in time, or this process is interrupted, the command ends with all the processes it started.

    Args:
        words: the command line.
        folder: the working folder.
        environment: all its variables; one has the id of the attempt.
        attempt: that id.
        timeout: seconds that it may take, None for any time.

    Raises:
        NotReproducible: it cannot be started, or took longer.
    """
    try:
        with RunScope(NO_RUN):  # it is a run of its own, also when started from within a run
            process = subprocess.Popen(  # noqa: S603 - the recorded command, which the user confirmed
                list(words),
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=STDERR,
                start_new_session=True,
            )
    except (OSError, ValueError) as error:
        raise NotReproducible(f"{words[0]} cannot be started: {error}") from error
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        process_tree.end(process, attempt)
        raise NotReproducible(
            f"the command did not end within {timeout:g} s: it was ended, with all the processes it started"
        ) from None
    except BaseException:
        process_tree.end(process, attempt)
        raise
