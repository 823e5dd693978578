"""Reproduction of a recorded run: look it up, restore its data, write the lock file, run its command, compare.

Obstacles that can be known in advance are reported before anything is created. If a later step fails, the error names
what was restored until then. The working tree is always removed unless it was to be kept.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from types import MappingProxyType

from autoflow.api.protocols import DataApi
from autoflow.errors import AutoflowError, NotReproducible
from autoflow.guard import logger
from autoflow.model.changed_version import doubts
from autoflow.model.reproduction import Reproduction
from autoflow.model.run_variables import without_launched
from autoflow.reproduction import interpreter, lock
from autoflow.reproduction.code import RunCode, load_code, missing_code, with_pack, write_beside
from autoflow.reproduction.commands import shell_commands
from autoflow.reproduction.comparison import requested_names
from autoflow.reproduction.credentials import discard, restricted_credentials, set_view
from autoflow.reproduction.execution import execute
from autoflow.reproduction.inputs import RestoredInputs, restore_inputs, unapplied_notes
from autoflow.reproduction.interpreter import Interpreter
from autoflow.reproduction.job import Job, ReproduceOptions
from autoflow.reproduction.plan import allowed_variables, build_plan
from autoflow.reproduction.recorded_run import MASK, obstacles, producing_run
from autoflow.reproduction.substitution import Command, substitute
from autoflow.reproduction.worktree import find_repository


def reproduce(
    api: DataApi, ref: str, options: ReproduceOptions, files: Mapping[str, int] = MappingProxyType({})
) -> Reproduction:
    """Repeat the run that produced an entity.

    Args:
        api: the server that recorded it.
        ref: the entity, or the run itself.
        options: how to repeat it.
        files: files that the command reads in place of the recorded ones, by their paths.

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
    if "launcher" in facts:  # which sets them for each process
        command = command._replace(environment=without_launched(command.environment))
    elif (processes := facts.get("environment", {}).get("WORLD_SIZE", "1")) != "1":
        restored.notes.append(
            f"one of {processes} processes is run, as their launcher is not known: it may wait for the rest"
        )
    for name in without_launched(facts.get("environment", {})).keys() - command.environment.keys():
        masked = MASK in str(facts.get("environment", {}).get(name))
        reason = "its value was masked" if masked else "it can change what is executed"
        restored.notes.append(f"environment not compared: the recorded variable {name!a} is not set again, as {reason}")
    restored.notes.extend(f"in the recorded run, {sentence}" for sentence in doubts(facts))
    if options.run and not options.interactive:
        _confirm(Job(api, ref, run, options, requested), command, restored)
    # before anything is restored: the token may change what was created since it was issued
    with restricted_credentials(api, run.ref) if options.run else contextlib.nullcontext() as credentials:
        try:
            return _reproduce(Job(api, ref, run, options, requested, credentials, files=files), command, restored)
        finally:
            if credentials is not None and options.discard:
                discard(api, credentials)


def _reproduce(job: Job, command: Command, restored: RestoredInputs) -> Reproduction:
    """Restore the data, and run the command if requested; errors name what was restored."""
    options = job.options
    try:
        restore_inputs(job.api, job.run, command, restored, workspace=options.workspace, progress=options.progress)
        by_hand = substitute(command, restored.replacements)
        if job.credentials is not None:
            namespace = set_view(job.api, job.credentials, job.run, restored, job.files, publish=options.publish)
            job = job._replace(namespace=namespace)
        if job.namespace is None:
            command = by_hand
            restored.notes.extend(unapplied_notes(restored.replacements, by_hand))
        python = None
        if options.run:
            if options.interactive:
                _confirm(job, command, restored)
            python = interpreter.inspect(interpreter.choose_path(job.run.command[0], options.python))
        return _lock_and_run(job, command, by_hand, restored, python)
    except BaseException as error:
        projects = ", ".join(f"project {project.project} ({project.name!r})" for project in restored.projects)
        if projects and isinstance(error, (AutoflowError, OSError)):
            raise NotReproducible(f"{error}; these restored projects remain: {projects}") from error
        if projects:
            logger.warning("autoflow: these restored projects remain: %s", projects)
        raise


def _confirm(job: Job, command: Command, restored: RestoredInputs) -> None:
    """Show the plan and ask for confirmation; nothing has been executed before.

    Raises:
        NotReproducible: it was not confirmed.
    """
    path = interpreter.choose_path(job.run.command[0], job.options.python)
    variables = {"AUTOFLOW_SERVER": job.api.records.address}
    if job.credentials is not None:
        variables.update(job.credentials.variables())
    confirm = job.options.confirm
    plan = build_plan(job.run, command, interpreter=path, variables=variables)
    if job.namespace is not None:
        shown = [
            f"{project.version['ref']} is project {project.project} ({project.name})" for project in restored.projects
        ]
        plan = plan._replace(data=shown, written_to=job.namespace)
    if not job.options.no_env and job.options.python is None:
        plan = plan._replace(installs=True)
    if confirm is not None and not confirm(plan):
        raise NotReproducible(f"{job.run.ref} was not confirmed: nothing was run")


def _lock_and_run(
    job: Job, command: Command, by_hand: Command, restored: RestoredInputs, python: Interpreter | None
) -> Reproduction:
    """Write the lock file, and run the command if there is an interpreter for it.

    Args:
        job: the reproduction.
        command: the command that is run.
        by_hand: the command with replaced arguments, which needs no token.
        restored: what was restored.
        python: the interpreter, None to run nothing.
    """
    run, options = job.run, job.options
    document = lock.build_lock(job.ref, job.api.origin, run, restored, by_hand)
    lock.write_lock(options.lock, document)
    code, repository = _locate_code(job)
    write_beside(code, options.lock)
    name = run.ref.replace(":", "-")
    lines = shell_commands(
        run,
        by_hand,
        code,
        repository=repository,
        tree=os.path.abspath(options.workdir or os.path.join(tempfile.gettempdir(), f"autoflow-{name}")),
        lock=os.path.abspath(options.lock),
        server=job.api.records.address,
    )
    projects = {project.project: project.name for project in restored.projects}
    notes = [*restored.notes, *code.notes]
    if not options.run:
        notes += [f"--run is refused: {reason}" for reason in obstacles(run, allow_dirty=True, missing=())]
    if python is None or (repository is None and not code.cells and not code.pack):
        return Reproduction(job.ref, run.ref, projects, options.lock, lines, notes)
    execution = execute(job, command, python, repository, code, projects, notes)
    result = Reproduction(job.ref, run.ref, projects, options.lock, lines, notes, **execution.members())
    lock.write_lock(options.lock, {**document, "reproduction": lock.outcome(result)})
    return result


def _locate_code(job: Job) -> tuple[RunCode, str | None]:
    """Return the code of the run and a repository that has its commit; None if the code itself has what was recorded.

    Raises:
        NotReproducible: it is to be run, and no repository has its commit.
    """
    code = load_code(job.api, job.run)
    if not job.run.commit:
        return code, None
    try:
        return code, find_repository(job.run.facts, code.base)
    except NotReproducible as error:
        try:
            return with_pack(job.api, job.run, code), None
        except NotReproducible as reason:
            if job.options.run:
                raise NotReproducible(f"{error} ({reason})") from error
            return code, None
