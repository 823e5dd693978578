"""The code of a run that its commit does not have: changes, files outside of git, submodules; for the sender's thread.

A file that looks like a secret, by its name or its content, is recorded by name and hash only.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from autoflow.model.run import CodeFile, Patch, RunFacts, Submodule
from autoflow.model.run_contents import sha256_of, split
from autoflow.process.paths import path_below
from autoflow.process.threads import yield_gil
from autoflow.runtime import git, masking

MAX_FILES = 100  # outside of git
MAX_FILE = 256 << 10  # bytes
MAX_PATCH = 4 << 20  # bytes
MAX_NAMES = 200  # paths of one call of git

Pieces = dict[str, str]  # `run_contents.split`
_CODE = (".py", ".ipynb", ".sh", ".json", ".toml", ".yaml", ".yml", ".ini", ".cfg", ".conf", ".env")
_SECRET_FILE = re.compile(
    r"(^|/)(\.env(\..+)?|\.netrc|\.pgpass|\.npmrc|\.pypirc|id_(rsa|dsa|ecdsa|ed25519)|credentials?(\.\w+)?|"
    r"secrets?(\.\w+)?|.*\.(pem|key|p12|pfx|jks|keystore))$",
    re.IGNORECASE,
)
_SECTION = re.compile(rb"^diff --git ", re.MULTILINE)
_PRIVATE_KEY = b"PRIVATE KEY-----"


def looks_secret(path: str, data: bytes = b"") -> bool:
    """Return whether a file's name or its text is that of a secret."""
    if _SECRET_FILE.search(path) or _PRIVATE_KEY in data:
        return True
    if b"\0" in data or b"\nGIT binary patch\n" in data:
        return False
    for line in data.decode(errors="replace").splitlines():
        yield_gil()
        if line and masking.mask_fast(line) != line:
            return True
    return False


def gather_code(root: str, commit: str, used: Collection[str]) -> tuple[RunFacts, Pieces]:
    """Return the facts about code beside the commit, and the pieces of the contents that they name.

    Args:
        root: the working tree.
        commit: its commit.
        used: files that the run uses, absolute.
    """
    facts: RunFacts = {}
    pieces: Pieces = {}
    base, facts["unpublished"] = _base(root, commit)
    patch = _patch(root, base, pieces)
    if patch is not None and "content" not in patch and base != commit:
        patch = _patch(root, commit, pieces)
    if patch is not None:
        facts["patch"] = patch
    if modules := list(_submodules(root)):
        facts["submodules"] = modules
    inside = untracked_among(root, used)
    if files := describe(root, dict.fromkeys([*inside, *_beside(root)]), inside, pieces):
        facts["untracked"] = files
    return facts, pieces


def imported_files() -> list[str]:
    """Return the source files of imported modules, without installed ones."""
    files = []
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if isinstance(path, str) and "site-packages" not in path and "dist-packages" not in path:
            files.append(os.path.abspath(path))
    return files


def named_files(facts: RunFacts) -> list[str]:
    """Return the existing files that a run's command line and parameters name, by texts as they are."""
    folder = facts.get("folder") or os.curdir
    files = []
    for text in [*facts.get("command", [])[1:], *_texts(facts.get("parameters", {}))]:
        path = os.path.join(folder, text.rpartition("=")[2])
        if len(path) < 4096 and "\0" not in path and os.path.isfile(path):
            files.append(os.path.abspath(path))
    return files


def untracked_among(root: str, files: Iterable[str]) -> list[str]:
    """Return those files, relative to the root, that are below it and not tracked."""
    prefix = os.path.realpath(sys.prefix)
    below = []
    for path in dict.fromkeys(files):
        real = os.path.realpath(path)
        relative = path_below(real, root)
        if relative not in {None, os.curdir} and path_below(real, prefix if prefix != root else "/dev/null") is None:
            below.append(relative)
    untracked: list[str] = []
    for start in range(0, len(below), MAX_NAMES):
        names = below[start : start + MAX_NAMES]
        untracked += git.read_paths(root, "--literal-pathspecs", "ls-files", "--others", "-z", "--", *names)
    return untracked


