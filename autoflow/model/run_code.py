"""The code of a run beside its commit, and the reasons why it is not recorded completely."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, TypedDict

from autoflow.model.run_contents import StoredContent

if TYPE_CHECKING:
    from autoflow.model.run import RunFacts

Withheld = Literal["secret", "large"]


class _Patch(TypedDict):
    base: str
    files: int


class Patch(_Patch, total=False):
    """The difference between a commit and the files that ran, as ``git diff --binary`` prints it.

    Args:
        base: the commit, the run's own or an earlier one that a remote has.
        files: number of files that differ.
        content: the difference; absent if it is too large.
        secret: files whose difference is not in it because they look like secrets.
    """

    content: StoredContent
    secret: list[str]


class _CodeFile(TypedDict):
    path: str
    size: int


class CodeFile(_CodeFile, total=False):
    """A file of the working tree that git does not have.

    Args:
        path: relative to the root.
        sha256: absent if the file is large.
        used: the run imported it, or its command or parameters name it.
        content: its bytes.
        withheld: why the bytes are not stored.
    """

    sha256: str
    used: bool
    content: StoredContent
    withheld: Withheld


class Submodule(TypedDict):
    """A submodule as it was checked out; `dirty` if its files differ from the commit."""

    path: str
    commit: str
    dirty: bool


class LateFacts(TypedDict, total=False):
    """What was learned of a run's code by its end: files imported since the start, and another working folder."""

    untracked: list[CodeFile]
    folder: str


def code_files(facts: RunFacts) -> list[CodeFile]:
    """Return the files that git does not have, each once."""
    late = facts.get("late") or {}
    files = [*(facts.get("untracked") or []), *(late.get("untracked") or [])]
    return list({file["path"]: file for file in files}.values())


def has_changes(facts: RunFacts) -> bool:
    """Return whether the code that ran is more than what the commit has."""
    used = any(file.get("used") for file in code_files(facts))
    return bool(facts.get("dirty", True)) or used or any(module["dirty"] for module in facts.get("submodules") or [])


def gaps(facts: RunFacts) -> Iterator[str]:
    """Yield what of the code that ran is recorded neither in the commit nor beside it, a phrase each."""
    patch = facts.get("patch")
    if patch is None and facts.get("dirty", True) and "unpublished" not in facts:
        yield "uncommitted changes, which were not recorded"
    if patch is not None and "content" not in patch:
        yield "changes that are too large to be recorded"
    for path in patch.get("secret", []) if patch is not None else []:
        yield f"the change of {path}, which looks like a secret"
    for file in code_files(facts):
        if file.get("used") and (reason := file.get("withheld")):
            yield f"{file['path']}, which {'looks like a secret' if reason == 'secret' else 'is too large'}"
    for module in facts.get("submodules") or []:
        if module["dirty"]:
            yield f"uncommitted changes in the submodule {module['path']}"
