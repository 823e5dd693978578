"""The commands that do a run again by hand, ready to be pasted into a shell."""

from __future__ import annotations

import os
import shlex

from autoflow.reproduction.recorded import Recorded
from autoflow.reproduction.substitution import Command


def script(run: Recorded, command: Command, *, repository: str | None, tree: str, lock: str, server: str) -> list[str]:
    """The shell's lines, in order.

    Args:
        run: what was recorded.
        command: what is to be run.
        repository: one on this machine that has the commit; None where it has to be cloned.
        tree: where the code goes.
        lock: the lock file, beside which the packages are listed.
        server: where the run is recorded.
    """
    facts = run.facts
    lines = []
    commit = facts.get("commit")
    if commit and repository:
        lines.append(_line("git", "-C", repository, "worktree", "add", "--detach", tree, commit))
    elif commit:
        lines.append(_line("git", "clone", "--", facts.get("repository", "<repository>"), tree))
        lines.append(_line("git", "-C", tree, "checkout", "--detach", commit))
    environment = tree + "-env"
    version = ".".join(facts.get("python", "3").split(".")[:2])
    lines.append(_line(f"python{version}", "-m", "venv", environment))
    python = os.path.join(environment, "bin", "python")
    lines.append(_line(python, "-m", "pip", "install", "-r", f"{lock}.requirements.txt"))
    folder = facts.get("folder_within")
    where = os.path.normpath(os.path.join(tree, folder)) if commit and folder is not None else facts.get("folder", ".")
    words = [python, *(moved(word, facts.get("root"), tree) for word in command.words[1:])]
    told = {**command.environment, "AUTOFLOW_SERVER": server, "AUTOFLOW_REPRODUCES": run.ref}
    set_ = [f"{name}={value}" for name, value in told.items()]
    lines.append(f"(cd {shlex.quote(where)} && {_line('env', *set_, *words)})")
    if commit and repository:
        lines.append(_line("git", "-C", repository, "worktree", "remove", "--force", tree))
    return lines


def moved(word: str, root: str | None, tree: str) -> str:
    """A path below the recorded root as that below the tree."""
    below = root is not None and (word == root or word.startswith(root + os.sep))
    return tree + word[len(root or "") :] if below else word


def _line(*words: str) -> str:
    return shlex.join(words)
