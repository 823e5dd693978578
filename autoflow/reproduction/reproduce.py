"""Reproduction of a recorded run: look it up, restore its data, write the lock file, run its command, compare.

Obstacles that can be known in advance are reported before anything is created. If a later step fails, the error names
what was restored until then. The working tree is always removed unless it was to be kept.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from autoflow.api.protocols import DataApi
from autoflow.errors import AutoflowError, NotReproducible
from autoflow.guard import logger
from autoflow.model.graph_json import DataJson
from autoflow.model.reproduction import ComparisonRow, Reproduction, ReproductionPlan, all_equal
from autoflow.reproduction import interpreter, lock, running
from autoflow.reproduction.code import load_code, missing_code, write_beside
from autoflow.reproduction.commands import shell_commands
from autoflow.reproduction.comparison import (
    compare_inputs,
    compare_local_inputs,
    compare_outputs,
    expand_folders,
    mark_requested,
    requested_names,
)
from autoflow.reproduction.credentials import Credentials, restricted_credentials
from autoflow.reproduction.inputs import Progress, RestoredInputs, restore_inputs, unapplied_notes
from autoflow.reproduction.interpreter import Interpreter
from autoflow.reproduction.plan import allowed_variables, build_plan
from autoflow.reproduction.recorded_run import MASK, RecordedRun, obstacles, producing_run, run_from_trace
from autoflow.reproduction.substitution import Command, substitute
from autoflow.reproduction.worktree import apply_code, find_repository, worktree
from autoflow.runtime.delivery import deliver_folder, deliver_waiting
from autoflow.runtime.destination import token_for
from autoflow.transport.typed import call
from autoflow.wire.contract.lineage import (
    FILES_WRITTEN,
    REPRODUCTIONS,
    FilesWrittenRequest,
    ReproductionsRequest,
    WrittenFile,
)


@dataclass(frozen=True)
class ReproduceOptions:
    """The options of `Api.reproduce`, and those of the command line.

    Args:
        run, allow_dirty, lock, workdir, keep, python, workspace, progress: see `Api.reproduce`.
        report: called with a line about the command that is started.
        confirm: called with the plan before anything is executed; None to execute without asking.
        interactive: whether `confirm` can return True; if not, it is called before anything is restored.
    """

    run: bool = False
    allow_dirty: bool = False
    lock: str = lock.NAME
    workdir: str | None = None
    keep: bool = False
    python: str | None = None
    workspace: int | None = None
    progress: Progress | None = None
    report: Callable[[str], object] = logger.info
    confirm: Callable[[ReproductionPlan], bool] | None = None
    interactive: bool = True


class _Job(NamedTuple):
    """One reproduction: what is repeated and how."""

    api: DataApi
    ref: str
    run: RecordedRun
    options: ReproduceOptions
    requested: tuple[str, ...] = ()  # path and reference of the entity, empty for a run
    credentials: Credentials | None = None


def reproduce(api: DataApi, ref: str, options: ReproduceOptions) -> Reproduction:
    """Repeat the run that produced an entity.

    Args:
        api: the server that recorded it.
        ref: the entity, or the run itself.
        options: how to repeat it.

    Raises:
        NotReproducible: it cannot be repeated; the message names what was restored until then.
        ServerError: the server does not know the entity, or does not respond.
    """
    trace = api.trace(ref)
    run = producing_run(trace)
    if options.run:
        missing = missing_code(run.facts)
        if reasons := list(obstacles(run, allow_dirty=options.allow_dirty, missing=missing)):
            raise NotReproducible("; ".join(reasons))
        if api.origin != api.records.origin:
            raise NotReproducible(
                f"{ref} is on {api.origin}, but records go to {api.records.origin}: set AUTOFLOW_SERVER={api.origin}"
            )
    restored = RestoredInputs([], [], [])
    requested = requested_names(trace.data.get(trace.graph.entry or ""))
    facts = run.facts
    command = Command(run.command, facts.get("parameters", {}), allowed_variables(facts.get("environment", {})))
    for name in facts.get("environment", {}).keys() - command.environment.keys():
        masked = MASK in str(facts.get("environment", {}).get(name))
        reason = "its value was masked" if masked else "it can change what is executed"
        restored.notes.append(f"environment not compared: the recorded variable {name!a} is not set again, as {reason}")
    if options.run and not options.interactive:
        _confirm(_Job(api, ref, run, options, requested), command)
    # before anything is restored: the token may change what was created since it was issued
    with restricted_credentials(api, run.ref) if options.run else contextlib.nullcontext() as credentials:
        return _reproduce(_Job(api, ref, run, options, requested, credentials), command, restored)


def _reproduce(job: _Job, command: Command, restored: RestoredInputs) -> Reproduction:
    """Restore the data, and run the command if requested; errors name what was restored."""
    facts, options = job.run.facts, job.options
    try:
        restore_inputs(job.api, job.run, command, restored, workspace=options.workspace, progress=options.progress)
        command = substitute(command, restored.replacements)
        restored.notes.extend(unapplied_notes(restored.replacements, command))
        python = None
        if options.run:
            if options.interactive:
                _confirm(job, command)
            python = interpreter.inspect(interpreter.choose_path(job.run.command[0], options.python))
            restored.notes.extend(
                interpreter.environment_differences(python, facts.get("python"), facts.get("packages", {}))
            )
        return _lock_and_run(job, command, restored, python)
    except BaseException as error:
        projects = ", ".join(f"project {project.project} ({project.name!r})" for project in restored.projects)
        if projects and isinstance(error, (AutoflowError, OSError)):
            raise NotReproducible(f"{error}; these restored projects remain: {projects}") from error
        if projects:
            logger.warning("autoflow: these restored projects remain: %s", projects)
        raise


def _confirm(job: _Job, command: Command) -> None:
    """Show the plan and ask for confirmation; nothing has been executed before.

    Raises:
        NotReproducible: it was not confirmed.
    """
    path = interpreter.choose_path(job.run.command[0], job.options.python)
    variables = {"AUTOFLOW_SERVER": job.api.records.address}
    if job.credentials is not None:
        variables["AUTOFLOW_HOME"] = job.credentials.home
    confirm = job.options.confirm
    if confirm is not None and not confirm(build_plan(job.run, command, interpreter=path, variables=variables)):
        raise NotReproducible(f"{job.run.ref} was not confirmed: nothing was run")


def _lock_and_run(job: _Job, command: Command, restored: RestoredInputs, python: Interpreter | None) -> Reproduction:
    """Write the lock file, and run the command if there is an interpreter for it."""
    run, options = job.run, job.options
    document = lock.build_lock(job.ref, job.api.origin, run, restored, command)
    lock.write_lock(options.lock, document)
    code = load_code(job.api, run)
    write_beside(code, options.lock)
    try:
        repository = find_repository(run.facts, code.base) if run.commit else None
    except NotReproducible:
        if options.run:
            raise
        repository = None
    name = run.ref.replace(":", "-")
    lines = shell_commands(
        run,
        command,
        code,
        repository=repository,
        tree=os.path.abspath(options.workdir or os.path.join(tempfile.gettempdir(), f"autoflow-{name}")),
        lock=os.path.abspath(options.lock),
        server=job.api.records.address,
    )
    projects = {project.project: project.name for project in restored.projects}
    notes = [*restored.notes, *code.notes]
    if python is None or repository is None:
        return Reproduction(job.ref, run.ref, projects, options.lock, lines, notes)
    with worktree(repository, code.base, options.workdir, keep=options.keep) as folder:
        notes += apply_code(repository, code, folder, f"{options.lock}.patch")
        tasks, rows = _run(job, command, projects, python, folder)
    lock.write_lock(options.lock, {**document, "reproduction": lock.outcome(tasks, rows, equal=all_equal(rows))})
    kept_tree = folder if options.keep else None
    return Reproduction(job.ref, run.ref, projects, options.lock, lines, notes, tasks, rows, kept_tree)


def _run(
    job: _Job, command: Command, projects: dict[int, str], python: Interpreter, tree: str
) -> tuple[list[str], list[ComparisonRow]]:
    """Run the command in a working tree; return the runs it recorded and the comparison with the recorded run."""
    api, run, credentials = job.api, job.run, job.credentials
    attempt = running.new_attempt_id()
    variables = {"AUTOFLOW_SERVER": api.records.address, "AUTOFLOW_REPRODUCES": f"{run.ref} {attempt}"}
    if credentials is not None:
        variables.update(credentials.environment())
    environment = running.build_environment(run, command, python, tree, variables)
    folder = running.working_folder(run, tree)
    line = running.command_line(run, command, python, tree)
    job.options.report(f"running {shlex.join(line)} in {folder}")
    code = running.execute(line, folder, environment)
    # the user's token is never passed on: a server that requires one, and issues none, rejects the command's records
    without_token = credentials is None and token_for(api.records.origin)
    hint = "; it was started without a token, which this server may require" if without_token else ""
    if code and run.state == "finished":
        raise NotReproducible(f"the command exited with code {code}, but the recorded run finished{hint}")
    if credentials is not None:
        deliver_folder(credentials.home, api.records, credentials.token)
    else:
        deliver_waiting(api.records)
    runs = _runs_of_attempt(api, attempt)
    if not runs:
        raise NotReproducible(f"the command succeeded but recorded no run{hint}")
    same_app = [candidate for candidate in runs if candidate.name == run.name] or runs
    written = [output for each in same_app for output in _outputs(api, each)]
    rows = mark_requested(compare_outputs(_outputs(api, run), written, projects), job.requested)
    inputs = [entity for each in runs for entity in each.inputs]
    rows += compare_inputs(projects, inputs) + compare_local_inputs(run.inputs, inputs)
    return [each.ref for each in same_app], rows


def _outputs(api: DataApi, run: RecordedRun) -> list[DataJson]:
    """Return the outputs of a run, with the files of folders."""

    def written(folder: str) -> Sequence[WrittenFile]:
        request = FilesWrittenRequest(task=int(run.ref.partition(":")[2]), folder=folder)
        response = call(api.transport, FILES_WRITTEN, request)
        return response["files"] if response["complete"] else []

    return expand_folders(run.outputs, written)


def _runs_of_attempt(api: DataApi, attempt: str) -> Sequence[RecordedRun]:
    task_ids = call(api.transport, REPRODUCTIONS, ReproductionsRequest(attempt=attempt))["tasks"]
    traces = [api.trace(f"task:{task_id}") for task_id in task_ids]
    return [run_from_trace(trace, trace.graph.entry) for trace in traces if trace.graph.entry is not None]
