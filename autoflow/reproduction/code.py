"""The code of a recorded run beside its commit: changes and files that git did not have, applied to a working tree."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from autoflow.api.file_io import write_atomically
from autoflow.api.protocols import DataApi
from autoflow.errors import NotReproducible
from autoflow.model.run import CodeFile, RunFacts, Submodule
from autoflow.model.run_code import code_files, executed_notebook, gaps, outdated_packages
from autoflow.model.run_contents import StoredContent, join, sha256_of
from autoflow.process.paths import path_below
from autoflow.reproduction import notebook
from autoflow.reproduction.recorded_run import RecordedRun, is_commit
from autoflow.transport.typed import call
from autoflow.wire.contract.records import RUN_CONTENTS, RunContentsRequest

LONGEST_OWN = 1 << 20  # bytes of a file that is taken from the recorded folder


class RunCode(NamedTuple):
    """The code of a run, as it is restored.

    Args:
        base: the commit that is checked out.
        patch: the difference that is applied to it, empty for none.
        files: files that git does not have, by their paths in the tree.
        submodules: submodules that are checked out.
        cells: the cells of a notebook, as a notebook's file; empty for none.
        pack: the files of the commit, if no repository here has it and they were recorded; else empty.
        absent: files of the commit that the pack does not have.
        notes: what could not be restored, a sentence each.
    """

    base: str
    patch: bytes
    files: dict[str, bytes]
    submodules: Sequence[Submodule] = ()
    notes: Sequence[str] = ()
    cells: bytes = b""
    pack: bytes = b""
    absent: Sequence[str] = ()


def missing_code(facts: RunFacts) -> list[str]:
    """Return what of the code was not recorded and is not in the recorded folder either, a phrase each."""
    owned = [file["path"] for file in code_files(facts) if file.get("withheld") and _own_copy(facts, file) is not None]
    return [phrase for phrase in gaps(facts) if not phrase.startswith(tuple(f"{path}," for path in owned))]


def load_code(api: DataApi, run: RecordedRun) -> RunCode:
    """Fetch the recorded changes and files of a run."""
    facts, notes = run.facts, []
    patch = facts.get("patch")
    base, difference = run.commit, b""
    if patch is not None and "content" in patch and is_commit(patch["base"]):
        try:
            difference = _fetch(api, run, patch["content"])
            base = patch["base"]
        except ValueError as error:
            notes.append(f"the recorded changes of the code cannot be restored: {error}")
    files: dict[str, bytes] = {}
    for file in code_files(facts):
        data = _own_copy(facts, file)
        if data is None and "content" in file:
            try:
                data = _fetch(api, run, file["content"])
            except ValueError as error:
                notes.append(f"{file['path']} cannot be restored: {error}")
        if data is not None:
            files[file["path"]] = data
    cells = _load_cells(api, run, notes)
    if run.commit or cells:
        notes += [f"not restored: {phrase}" for phrase in missing_code(facts)]
    notes += [
        f"at the recorded run, {phrase}: it did not run the code of its commit" for phrase in outdated_packages(facts)
    ]
    if cells and not run.commit:
        notes.append("what the cells import from outside of git is used as it is now")
    return RunCode(base, difference, files, facts.get("submodules") or (), notes, cells)


def _load_cells(api: DataApi, run: RecordedRun, notes: list[str]) -> bytes:
    executed = executed_notebook(run.facts)
    if executed is None or "content" not in executed:
        return b""
    try:
        return notebook.to_ipynb(_fetch(api, run, executed["content"]))
    except ValueError as error:
        notes.append(f"the cells of the notebook cannot be restored: {error}")
        return b""


def with_pack(api: DataApi, run: RecordedRun, code: RunCode) -> RunCode:
    """Return the code with the recorded files of its commit, which no repository here has.

    Raises:
        NotReproducible: they were not recorded, or not completely delivered.
    """
    pack = run.facts.get("pack") or {"commit": ""}
    if "content" not in pack or pack["commit"] != run.commit:
        raise NotReproducible(f"the files of commit {run.commit[:12]} were not recorded")
    try:
        data = _fetch(api, run, pack["content"])
    except ValueError as error:
        raise NotReproducible(f"the files of commit {run.commit[:12]} cannot be restored: {error}") from error
    absent = pack.get("secret", ())
    notes = [f"not restored: {path}, which looks like a secret" for path in absent]
    return code._replace(pack=data, absent=absent, notes=[*code.notes, *notes])


def _own_copy(facts: RunFacts, file: CodeFile) -> bytes | None:
    """Return a withheld file from the folder of the recorded run, if it is still there and unchanged."""
    root, sha256 = facts.get("root"), file.get("sha256")
    if not file.get("withheld") or root is None or sha256 is None:
        return None
    with contextlib.suppress(OSError, ValueError), open(os.path.join(root, file["path"]), "rb") as stream:
        data = stream.read(LONGEST_OWN)
        return data if sha256_of(data) == sha256 else None
    return None


def _fetch(api: DataApi, run: RecordedRun, content: StoredContent) -> bytes:
    request = RunContentsRequest(task=int(run.ref.partition(":")[2]), pieces=content["pieces"])
    return join(content, call(api.transport, RUN_CONTENTS, request)["contents"])


def write_beside(code: RunCode, lock: str) -> list[str]:
    """Write the commit, changes, files and cells under the name of the lock file with endings of their own; return the
    paths written.
    """
    written = []
    if code.patch:
        write_atomically(f"{lock}.patch", [code.patch])
        written.append(f"{lock}.patch")
    if code.files:
        write_files(code, f"{lock}.files")
        written.append(f"{lock}.files")
    if code.pack:
        write_atomically(f"{lock}.pack", [code.pack])
        written.append(f"{lock}.pack")
    if code.cells:
        write_atomically(cells_path(lock), [code.cells])
        written.append(cells_path(lock))
    return written


def cells_path(lock: str) -> str:
    """Return the path of a notebook's cells beside the lock file."""
    return f"{lock}.ipynb"


def write_files(code: RunCode, tree: str) -> None:
    """Write the files that git does not have into a folder.

    Raises:
        NotReproducible: a recorded path leads outside of the folder, or into git's own.
    """
    root = os.path.realpath(tree)
    for path, data in code.files.items():
        target = os.path.normpath(os.path.join(root, path))
        folder = os.path.dirname(target)
        inside = path_below(target, root) is not None and path_below(os.path.realpath(folder), root) is not None
        if os.path.isabs(path) or not inside or ".git" in path.lower().split("/") or os.path.islink(target):
            raise NotReproducible(f"the recorded path {path!a} leads outside of the code")
        os.makedirs(folder, exist_ok=True)
        with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            stream.write(data)


def code_lines(code: RunCode, tree: str, lock: str) -> Iterator[Sequence[str]]:
    """Yield the commands that apply the changes to a checkout by hand, each as its words."""
    if code.patch:
        yield ["git", "-C", tree, "apply", "--binary", "--whitespace=nowarn", f"{lock}.patch"]
    if code.files:
        yield ["cp", "-R", f"{lock}.files/.", tree]
