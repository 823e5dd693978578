"""Which run is this: the context's, else the process's outermost open one, else the one the environment names,
else one implicit run a process.

Nothing here is set around a `yield` of the app's: a context variable set inside a generator leaks to its consumer.
"""

from __future__ import annotations

import contextlib
import contextvars
import copyreg
import functools
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode

from autoflow import settings
from autoflow.forks import ProcessLock
from autoflow.guard import guard
from autoflow.model.run import RunFacts
from autoflow.outbox import outbox, sender
from autoflow.runtime import destination, facts, inference, masking
from autoflow.runtime.run import Run, new_key

VARIABLE = "AUTOFLOW_RUN"

current: contextvars.ContextVar[Run | None] = contextvars.ContextVar("autoflow_run", default=None)
open_runs: list[Run] = []  # of this process, outermost first
outside: str | None = None  # what the environment said before any of them was open
_implicit: Run | None = None
_implicit_pid = 0  # a forked child has its parent's implicit run and must not close it
_starting: Run | None = None  # the implicit run, while it is being made
_making = ProcessLock()

F = TypeVar("F", bound=Callable[..., Any])


def current_run() -> Run:
    """The run that a call made here and now is part of; never None."""
    run = current.get()
    if run is not None:
        return run
    if open_runs:
        with contextlib.suppress(IndexError):  # another thread may just have closed it
            return open_runs[0]
    return _implicit or _make_implicit()


def _make_implicit() -> Run:
    """The run of a process in which nobody opened one, or the parent's run that it was spawned in."""
    global _implicit, _implicit_pid
    with _making:
        if _implicit is None:
            if _starting is not None and _implicit_pid == os.getpid():
                return _starting
            _implicit_pid = os.getpid()
            found = _begin_implicit()
            _implicit = _implicit or found
        return _implicit


def _begin_implicit() -> Run:
    """Begin it. A signal handler of the app's may record in the midst of this, and then has begun it."""
    global _starting
    found = Run(None, new_key(), None)  # what is left when the environment says nonsense
    with guard:
        joined = _joined(settings.run())
        found = joined or _new(inference.script_name())
        if _implicit is None and joined is None:
            _starting = found
            try:
                _announce(found)
            finally:
                _starting = None
            outbox.before_exit(_close_implicit)
    return found


def _close_implicit() -> None:
    if _implicit is not None and _implicit_pid == os.getpid():
        finish(_implicit, getattr(sys, "last_value", None))  # what the interpreter printed, if that ended the app


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
    run = _new(name, **known)
    _announce(run, parameters, parent)
    return run


def _new(
    name: str,
    *,
    task_id: Any = None,
    api: Any = None,
    server: str | None = None,
    team_id: int | None = None,
    workspace_id: int | None = None,
) -> Run:
    where = destination.resolve(server)
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


def _announce(run: Run, parameters: Any = None, parent: Run | None = None) -> None:
    known = facts.at_once(parameters)
    members = {**known, "name": run.name, "parent": parent.key if parent is not None else None}
    run.about("run", **members)
    if run.outbox is not None:
        run.outbox.later(functools.partial(_gather, run, known))


def _gather(run: Run, known: RunFacts) -> None:
    run.about("facts", facts=facts.gathered(known))


def finish(run: Run, error: BaseException | None) -> None:
    """Record that a run ended, and how."""
    leaving_well = isinstance(error, SystemExit) and error.code in {None, 0}
    if error is None or leaving_well:
        run.about("finish", state="finished", error=None)
        return
    run.about("finish", state="failed", error=masking.value(f"{type(error).__name__}: {_first_line(error)}"))


def _first_line(error: BaseException) -> str:
    try:
        return str(error).partition("\n")[0]
    except Exception:  # noqa: BLE001 - a __str__ of the app's may do anything
        return ""


# -- other processes and threads


def to_environment(run: Run) -> str:
    """How a child process learns of a run."""
    known = {"key": run.key, "name": run.name, "task": run.given_task, "origin": run.origin}
    known["server"] = run.outbox.address if run.outbox is not None else destination.OFF
    return urlencode({name: value for name, value in known.items() if value})


def _joined(text: str | None) -> Run | None:
    """The run that the environment names; None when it names none or cannot be read."""
    if text is None:
        return None
    found = {name: values[0] for name, values in parse_qs(text).items()}
    if "key" not in found:
        return None
    task = found.get("task", "")
    return Run(
        destination.outbox_for(destination.resolve(found.get("server"))),
        found["key"],
        found.get("name"),
        task=int(task) if task.isdecimal() else None,
        origin=found.get("origin", ""),
    )


def _reduced(run: Run) -> tuple[Callable[[str], Run], tuple[str]]:
    return _rejoined, (to_environment(run),)


def _rejoined(text: str) -> Run:
    return _joined(text) or current_run()


copyreg.pickle(Run, _reduced)  # another process records into the same run, through an outbox of its own


def _record_nothing() -> None:
    """Keep the sender's own thread out: a log handler or an instrumented HTTP client of the app's may record there,
    and what it records would be sent, and so on for ever.
    """
    current.set(Run(None, "", None))


sender.on_thread_start.append(_record_nothing)


def propagate(fn: F) -> F:
    """Carry the current run into a thread pool or a process pool: ``pool.submit(propagate(work), item)``.

    Threads of a pool see the process's outermost run without it; it is needed when several runs are open at once.
    The wrapped function pickles if `fn` does; in another process it records into the same run.
    """
    return functools.wraps(fn, updated=())(Propagated(fn, current_run()))  # type: ignore[return-value]


class Propagated:
    """A function together with the run it belongs to."""

    def __init__(self, fn: Callable[..., Any], run: Run) -> None:
        self._fn = fn
        self._run = run

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function as part of the run."""
        token = current.set(self._run)
        try:
            return self._fn(*args, **kwargs)
        finally:
            current.reset(token)

    def __reduce__(self) -> Any:
        return _unpickled, (self._fn, to_environment(self._run))


def _unpickled(fn: Callable[..., Any], text: str) -> Callable[..., Any]:
    run = _joined(text)
    return fn if run is None else Propagated(fn, run)


def forget() -> None:
    """Start anew in this process, for tests."""
    global _implicit, _starting
    _implicit = _starting = None
    open_runs.clear()
    current.set(None)
