"""The shell commands that repeat a run by hand."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

from autoflow.model.run_code import executed_notebook
from autoflow.process.paths import path_below
from autoflow.reproduction import notebook
from autoflow.reproduction.code import RunCode, cells_path, code_lines
from autoflow.reproduction.recorded_run import RecordedRun
from autoflow.reproduction.running import start_folder
from autoflow.reproduction.substitution import Command


def shell_commands(
    run: RecordedRun, command: Command, code: RunCode, *, repository: str | None, tree: str, lock: str, server: str
) -> list[str]:
    """Return the shell commands, in order.

    Args:
        run: the recorded run.
        command: the command to run.
        code: the code beside the commit.
        repository: a repository on this machine that has the commit; None if it has to be cloned.
        tree: folder of the checkout.
        lock: the lock file; the packages are listed beside it.
        server: the server that records the run.
    """
    facts = run.facts
    lines = []
    commit = facts.get("commit") and code.base
    if commit and repository:
        lines.append(shlex.join(["git", "-C", repository, "worktree", "add", "--detach", tree, commit]))
    elif commit and code.pack:
        lines += _unpacking_lines(commit, code, tree, lock)
    elif commit:
        lines.append(shlex.join(["git", "clone", "--", facts.get("repository", "<repository>"), tree]))
        lines.append(shlex.join(["git", "-C", tree, "checkout", "--detach", commit]))
    lines += [shlex.join(words) for words in code_lines(code, tree, lock)] if commit else []
    environment = tree + "-env"
    version = ".".join(facts.get("python", "3").split(".")[:2])
    lines.append(shlex.join([f"python{version}", "-m", "venv", environment]))
    python = os.path.join(environment, "bin", "python")
    lines.append(shlex.join([python, "-m", "pip", "install", "-r", f"{lock}.requirements.txt"]))
    recorded_folder, subfolder = start_folder(facts)
    folder = os.path.normpath(os.path.join(tree, subfolder)) if commit and subfolder is not None else recorded_folder
    words = [python, *(relocate(word, facts.get("root"), tree) for word in command.words[1:])]
    if executed_notebook(facts) is not None:
        lines.append(shlex.join([python, "-m", "pip", "install", "nbclient", "ipykernel"]))
        words = [python, "-m", notebook.MODULE, cells_path(lock)]
    variables = {**command.environment, "AUTOFLOW_SERVER": server, "AUTOFLOW_REPRODUCES": run.ref}
    assignments = [f"{name}={value}" for name, value in variables.items()]
    lines.append(f"(cd {shlex.quote(folder or '.')} && {shlex.join(['env', *assignments, *words])})")
    if commit and repository:
        lines.append(shlex.join(["git", "-C", repository, "worktree", "remove", "--force", tree]))
    return lines


def _unpacking_lines(commit: str, code: RunCode, tree: str, lock: str) -> Iterator[str]:
    """Yield the commands that make a repository of the recorded files of a commit."""
    git = ["git", "-C", tree]
    yield shlex.join(["git", "init", "--quiet", tree])
    yield f"{shlex.join([*git, 'index-pack', '--stdin'])} < {shlex.quote(f'{lock}.pack')}"
    yield f"echo {shlex.quote(commit)} > {shlex.quote(os.path.join(tree, '.git', 'shallow'))}"
    yield shlex.join([*git, "update-ref", "HEAD", commit])
    yield shlex.join([*git, "read-tree", commit])
    if code.absent:
        yield shlex.join([*git, "update-index", "--force-remove", "--", *code.absent])
    yield shlex.join([*git, "checkout-index", "--all", "--quiet"])


def relocate(word: str, root: str | None, tree: str) -> str:
    """Return a path below the recorded root as the same path below the checkout; other words are unchanged."""
    relative = path_below(word, root) if root is not None else None
    return os.path.normpath(os.path.join(tree, relative)) if relative is not None else word
