"""The code of a commit in a working tree of its own, which is gone when it is no longer needed."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence

from autoflow.errors import NotReproducible
from autoflow.model.run import RunFacts
from autoflow.reproduction.plan import inherited
from autoflow.reproduction.recorded import is_commit

# A repository's own settings must not execute anything on behalf of a commit that nobody looked at: no hooks, no file
# system monitor, no submodules, and no fetching of what is missing.
_INERT = [
    word
    for setting in (
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        "submodule.recurse=false",
        "protocol.allow=never",
        "gc.auto=0",
    )
    for word in ("-c", setting)
]


def repository(facts: RunFacts) -> str:
    """A repository on this machine that has a run's commit: the one it ran in, else that of the working folder.

    Raises:
        NotReproducible: neither has it; the message says how to get it.
    """
    commit = facts.get("commit", "")
    if not is_commit(commit):
        raise NotReproducible(f"{commit!a} is no commit's hash")
    for place in (facts.get("root"), os.getcwd()):
        if place is not None and os.path.isdir(place) and _ok(place, "cat-file", "-e", f"{commit}^{{commit}}"):
            return _git(place, "rev-parse", "--show-toplevel")
    remote = facts.get("repository")
    clone = f"git clone {remote}, and run this again inside it" if remote else "run this again inside a clone of it"
    raise NotReproducible(f"no repository here has commit {commit[:12]}: {clone}")


@contextlib.contextmanager
def worktree(repository: str, commit: str, folder: str | None, *, keep: bool) -> Iterator[str]:
    """Check a commit out into a folder that is new, and take it away afterwards; gives the folder.

    Args:
        repository: a folder of the repository; its own working tree is not touched.
        commit: what to check out.
        folder: where, not there yet or empty; a temporary one by default.
        keep: leave it where it is.

    Raises:
        NotReproducible: git refused.
    """
    made = None if folder is not None else tempfile.mkdtemp(prefix="autoflow-")
    place = os.path.realpath(folder if folder is not None else os.path.join(made or "", "code"))
    if folder is not None and os.path.isdir(place) and os.listdir(place):
        raise NotReproducible(f"{folder} is not empty: name a folder that is, or none")
    try:
        _git(repository, *_without_filters(repository), "worktree", "add", "--quiet", "--detach", place, commit)
        yield place
    finally:
        if not keep:
            _ok(repository, "worktree", "remove", "--force", "--force", place)
            shutil.rmtree(made or place, ignore_errors=True)
            _ok(repository, "worktree", "prune")


def inside(path: str, root: str | None, tree: str) -> str:
    """An absolute path below the root as the same path in the tree, if it is there; else the path as it is."""
    if root is None or not os.path.isabs(path):
        return path
    for form in (path, os.path.realpath(path)):
        relative = os.path.relpath(form, root)
        moved = os.path.join(tree, relative)
        if relative != os.pardir and not relative.startswith(os.pardir + os.sep) and os.path.exists(moved):
            return os.path.normpath(moved)
    return path


def _without_filters(repository: str) -> list[str]:
    """Return the options that switch off all smudge filters: the commit itself chooses among them."""
    listed = _run(repository, ["config", "--null", "--name-only", "--get-regexp", r"^filter\."])
    drivers = dict.fromkeys(name.rpartition(".")[0] for name in listed.stdout.split("\0") if name)
    settings = ((f"{name}.smudge=", f"{name}.process=", f"{name}.required=false") for name in drivers)
    return [word for driver in settings for setting in driver for word in ("-c", setting)]


def _run(folder: str, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    line = ["git", *_INERT, "-C", folder, *arguments]
    kept = {**inherited(), "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        return subprocess.run(  # noqa: S603 - our own words, and a commit that git gave
            line, capture_output=True, text=True, errors="replace", check=False, stdin=subprocess.DEVNULL, env=kept
        )
    except OSError as error:
        raise NotReproducible(f"git cannot be started: {error}") from error


def _ok(folder: str, *arguments: str) -> bool:
    return _run(folder, arguments).returncode == 0


def _git(folder: str, *arguments: str) -> str:
    done = _run(folder, arguments)
    if done.returncode:
        raise NotReproducible(f"git {' '.join(arguments)}: {done.stderr.strip() or f'ended with {done.returncode}'}")
    return done.stdout.strip()
