"""The code of a run beside its commit, as its facts describe it, and why it is not recorded completely."""

from __future__ import annotations

from collections.abc import Iterator

from autoflow.model.run import CodeFile, Notebook, Patch, RunFacts

_REASONS = {
    "secret": "looks like a secret",
    "large": "is too large",
    "erased": "is an erased image, or had the name of one",
}

MAX_SHOWN = 3  # files of a package


def code_files(facts: RunFacts) -> list[CodeFile]:
    """Return the files that git does not have, each once."""
    late = facts.get("late") or {}
    files = [*(facts.get("untracked") or []), *(late.get("untracked") or [])]
    return list({file["path"]: file for file in files}.values())


def executed_notebook(facts: RunFacts) -> Notebook | None:
    """Return the cells that are the code of a run; None if it is no notebook's."""
    return (facts.get("late") or {}).get("notebook") or facts.get("notebook")


def has_changes(facts: RunFacts) -> bool:
    """Return whether the code that ran is more than what the commit has."""
    used = any(file.get("used") for file in code_files(facts))
    return bool(facts.get("dirty", True)) or used or any(module["dirty"] for module in facts.get("submodules") or [])


def outdated_packages(facts: RunFacts) -> Iterator[str]:
    """Yield a phrase for each package whose installed code was not that of the folder it had been installed from."""
    for name, files in (facts.get("outdated") or {}).items():
        shown = ", ".join(files[:MAX_SHOWN]) + (", …" if len(files) > MAX_SHOWN else "")
        yield f"the installed package {name} has other code than its folder ({shown})"


def gaps(facts: RunFacts) -> Iterator[str]:
    """Yield what of the code that ran is recorded neither in the commit nor beside it, a phrase each."""
    notebook = executed_notebook(facts)
    in_git = notebook is None or "commit" in facts
    if "patch" in facts:
        yield from _gaps_of_patch(facts["patch"])
    elif facts.get("dirty", True) and "unpublished" not in facts and in_git:
        yield "uncommitted changes, which were not recorded"
    for file in code_files(facts):
        if file.get("used") and (reason := "erased" if file.get("erased") else file.get("withheld")):
            yield f"{file['path']}, which {_REASONS[reason]}"
    for module in facts.get("submodules") or []:
        if module["dirty"]:
            yield f"uncommitted changes in the submodule {module['path']}"
    if notebook is not None:
        yield from _gaps_of_notebook(notebook)


def _gaps_of_patch(patch: Patch) -> Iterator[str]:
    if patch.get("erased"):
        yield "changes from which an image or its name was erased"
    elif "content" not in patch:
        yield "changes that are too large to be recorded"
    for path in patch.get("secret", []):
        yield f"the change of {path}, which looks like a secret"


def _gaps_of_notebook(notebook: Notebook) -> Iterator[str]:
    if notebook.get("erased"):
        yield "the cells of the notebook, from which an image's name was erased"
    elif "content" not in notebook:
        yield "the cells of the notebook, which are too large"
    for number in notebook.get("masked", ()):
        yield f"cell {number} of the notebook, in which a secret was masked"
