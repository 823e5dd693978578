"""Facts that reproduce a run: some recorded at its start, the costly ones gathered later by the sender.

`VARIABLES` influence what a program computes, or name the data it works on, and never hold a secret; what else of the
environment is recorded is in `runtime.environment`.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from autoflow import settings
from autoflow.guard import guard, logger
from autoflow.model.run import CodeFile, LateFacts, RunFacts
from autoflow.model.run_code import gaps, has_changes, outdated_packages
from autoflow.model.run_variables import LAUNCHED
from autoflow.process.paths import path_below
from autoflow.runtime import code_state, environment, git, launcher, masking, notebook
from autoflow.runtime.commit_pack import pack_commit
from autoflow.runtime.packages import installed_packages
from autoflow.runtime.secret_shapes import MASK

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

MAX_NAMED = 3  # files in a line of the log
MAX_READ = 20  # small files outside of git that count as code if a run read them

_reported: set[str] = set()  # subjects of which this process logged why its runs cannot be reproduced

# the data that a Supervisely app works on
SUBJECTS = (
    "PROJECT_ID",
    "CONTEXT_PROJECTID",
    "context.projectId",
    "modal.state.slyProjectId",
    "DATASET_ID",
    "CONTEXT_DATASETID",
    "context.datasetId",
    "modal.state.slyDatasetId",
    "modal.state.slyFile",
    "modal.state.slyFolder",
)
VARIABLES = (
    *SUBJECTS,
    *LAUNCHED,
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_VISIBLE_DEVICES",
    "MKL_NUM_THREADS",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "PYTHONPATH",
    "TF_DETERMINISTIC_OPS",
)


def initial_facts(parameters: Any, ordinal: int = 0) -> RunFacts:
    """Return the facts that cost nothing.

    Args:
        parameters: a mapping, an object with attributes (argparse's), or None.
        ordinal: number of runs of the app that this process has started before.
    """
    main = sys.modules.get("__main__")
    facts: RunFacts = {
        "command": masking.command([sys.executable, *getattr(sys, "orig_argv", sys.argv)[1:]]),
        "python": platform.python_version(),
        "host": os.uname().nodename,
        "pid": os.getpid(),
        "ordinal": ordinal,
    }
    if (launched_by := launcher.command()) is not None:
        facts["launcher"] = launched_by
    if repeated := settings.reproduces():
        facts["reproduces"], _, facts["attempt"] = repeated.partition(" ")
    with guard:  # an app may pass anything as its parameters
        if parameters:
            values = parameters if isinstance(parameters, Mapping) else vars(parameters)
            facts["parameters"] = masking.value(dict(values))
    with contextlib.suppress(OSError):  # the working folder may be gone
        facts["folder"] = os.getcwd()
        if script := getattr(main, "__file__", None):
            facts["script"] = os.path.abspath(script)
            started_in = _start_folder(script, getattr(main, "__spec__", None))
            if started_in is not None and not os.path.samefile(started_in, facts["folder"]):
                facts["started_in"] = started_in
    return facts


def _start_folder(script: str, spec: ModuleSpec | None) -> str | None:
    """Return the working folder at the start of the process, which `os.chdir` does not change; None if it is unknown.

    Args:
        script: path of the main module. Python makes it absolute when it starts.
        spec: how that was found with ``python -m``, None without.
    """
    words = list(getattr(sys, "orig_argv", sys.argv))[1:]
    if spec is not None:
        step = spec.name.removesuffix(".__main__").replace(".", os.sep)
        words = [f"{step}.py", os.path.join(step, "__main__.py")]
    endings = (os.sep + word for word in words if word and not os.path.isabs(word))
    return next((script.removesuffix(ending) or os.sep for ending in endings if script.endswith(ending)), None)


class FactsPart(NamedTuple):
    """Some facts, and the pieces of contents that facts name (`model.run_contents`)."""

    facts: RunFacts
    contents: Mapping[str, str] = {}


class FactsGatherer:
    """Gathers the facts of one run that take time, on the sender's thread.

    Args:
        initial: from `initial_facts`.
        variables: names of environment variables that the app asks for.
    """

    def __init__(self, initial: RunFacts, variables: Sequence[str] = ()) -> None:
        self._initial = initial
        self._variables = variables
        self._root: str | None = None
        self._imported: set[str] = set()
        self._files: Sequence[CodeFile] = ()
        self._cells = self._cells_at_end = notebook.count_cells()

    @property
    def folder(self) -> str | None:
        """The working folder at the start of the run."""
        return self._initial.get("folder")

    @property
    def code(self) -> list[str]:
        """The script, and the files that are imported by now."""
        script = self._initial.get("script")
        return [*code_state.imported_files(), *([script] if script is not None else [])]

    def close(self) -> None:
        """Note which code is the run's, when it ends: cells that are executed later are not."""
        self._cells_at_end = notebook.count_cells()

    def at_start(self) -> Iterator[FactsPart]:
        """Yield git's facts, then the machine's with its installed packages.

        The process may end before all are gathered; what cannot be found out later comes first.
        """
        facts = _code_facts(self._initial, self._variables)
        yield FactsPart(facts)
        self._root = facts.get("root")
        contents: Mapping[str, str] = {}
        commit = facts.get("commit")
        if self._root is not None and commit is not None:
            imported = code_state.imported_files()
            self._imported.update(imported)
            used = [self._initial.get("script", self._root), *imported, *code_state.named_files(self._initial)]
            beside, contents = code_state.gather_code(self._root, commit, used)
            if (dirty := _is_dirty(self._root, facts.get("script_within"))) is not None:
                beside["dirty"] = has_changes({"dirty": dirty, **beside})
            facts.update(beside)
            self._files = beside.get("untracked", ())
            yield FactsPart(beside)
        yield from _single_pieces(contents)
        if self._cells:
            executed, contents = notebook.describe(self._cells)
            facts["notebook"] = executed
            yield FactsPart({"notebook": executed})
            yield from _single_pieces(contents)
        locks: dict[str, str] = {}
        yield FactsPart(environment.gather_machine(self._root, locks))
        yield from _single_pieces(locks)
        packages = installed_packages()
        installed: RunFacts = {
            "packages": packages.versions,
            "sources": packages.sources,
            "installed": packages.installed,
            "machine": f"{platform.system()} {platform.machine()}",
        }
        if packages.outdated:
            facts["outdated"] = installed["outdated"] = packages.outdated
        yield FactsPart(installed)
        self._report(facts)
        if self._root is not None and commit is not None and facts.get("unpublished"):
            yield from self._pack(self._root, commit)

    def _pack(self, root: str, commit: str) -> Iterator[FactsPart]:
        """Yield the files of a commit that no remote has, if the repository has no remote."""
        if code_state.has_remote(root):
            return
        pack, contents = pack_commit(root, commit)
        yield FactsPart({"pack": pack})
        yield from _single_pieces(contents)
        if "content" not in pack:
            self._log_reasons("commit", ["its commit is in no remote, and too large to be recorded: push it"])

    def _report(self, facts: RunFacts) -> None:
        """Log once a process why its runs cannot be reproduced completely."""
        reasons = list(gaps(facts)) if "commit" in facts else ["the code is not in a git repository"]
        reasons += outdated_packages(facts)
        masked = [name for name, value in facts.get("environment", {}).items() if MASK in value]
        reasons += [f"the variable {name} is masked" for name in masked]
        self._log_reasons("code", reasons)

    def _log_reasons(self, subject: str, reasons: Sequence[str]) -> None:
        if reasons and subject not in _reported and "reproduces" not in self._initial:
            _reported.add(subject)
            logger.info("autoflow: this run cannot be reproduced completely: %s", "; ".join(reasons))

    def _report_data(self, paths: Sequence[str], files: Sequence[CodeFile]) -> None:
        """Log once a process which data a run read that is neither on the server nor with its code.

        Args:
            paths: files that it read.
            files: those that are recorded as its code.
        """
        root = os.path.realpath(self._root) if self._root is not None else None
        stored = {file["path"] for file in files if "content" in file}
        untracked = {*code_state.untracked_among(root, paths)} if root is not None and paths else set()
        below = {path: path_below(os.path.realpath(path), root) if root is not None else None for path in paths}
        local = [path for path, inner in below.items() if inner is None or inner in untracked - stored]
        reasons = [f"{path} is only on this machine" for path in local[:MAX_NAMED]]
        if len(local) > MAX_NAMED:
            reasons.append(f"and {len(local) - MAX_NAMED} more files")
        self._log_reasons("data", reasons)

    def at_end(self, read: Sequence[str] = (), inputs: Sequence[str] = ()) -> Iterator[FactsPart]:
        """Yield the code that the run used since its start, and the folder it works in now, where these differ.

        Args:
            read: files that it was seen to read. A few small ones count as code; more are data.
            inputs: files of this machine that it declared as its inputs.
        """
        late: LateFacts = {}
        contents: dict[str, str] = {}
        with contextlib.suppress(OSError):
            if (folder := os.getcwd()) != self._initial.get("folder"):
                late["folder"] = folder
        if self._root is not None:
            imported = [path for path in code_state.imported_files() if path not in self._imported]
            untracked = code_state.untracked_among(self._root, imported)
            small = code_state.untracked_among(self._root, filter(code_state.is_small, read))
            if len(small) <= MAX_READ:
                untracked = list(dict.fromkeys([*untracked, *small]))
            if files := code_state.describe(self._root, untracked, untracked, contents):
                late["untracked"] = files
        self._report_data([*dict.fromkeys([*inputs, *read])], [*self._files, *late.get("untracked", ())])
        if self._cells_at_end > self._cells:
            late["notebook"], pieces = notebook.describe(self._cells_at_end)
            contents.update(pieces)
        if late:
            yield FactsPart({"late": late})
        yield from _single_pieces(contents)


def _single_pieces(contents: Mapping[str, str]) -> Iterator[FactsPart]:
    """Yield pieces one by one: each fills most of a record."""
    for name, data in contents.items():
        yield FactsPart({}, {name: data})


def _code_facts(initial: RunFacts, variables: Sequence[str]) -> RunFacts:
    """Return environment variables, and the commit of the run's code; each call of git is bounded in time."""
    facts: RunFacts = {"environment": environment.gather_variables(VARIABLES, variables)}
    working_tree = _working_tree(initial.get("folder"), initial.get("script"))
    if working_tree is None:
        return facts
    root, commit = working_tree
    facts["root"], facts["commit"] = root, commit
    if (folder := _relative_path(root, initial.get("folder"))) is not None:
        facts["folder_within"] = folder
    if (script := _relative_path(root, initial.get("script"))) is not None:
        facts["script_within"] = script
    if repository := git.read(root, "config", "--get", "remote.origin.url"):
        facts["repository"] = masking.text(repository)
    return facts


def _working_tree(folder: str | None, script: str | None) -> tuple[str, str] | None:
    """Return root and commit of the git working tree of a run's script, else of the folder it ran in.

    A script that git ignores, such as one installed into an environment, does not count.
    """
    folders = [folder]
    if script and os.path.isfile(script):
        own = os.path.dirname(script)
        if git.read(own, "check-ignore", script) is None:
            folders.insert(0, own)
    for candidate in folders:
        output = (git.read(candidate, "rev-parse", "--show-toplevel", "HEAD") or "") if candidate is not None else ""
        root, _, commit = output.rpartition("\n")
        if root and commit:
            return root, commit
    return None


def _relative_path(root: str, path: str | None) -> str | None:
    """Return a path relative to the root, empty for the root itself; None when it is outside."""
    if path is None:
        return None
    relative = path_below(os.path.realpath(path), root)
    return "" if relative == os.curdir else relative


def _is_dirty(root: str, script: str | None) -> bool | None:
    """Return whether the code differs from the commit's; None when git did not answer in time."""
    status = git.read(root, "status", "--porcelain", "--untracked-files=no")
    if status == "" and script is not None:
        status = git.read(root, "status", "--porcelain", "--untracked-files=all", "--", script)
    return None if status is None else bool(status)
