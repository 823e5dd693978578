"""Doing a recorded run again, step by step: find it, restore its data, write the lock, run it, compare.

What can be known to be in the way is found before anything is made. What was made when a later step fails is named
in the error; the working tree is always gone unless it was to be kept.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from autoflow.errors import AutoflowError, NotReproducible
from autoflow.guard import logger
from autoflow.reproduction import commands, comparison, interpreter, lock, running
from autoflow.reproduction.credentials import Credentials, restricted
from autoflow.reproduction.inputs import Progress, Provided, provide, unplaced
from autoflow.reproduction.plan import Plan, accepted, plan
from autoflow.reproduction.recorded import Recorded, obstacles, of_run, recorded
from autoflow.reproduction.substitution import Command, substitute
from autoflow.reproduction.worktree import repository, worktree
from autoflow.runtime.delivery import deliver_folder, deliver_waiting
from autoflow.runtime.destination import token_for
from autoflow.wire import methods

if TYPE_CHECKING:
    from autoflow.api.client import Api


@dataclass(frozen=True)
class Reproduction:
    """What came of reproducing something.

    Args:
        ref: what was to be reproduced.
        task: the run that made it, as ``task:5``.
        restored: the numbers and names of the projects that were made of versions.
        lock: where the lock file is.
        commands: what to run by hand, a line each.
        notes: what is not as it was, or could not be made so.
        tasks: the runs this was done in; empty when nothing was run.
        rows: what was compared.
        kept: the working tree, if it was to be kept.
    """

    ref: str
    task: str
    restored: dict[int, str]
    lock: str
    commands: list[str]
    notes: list[str]
    tasks: list[str] = field(default_factory=list)
    rows: list[comparison.Row] = field(default_factory=list)
    kept: str | None = None

    @property
    def equal(self) -> bool | None:
        """Whether the outputs are what they were; None when nothing was run."""
        return comparison.equal(self.rows) if self.tasks else None


@dataclass(frozen=True)
class Wish:
    """How to reproduce; see `Api.reproduce`."""

    run: bool = False
    allow_dirty: bool = False
    lock: str = lock.NAME
    workdir: str | None = None
    keep: bool = False
    python: str | None = None
    workspace: int | None = None
    progress: Progress | None = None
    say: Callable[[str], object] = logger.info  # told what is about to be run
    confirm: Callable[[Plan], bool] | None = (
        None  # asked before anything is executed; None where the caller has decided
    )
    interactive: bool = True  # whether `confirm` may agree: if not, it is asked before anything is made


def reproduce(api: Api, ref: str, wish: Wish) -> Reproduction:
    """Do the run again that made something.

    Args:
        api: where it was recorded.
        ref: what was made, or the run itself.
        wish: how.

    Raises:
        NotReproducible: it cannot be run again; what was made until then is named.
        ServerError: the server does not know what was asked for, or does not answer.
    """
    run = recorded(api.trace(ref))
    if wish.run:
        if reasons := list(obstacles(run, allow_dirty=wish.allow_dirty)):
            raise NotReproducible("; ".join(reasons))
        if api.origin != api.records.origin:
            raise NotReproducible(f"records go to {api.records.origin}, and {ref} is on {api.origin}")
    provided = Provided([], [], [])
    facts = run.facts
    command = Command(run.command, facts.get("parameters", {}), accepted(facts.get("environment", {})))
    for name in facts.get("environment", {}).keys() - command.environment.keys():
        provided.notes.append(f"the recorded variable {name!a} is none that autoflow sets: it is left out")
    if wish.run and not wish.interactive:
        _confirm(api, run, command, wish)
    # before anything is restored: the token may change what was made since it was issued
    with restricted(api, run.ref) if wish.run else contextlib.nullcontext() as credentials:
        return _reproduce(api, ref, run, command, provided, wish, credentials)


def _reproduce(
    api: Api,
    ref: str,
    run: Recorded,
    command: Command,
    provided: Provided,
    wish: Wish,
    credentials: Credentials | None,
) -> Reproduction:
    """Restore the data, and run the command if that is requested; what was restored is named in errors."""
    facts = run.facts
    try:
        provide(api, run, command, provided, workspace=wish.workspace, progress=wish.progress)
        command = substitute(command, provided.swaps)
        provided.notes.extend(unplaced(provided.swaps, command))
        found = None
        if wish.run:
            if wish.interactive:
                _confirm(api, run, command, wish, credentials)
            found = interpreter.look(interpreter.choose(run.command[0], wish.python))
            wanted = facts.get("packages", {})
            provided.notes.extend(interpreter.differences(found, facts.get("python"), wanted))
        return _carry_out(api, ref, run, command, provided, wish, found, credentials)
    except BaseException as error:
        remains = ", ".join(f"project {one.project} ({one.name!r})" for one in provided.projects)
        if remains and isinstance(error, (AutoflowError, OSError)):
            raise NotReproducible(f"{error}; restored and still there: {remains}") from error
        if remains:
            logger.warning("autoflow: restored and still there: %s", remains)
        raise


def _confirm(api: Api, run: Recorded, command: Command, wish: Wish, credentials: Credentials | None = None) -> None:
    """Show what is about to be executed and ask; nothing was executed until here.

    Raises:
        NotReproducible: the answer is no.
    """
    used = interpreter.choose(run.command[0], wish.python)
    told = {"AUTOFLOW_SERVER": api.records.address}
    if credentials is not None:
        told["AUTOFLOW_HOME"] = credentials.home
    if wish.confirm is not None and not wish.confirm(plan(run, command, interpreter=used, told=told)):
        raise NotReproducible(f"{run.ref} was not confirmed: nothing was run")


def _carry_out(
    api: Api,
    ref: str,
    run: Recorded,
    command: Command,
    provided: Provided,
    wish: Wish,
    found: interpreter.Interpreter | None,
    credentials: Credentials | None,
) -> Reproduction:
    """Write the lock, and run the command if that is wished."""
    form = lock.document(ref, api.origin, run, provided, command)
    lock.write_document(wish.lock, form)
    try:
        here = repository(run.facts) if run.commit else None
    except NotReproducible:
        if wish.run:
            raise
        here = None
    name = run.ref.replace(":", "-")
    tree = os.path.abspath(wish.workdir or os.path.join(tempfile.gettempdir(), f"autoflow-{name}"))
    lines = commands.script(
        run, command, repository=here, tree=tree, lock=os.path.abspath(wish.lock), server=api.records.address
    )
    restored = {one.project: one.name for one in provided.projects}
    made = Reproduction(ref, run.ref, restored, wish.lock, lines, list(provided.notes))
    if found is None or here is None:
        return made
    with worktree(here, run.commit, wish.workdir, keep=wish.keep) as folder:
        tasks, rows = _run(api, run, command, made, found, folder, wish.say, credentials)
    lock.write_document(wish.lock, {**form, "reproduction": lock.outcome(tasks, rows, equal=comparison.equal(rows))})
    kept = folder if wish.keep else None
    return Reproduction(ref, run.ref, restored, wish.lock, lines, made.notes, tasks, rows, kept)


def _run(
    api: Api,
    run: Recorded,
    command: Command,
    made: Reproduction,
    found: interpreter.Interpreter,
    folder: str,
    say: Callable[[str], object],
    credentials: Credentials | None,
) -> tuple[list[str], list[comparison.Row]]:
    """Run the command in a working tree, and compare what its runs wrote with what was recorded."""
    attempt = running.new_attempt()
    told = {"AUTOFLOW_SERVER": api.records.address, "AUTOFLOW_REPRODUCES": f"{run.ref} {attempt}"}
    secret = credentials.variables() if credentials is not None else {}
    environment = running.environment(run, command, found, folder, {**told, **secret})
    where = running.folder(run, folder)
    line = running.line(run, command, found, folder)
    say(f"running {shlex.join(line)} in {where}")
    code = running.execute(line, where, environment)
    # the user's token is never passed on: a server that asks for one, and issues none, refuses what the command sends
    without = credentials is None and token_for(api.records.origin)
    hint = "; it is given no token, and this server may ask for one" if without else ""
    if code and run.state == "finished":
        raise NotReproducible(f"the command ended with code {code}, which the recorded run did not{hint}")
    if credentials is not None:
        deliver_folder(credentials.home, api.records, credentials.token)
    else:
        deliver_waiting(api.records)
    again = _runs_of(api, attempt)
    if not again:
        raise NotReproducible(f"the command ended well and recorded no run{hint}")
    same_app = [one for one in again if one.name == run.name] or again
    outputs = [one for each in same_app for one in each.outputs]
    rows = comparison.outputs(run.outputs, outputs, made.restored)
    rows += comparison.inputs(made.restored, [one for each in again for one in each.inputs])
    return [one.ref for one in same_app], rows


def _runs_of(api: Api, attempt: str) -> Sequence[Recorded]:
    numbers = api.transport.call(methods.REPRODUCTIONS, {"attempt": attempt})["tasks"]
    traces = [api.trace(f"task:{number}") for number in numbers]
    return [of_run(trace, trace.graph.entry) for trace in traces if trace.graph.entry is not None]