def describe(
    root: str, paths: Iterable[str], used: Collection[str], pieces: Pieces, *, limit: int = MAX_FILE
) -> list[CodeFile]:
    """Describe files of a folder and add the pieces of their contents; of files larger than the limit only the size."""
    described: list[CodeFile] = []
    for path in paths:
        if len(described) >= MAX_FILES:
            break
        full = os.path.join(root, path)
        try:
            size = os.stat(full).st_size
            file: CodeFile = {"path": path, "size": size}
            if path in used:
                file["used"] = True
            if size > limit:
                file["withheld"] = "large"
            else:
                with open(full, "rb") as stream:
                    data = stream.read(limit + 1)
                file["sha256"] = sha256_of(data)
                _store(file, path, data, pieces)
        except OSError:
            continue
        described.append(file)
    return described


def _store(file: CodeFile, path: str, data: bytes, pieces: Pieces) -> None:
    stored = split(data)
    if looks_secret(path, data):
        file["withheld"] = "secret"
    elif stored is None:
        file["withheld"] = "large"
    else:
        file["content"] = stored[0]
        pieces.update(stored[1])


def _beside(root: str) -> Iterator[str]:
    """Yield small files of code and configuration that git does not have, without the content of ignored folders."""
    listed = git.read_paths(root, "ls-files", "--others", "--exclude-standard", "-z")
    ignored = git.read_paths(root, "ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")
    for path in [*listed, *ignored]:
        if path.endswith(_CODE) and not path.endswith("/") and is_small(os.path.join(root, path)):
            yield path


def is_small(path: str) -> bool:
    """Return whether a file exists whose content is recorded in full."""
    try:
        return os.stat(path).st_size <= MAX_FILE
    except OSError:
        return False


def _base(root: str, commit: str) -> tuple[str, bool]:
    """Return the nearest commit that a remote has, else the commit itself; and whether no remote has the commit."""
    if not has_remote(root):
        return commit, True
    commits = git.read(root, "rev-list", "--boundary", commit, "--not", "--remotes")
    if commits == "":
        return commit, False
    boundary = next((line[1:] for line in (commits or "").splitlines() if line.startswith("-")), commit)
    return boundary, True


def has_remote(root: str) -> bool:
    """Return whether a repository has a commit of a remote."""
    return bool(git.read(root, "for-each-ref", "--count=1", "refs/remotes"))


def _patch(root: str, base: str, pieces: Pieces) -> Patch | None:
    """Return the difference between a commit and the working tree, without content if it cannot be read; None for
    no difference.
    """
    options = ("--binary", "--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all")
    difference = git.read_bytes(root, "-c", "core.quotePath=false", "diff", *options, base)
    if difference is None:
        return {"base": base, "files": 0}
    if not difference:
        return None
    starts = [match.start() for match in _SECTION.finditer(difference)]
    sections = [difference[start:end] for start, end in zip(starts, [*starts[1:], len(difference)], strict=True)]
    patch: Patch = {"base": base, "files": len(sections)}
    if len(difference) > MAX_PATCH:
        return patch
    plain, secret = [], []
    for section in sections:
        path = os.fsdecode(section.partition(b"\n")[0].rpartition(b" b/")[2])
        if looks_secret(path, section):
            secret.append(path)
        else:
            plain.append(section)
    if secret:
        patch["secret"] = secret[:MAX_FILES]
    stored = split(b"".join(plain))
    if stored is not None:
        patch["content"] = stored[0]
        pieces.update(stored[1])
    return patch


def _submodules(root: str) -> Iterator[Submodule]:
    """Yield the submodules that are checked out."""
    if not os.path.exists(os.path.join(root, ".gitmodules")):
        return
    for line in (git.read(root, "submodule", "status") or "").splitlines()[:MAX_FILES]:
        state, words = line[:1], line.lstrip("+-U ").split(" ")
        if state == "-" or len(words) < 2:
            continue
        path = words[1]
        changed = git.read(os.path.join(root, path), "status", "--porcelain")
        yield {"path": path, "commit": words[0], "dirty": bool(changed) or changed is None}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
