"""The execution of a reproduction: checkout, environment, command, comparison."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any, NamedTuple

from autoflow.errors import NotReproducible
from autoflow.model.reproduction import Cause, ComparisonRow
from autoflow.reproduction import attempt, environment
from autoflow.reproduction.code import RunCode
from autoflow.reproduction.explanation import explain
from autoflow.reproduction.interpreter import Interpreter
from autoflow.reproduction.job import Job
from autoflow.reproduction.substitution import Command
from autoflow.reproduction.worktree import apply_code, unpacked, worktree


class Execution(NamedTuple):
    """The members of `Reproduction` that an execution has."""

    tasks: list[str]
    rows: list[ComparisonRow]
    worktree: str | None
    causes: list[Cause]
    deterministic: bool | None
    written: dict[str, int]

    def members(self) -> dict[str, Any]:
        """Return them by name."""
        return self._asdict()


def execute(
    job: Job,
    command: Command,
    present: Interpreter,
    repository: str | None,
    code: RunCode,
    projects: dict[int, str],
    notes: list[str],
) -> Execution:
    """Run the command in a checkout, a second time if that is asked for, and compare what it wrote.

    Args:
        job: the reproduction.
        command: the command.
        present: the interpreter that is there.
        repository: the repository with the commit; None for recorded files, or a notebook outside of git.
        code: the code.
        projects: names of the restored projects by their ids.
        notes: gets what differs from the recorded run.

    Raises:
        NotReproducible: it cannot be run.
    """
    options = job.options
    patch = f"{options.lock}.patch"
    deterministic = None
    with (
        _code(repository, code, patch, notes, options.workdir, keep=options.keep) as tree,
        _environment_folder(keep=options.keep) as folder,
    ):
        python = environment.prepare(job, present, tree, folder, notes)
        try:
            first = attempt.run_command(job, command, python, tree)
        except NotReproducible as error:  # what is missing may be the reason
            raise NotReproducible("; ".join([str(error), *notes])) from error
        rows = attempt.compare(job, first, projects, tree)
        written = attempt.written_files(job, first.run)
        if options.twice:
            with _code(repository, code, patch, [], None, keep=False) as other_tree:
                second = attempt.run_command(job, command, python, other_tree)
            deterministic = attempt.is_deterministic(job, first.run, second.run, projects)
    causes = explain(job.run.facts, first.run.facts, rows, code.notes)
    tasks = [repeated.ref for repeated in first.runs]
    return Execution(tasks, rows, tree if options.keep else None, causes, deterministic, written)


@contextlib.contextmanager
def _code(
    repository: str | None, code: RunCode, patch: str, notes: list[str], folder: str | None, *, keep: bool
) -> Iterator[str]:
    """Yield a folder with the code of the run; an empty one if all of it is in the cells of a notebook."""
    with contextlib.ExitStack() as stack:
        if repository is None and code.pack:
            repository = stack.enter_context(unpacked(code))
        if repository is not None:
            tree = stack.enter_context(worktree(repository, code.base, folder, keep=keep, absent=code.absent))
            notes += apply_code(repository, code, tree, patch)
        elif folder is not None:
            os.makedirs(tree := os.path.realpath(folder), exist_ok=True)
        else:
            tree = tempfile.mkdtemp(prefix="autoflow-")
            if not keep:
                stack.callback(shutil.rmtree, tree, ignore_errors=True)
        yield tree


@contextlib.contextmanager
def _environment_folder(*, keep: bool) -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="autoflow-env-")
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
