"""The code of a run beside its commit, as its facts describe it, and why it is not recorded completely."""

from __future__ import annotations

from collections.abc import Iterator

from autoflow.model.run import CodeFile, RunFacts


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
