"""How a run begins and ends, and how another process learns of it."""

from __future__ import annotations

import copyreg
import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from autoflow.model.run import RunFacts, State
from autoflow.outbox import open_runs
from autoflow.runtime import destination, facts, inference, masking
from autoflow.runtime.run import Run, new_key

# Stand for a run where there is none; they have no key.
NO_RUN = Run(None, "", "none", active=False)  # outside of every run: recorded in the implicit run of the process
UNKNOWN = Run(None, "", "unknown", active=False)  # one of several runs: recorded in the unattributed run
SILENT = Run(None, "", "silent")  # nothing is recorded
_WITHOUT_RUN = {run.name: run for run in (NO_RUN, UNKNOWN, SILENT)}


def start(name: str, *, parameters: Any = None, parent: Run | None = None, **known: Any) -> Run:
    """Begin a run: find its destination and numbers, and record that it began.

    Args:
        name: the app's.
        parameters: what it was given.
        parent: the run it was begun in.
        known: ``task_id``, ``api``, ``server``, ``team_id``, ``workspace_id``, as in `workflow`.

    Raises:
        ValueError: `server` is no address.
    """
    run = create(name, **known)
    announce(run, parameters, parent)
    return run


def create(
    name: str,
    *,
    task_id: Any = None,
    api: Any = None,
    server: str | None = None,
    team_id: int | None = None,
    workspace_id: int | None = None,
) -> Run:
    """A run of which nothing is recorded yet.

    Raises:
        ValueError: `server` is no address.
    """
    where = destination.resolve_for_records(server)
    run = Run(
        destination.outbox_for(where),
        new_key(),
        name,
        task=inference.task_number(task_id, api),
        team=team_id,
        workspace=workspace_id,
        origin=inference.origin_of(where, api),
    )
    run.api = api
    return run


def announce(run: Run, parameters: Any = None, parent: Run | None = None, *, unattributed: bool = False) -> None:
    """Record that a run began, and let other processes of this machine see that it is open.

    Args:
        run: a new one.
        parameters: what it was given.
        parent: the run it was begun in.
        unattributed: it holds the records of which it is not known what run caused them.
    """
    if run.outbox is None:  # recording is off
        return
    _mark_open(run)
    known = facts.initial_facts(parameters)
    if unattributed:
        known["unattributed"] = True
    members = {**known, "name": run.name, "parent": parent.key if parent is not None else None}
    run.write_record("run", **members)
    run.outbox.submit(functools.partial(_gather, run, known))


def _mark_open(run: Run) -> None:
    """Write the run's file. Where records stay in memory, or nowhere, no other process has anything to ask."""
    if run.outbox is None or run.outbox.in_memory:
        return
    run.open_file = open_runs.path_of(run.key)
    if run.open_file is not None and not open_runs.add(run.open_file, run.to_text()):
        run.open_file = None


def _gather(run: Run, known: RunFacts) -> None:
    run.write_record("facts", facts=facts.gather_facts(known))


def finish(run: Run, error: BaseException | None) -> None:
    """Record that a run ended, and how.

    Its file goes last: a process that is killed before leaves the run to its parent.
    """
    run.close()
    leaving_well = isinstance(error, SystemExit) and error.code in {None, 0}
    if error is None or leaving_well:
        record_end(run, "finished")
    else:
        record_end(run, "failed", masking.value(f"{type(error).__name__}: {_first_line(error)}"))
    open_runs.remove(run.open_file)


def record_end(run: Run, state: State, error: str | None = None) -> None:
    """Record how a run ended.

    Args:
        run: also one of another process.
        state: not ``running``.
        error: one line.
    """
    run.write_record("finish", state=state, error=error)


def _first_line(error: BaseException) -> str:
    try:
        return str(error).partition("\n")[0]
    except Exception:  # noqa: BLE001 - a __str__ of the app's may do anything
        return ""


# -- a run of another process


def from_text(text: str | None) -> Run | None:
    """The run that a text names, as one that another process opened; None when it names none.

    Raises:
        ValueError: the text names a server that is none.
    """
    if text is None:
        return None
    fields = {name: values[0] for name, values in parse_qs(text).items()}
    if "without" in fields:
        return _WITHOUT_RUN.get(fields["without"])
    if "key" not in fields:
        return None
    task = fields.get("task", "")
    return Run(
        destination.outbox_for(destination.resolve_for_records(fields.get("server"))),
        fields["key"],
        fields.get("name"),
        task=int(task) if task.isdecimal() else None,
        origin=fields.get("origin", ""),
        open_file=fields.get("file"),
        active=False,
    )


def _reduced(run: Run) -> tuple[Callable[[str], Run], tuple[str]]:
    return run_from_pickle, (run.to_text(),)


@functools.lru_cache(maxsize=64)  # a worker gets many tasks of one run, and records an edge of a run once
def run_from_pickle(text: str) -> Run:
    """The run that a pickle names; where it cannot be joined, records go to the unattributed run."""
    try:
        return from_text(text) or UNKNOWN
    except ValueError:
        return UNKNOWN


copyreg.pickle(Run, _reduced)  # another process records into the same run, through an outbox of its own
