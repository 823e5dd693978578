"""The life of a run: created, announced, finished, and joined by other processes."""

from __future__ import annotations

import copyreg
import functools
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import parse_qs

from autoflow import settings
from autoflow.model.run import RunState
from autoflow.outbox import open_runs
from autoflow.process import time_budget
from autoflow.runtime import destination, facts, inference, masking, observation
from autoflow.runtime.observed_files import ObservedFiles
from autoflow.runtime.recorder import new_key
from autoflow.runtime.run import Run

# Placeholders for a run; they have no key.
NO_RUN = Run(None, "", "none", active=False)  # outside of every run: recorded in the implicit run of the process
UNKNOWN = Run(None, "", "unknown", active=False)  # one of several runs: recorded in the unattributed run
SILENT = Run(None, "", "silent")  # nothing is recorded
_started: Counter[str] = Counter()  # runs of this process by the names of their apps
_PLACEHOLDERS = {run.name: run for run in (NO_RUN, UNKNOWN, SILENT)}


def start(
    name: str,
    *,
    parameters: Any = None,
    parent: Run | None = None,
    environment: Sequence[str] = (),
    observe: bool | None = None,
    **options: Any,
) -> Run:
    """Start a run: create it with its destination and ids, and record its start.

    Args:
        name: the app's.
        parameters: the app's.
        parent: the run it is started in.
        environment: names of environment variables to record.
        observe: whether to record the files it opens; None: as the environment says.
        options: ``task_id``, ``api``, ``server``, ``team_id``, ``workspace_id``, as in `workflow`.

    Raises:
        ValueError: `server` is not a valid address.
    """
    run = create(name, **options)
    announce(run, parameters, parent, environment=environment)
    if run.gatherer is not None and (settings.observe() if observe is None else observe):
        run.observation = observation.start()
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
    """Return a new run, with nothing recorded.

    Raises:
        ValueError: `server` is not a valid address.
    """
    target = destination.resolve_for_records(server)
    run = Run(
        destination.outbox_for(target),
        new_key(),
        name,
        task=inference.task_number(task_id, api),
        team=team_id,
        workspace=workspace_id,
        origin=inference.origin_of(target, api),
    )
    run.api = api
    return run


def announce(
    run: Run,
    parameters: Any = None,
    parent: Run | None = None,
    *,
    environment: Sequence[str] = (),
    unattributed: bool = False,
) -> None:
    """Record the start of a run, and create its file, by which other processes of this machine see that it is open.

    Args:
        run: a new one.
        parameters: the app's.
        parent: the run it is started in.
        environment: names of environment variables to record.
        unattributed: it holds the records that could not be attributed to a run.
    """
    if run.outbox is None:  # recording is off
        return
    _create_file(run)
    initial = facts.initial_facts(parameters, _started[run.name or ""])
    _started[run.name or ""] += 1
    if unattributed:
        initial["unattributed"] = True
    members = {**initial, "name": run.name, "parent": parent.key if parent is not None else None}
    run.write_record("run", **members)
    run.gatherer = facts.FactsGatherer(initial, environment)
    if not run.outbox.in_memory:  # tests have many runs, whose code and packages nobody asks for
        run.outbox.submit(functools.partial(_record_facts, run, run.gatherer.at_start))


def _create_file(run: Run) -> None:
    """Create the run's file, unless records stay in memory or nowhere: then no other process reads it."""
    if run.outbox is None or run.outbox.in_memory:
        return
    run.open_file = open_runs.path_of(run.key)
    if run.open_file is not None and not open_runs.add(run.open_file, run.to_text()):
        run.open_file = None


def _record_facts(run: Run, gather: Callable[[], Iterable[facts.FactsPart]]) -> None:
    for part in gather():
        contents = {"contents": part.contents} if part.contents else {}
        run.write_record("facts", facts=part.facts, **contents)
        if not time_budget.remaining(1.0):  # the process exits
            return


def observed_files(run: Run) -> ObservedFiles | None:
    """Return the files that a run opened and did not declare; None if it is not observed."""
    if run.observation is None or run.gatherer is None:
        return None
    folder = run.gatherer.folder
    return ObservedFiles(run.observation, folder, run.gatherer.code, lambda: run.local_paths(folder))


def _facts_at_end(run: Run, gatherer: facts.FactsGatherer) -> Iterator[facts.FactsPart]:
    files = observed_files(run)
    paths = sorted(path for direction, path in run.local_paths(gatherer.folder) if direction == "input")
    inputs = list(filter(os.path.isfile, paths))
    if files is None:
        yield from gatherer.at_end(inputs=inputs)
        return
    yield from gatherer.at_end([path for path, times in files.opened.items() if "output" not in times], inputs)
    yield from map(facts.FactsPart, files.facts())


def finish(run: Run, error: BaseException | None) -> None:
    """Record the end of a run, with the exception that ended it.

    Its file is removed last: a process that is killed before leaves the run to its parent.
    """
    run.close()
    if run.observation is not None:
        run.observation.stop()
    if run.outbox is not None and run.gatherer is not None:
        run.gatherer.close()
        run.outbox.submit(functools.partial(_record_facts, run, functools.partial(_facts_at_end, run, run.gatherer)))
    exited_normally = isinstance(error, SystemExit) and error.code in {None, 0}
    if error is None or exited_normally:
        record_end(run, "finished")
    else:
        record_end(run, "failed", masking.value(f"{type(error).__name__}: {_first_line(error)}"))
    open_runs.remove(run.open_file)


def record_end(run: Run, state: RunState, error: str | None = None) -> None:
    """Record the final state of a run.

    Args:
        run: also one of another process.
        state: not ``running``.
        error: one line.
    """
    run.write_record("finish", state=state, error=error)


def _first_line(error: BaseException) -> str:
    try:
        return str(error).partition("\n")[0]
    except Exception:  # noqa: BLE001 - a __str__ of the app may do anything
        return ""


# -- a run of another process


def from_text(text: str | None) -> Run | None:
    """Return the run of another process that a text names; None when it names none.

    Raises:
        ValueError: the server in the text is not a valid address.
    """
    if text is None:
        return None
    fields = {name: values[0] for name, values in parse_qs(text).items()}
    if "without" in fields:
        return _PLACEHOLDERS.get(fields["without"])
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


def _reduce(run: Run) -> tuple[Callable[[str], Run], tuple[str]]:
    return run_from_pickle, (run.to_text(),)


@functools.lru_cache(maxsize=64)  # a worker gets many tasks of one run, whose edges it records once
def run_from_pickle(text: str) -> Run:
    """Return the run that a pickle names; one that cannot be joined is `UNKNOWN`, recorded as unattributed."""
    try:
        return from_text(text) or UNKNOWN
    except ValueError:
        return UNKNOWN


copyreg.pickle(Run, _reduce)  # another process records into the same run, through an outbox of its own
