"""The checkout of a commit in a temporary git working tree."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence

from autoflow.errors import NotReproducible
from autoflow.model.run import RunFacts
from autoflow.process.paths import path_below
from autoflow.reproduction.code import RunCode, write_files
from autoflow.reproduction.plan import inherited_environment
from autoflow.reproduction.recorded_run import is_commit

SHA1_DIGITS = 40
# A repository's own settings must not execute anything for a commit that nobody reviewed: no hooks, no file system
# monitor, no submodules, and no lazy fetch of missing objects.
_SAFE_OPTIONS = [
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


def find_repository(facts: RunFacts, base: str) -> str:
    """Return a repository on this machine that has a commit: the run's own, else that of the working folder.

    Args:
        facts: facts of the run.
        base: the commit to check out, the run's own or an earlier one.

    Raises:
        NotReproducible: neither has it; the message says how to get it.
    """
    if not is_commit(base):
        raise NotReproducible(f"{base!a} is not a commit hash")
    for folder in (facts.get("root"), os.getcwd()):
        if folder is not None and os.path.isdir(folder) and _succeeds(folder, "cat-file", "-e", f"{base}^{{commit}}"):
            return _git(folder, "rev-parse", "--show-toplevel")
    remote = facts.get("repository")
    remedy = f"git clone {remote}, and run this again inside it" if remote else "run this again inside a clone of it"
    raise NotReproducible(f"no repository here has commit {base[:12]}: {remedy}")


@contextlib.contextmanager
def worktree(
    repository: str, commit: str, folder: str | None, *, keep: bool, absent: Sequence[str] = ()
) -> Iterator[str]:
    """Check out a commit in a new working tree, yield its folder, and remove it afterwards.

    Args:
        repository: a folder of the repository; its own working tree is not touched.
        commit: the commit to check out.
        folder: the new working tree, which must not exist or be empty. Default: a temporary folder.
        keep: do not remove it.
        absent: files of the commit that the repository does not have.

    Raises:
        NotReproducible: git failed.
    """
    temporary = None if folder is not None else tempfile.mkdtemp(prefix="autoflow-")
    target = os.path.realpath(folder if folder is not None else os.path.join(temporary or "", "code"))
    if folder is not None and os.path.isdir(target) and os.listdir(target):
        raise NotReproducible(f"{folder} is not empty: choose an empty folder, or leave out --workdir")
    try:
        options = ["--no-checkout"] if absent else []
        add = ["worktree", "add", "--quiet", "--detach", *options, target, commit]
        _git(repository, *_filter_options(repository), *add)
        if absent:
            _git(target, "read-tree", commit)
            _git(target, "update-index", "--force-remove", "--", *absent)
            _git(target, *_filter_options(repository), "checkout-index", "--all", "--force", "--quiet")
        yield target
    finally:
        if not keep:
            _succeeds(repository, "worktree", "remove", "--force", "--force", target)
            shutil.rmtree(temporary or target, ignore_errors=True)
            _succeeds(repository, "worktree", "prune")


@contextlib.contextmanager
def unpacked(code: RunCode) -> Iterator[str]:
    """Yield a new repository with the recorded files of a commit, and remove it afterwards.

    Raises:
        NotReproducible: they are not a pack of that commit.
    """
    folder = tempfile.mkdtemp(prefix="autoflow-")
    try:
        _git(folder, "init", "--quiet", f"--object-format={'sha1' if len(code.base) == SHA1_DIGITS else 'sha256'}")
        process = _run(folder, ["index-pack", "--stdin"], code.pack)
        if process.returncode:
            raise NotReproducible(f"the recorded files of the commit cannot be unpacked: {process.stderr.strip()}")
        with open(os.path.join(folder, ".git", "shallow"), "w", encoding="ascii") as file:
            file.write(f"{code.base}\n")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def apply_code(repository: str, code: RunCode, tree: str, patch_file: str) -> Iterator[str]:
    """Apply the recorded changes to a working tree, and yield a note for each submodule that is not here.

    Args:
        repository: the repository, whose own submodules are used.
        code: the code of the run.
        tree: the working tree of its base commit.
        patch_file: the file with the difference.

    Raises:
        NotReproducible: the changes do not apply, or a path leads outside of the tree.
    """
    if code.patch:
        options = [*_filter_options(repository), "apply", "--binary", "--whitespace=nowarn"]
        _git(tree, *options, os.path.abspath(patch_file))
    for module in code.submodules:
        source = os.path.realpath(os.path.join(repository, module["path"]))
        target = os.path.join(tree, module["path"])
        inside = path_below(source, os.path.realpath(repository)) is not None and not os.path.islink(target)
        usable = inside and is_commit(module["commit"]) and os.path.exists(os.path.join(source, ".git"))
        add = [*_filter_options(source), "worktree", "add", "--quiet", "--detach", "--force", target, module["commit"]]
        if not usable or not _succeeds(source, *add):
            yield (
                f"submodule {module['path']} has no commit {module['commit'][:12]} here, so its files are missing: "
                "git submodule update --init gets them"
            )
    write_files(code, tree)


def relocate_existing(path: str, root: str | None, tree: str) -> str:
    """Return an absolute path below the root as the same path in the tree if that exists; else the path unchanged."""
    if root is None or not os.path.isabs(path):
        return path
    for candidate in (path, os.path.realpath(path)):
        relative = path_below(candidate, root)
        if relative is not None and os.path.exists(os.path.join(tree, relative)):
            return os.path.normpath(os.path.join(tree, relative))
    return path


def _filter_options(repository: str) -> list[str]:
    """Return the options that turn off all smudge filters, because the commit itself selects among them."""
    process = _run(repository, ["config", "--null", "--name-only", "--get-regexp", r"^filter\."])
    drivers = dict.fromkeys(name.rpartition(".")[0] for name in process.stdout.split("\0") if name)
    settings = ((f"{name}.smudge=", f"{name}.process=", f"{name}.required=false") for name in drivers)
    return [word for driver in settings for setting in driver for word in ("-c", setting)]


def _run(folder: str, arguments: Sequence[str], data: bytes = b"") -> subprocess.CompletedProcess[str]:
    line = ["git", *_SAFE_OPTIONS, "-C", folder, *arguments]
    environment = {
        **inherited_environment(),
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
    }
    try:
        process = subprocess.run(  # noqa: S603 - fixed arguments, and a verified commit hash
            line, capture_output=True, check=False, input=data, env=environment
        )
    except OSError as error:
        raise NotReproducible(f"git cannot be started: {error}") from error
    output, errors = (text.decode(errors="replace") for text in (process.stdout, process.stderr))
    return subprocess.CompletedProcess(line, process.returncode, output, errors)


def _succeeds(folder: str, *arguments: str) -> bool:
    return _run(folder, arguments).returncode == 0


def _git(folder: str, *arguments: str) -> str:
    process = _run(folder, arguments)
    if process.returncode:
        reason = process.stderr.strip() or f"exited with code {process.returncode}"
        raise NotReproducible(f"git {' '.join(arguments)} failed: {reason}")
    return process.stdout.strip()
