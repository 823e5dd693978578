"""Inference of the run that a call belongs to.

1. The context variable.
2. Where the context never held a run: the only run that is open in this process.
3. The run that `AUTOFLOW_RUN` names.

Never a run that is over, and never one of several by guess: such a call is recorded in an implicit run that is marked
unattributed. A call outside of every run is recorded in the plain implicit run.

No context variable is set around a `yield` of the app: one that is set inside a generator leaks to its consumer.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
from types import TracebackType

from autoflow import settings
from autoflow.guard import guard
from autoflow.outbox import sender
from autoflow.process.forks import in_child
from autoflow.runtime import implicit, observation
from autoflow.runtime.lifecycle import NO_RUN, SILENT, UNKNOWN, from_text, run_from_pickle
from autoflow.runtime.recorder import new_key
from autoflow.runtime.run import VARIABLE, Run

_ONLY = "&only=1"  # suffix of the text of a run that the environment names because no other is open

current: contextvars.ContextVar[Run | None] = contextvars.ContextVar("autoflow_run", default=None)
observation.run_of_context = current.get
open_runs: list[Run] = []  # opened by `workflow` and not over, in a forked child also the parent's; outermost first
_published: str | None = None  # the value that `_publish` last set in the environment
_outside: str | None = None  # the value it replaced
_inherited: tuple[str, Run] | None = None  # cache of `inherited_run`: the environment's value, and its run


def current_run() -> Run:
    """Return the run that a call made now is part of."""
    run = current.get()
    if run is not None and run.active:
        return run
    if (run is NO_RUN or (run is None and not open_runs)) and (plain := implicit.active_run()) is not None:
        return plain
    run = enclosing_run()
    if run.active or not (run is NO_RUN or run is UNKNOWN or run.is_over):
        return run
    if run is NO_RUN:
        return implicit.implicit_run()
    reason = f"the run {run.name or run.key!r} is over" if run is not UNKNOWN else "several runs are open"
    implicit.warn_unattributed(reason)
    return implicit.implicit_run(unattributed=True)


def enclosing_run() -> Run:
    """Return the run that work submitted here belongs to, without opening one.

    Returns:
        A run, open or over; `NO_RUN` outside of every run; `UNKNOWN` where it could be one of several.
    """
    run = current.get()
    if run is not None:
        return run
    runs = _own_runs()
    if len(runs) == 1:
        return runs[0]
    return UNKNOWN if runs else inherited_run()


def _own_runs() -> list[Run]:
    """Return the runs that this process has open; in a forked child that opened none, its parent's at the fork."""
    return [run for run in open_runs if run.active] or list(open_runs)


def inherited_run() -> Run:
    """Return the run of the process that started this one, as the environment names it; else `NO_RUN`."""
    global _inherited
    text = _outside if os.environ.get(VARIABLE) == _published else settings.run()
    if text is None:
        return NO_RUN
    if _inherited is None or _inherited[0] != text:
        run: Run | None = Run(None, new_key(), None)  # records nothing: the fallback when it names an invalid server
        with guard:
            run = from_text(text)
        _inherited = text, run or NO_RUN
    return _inherited[1]


def join(text: str | None) -> None:
    """Set the run that this process was started in, by its text; None: it was started outside of any."""
    if text is None:
        os.environ.pop(VARIABLE, None)
    else:
        os.environ[VARIABLE] = text


class RunScope:
    """Context manager that makes a run the current one of this context; reusable, but not nested in itself."""

    __slots__ = ("_run", "_token")

    def __init__(self, run: Run) -> None:
        self._run = run

    def __enter__(self) -> None:
        self._token = current.set(self._run)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        current.reset(self._token)


# -- opening and closing


def add_open_run(run: Run) -> None:
    """Register a run that `workflow` opened."""
    open_runs.append(run)
    with guard:
        _publish()


def remove_open_run(run: Run) -> None:
    """Unregister a run whose block was left; in a forked child also the parent's."""
    with contextlib.suppress(ValueError):
        open_runs.remove(run)
    with guard:
        _publish()


def restore(run: Run, token: contextvars.Token[Run | None]) -> None:
    """Restore the context to its state before a run was opened.

    Code after the outermost block is outside of every run, unlike code whose context never held a run.
    """
    try:
        current.reset(token)
    except ValueError:  # closed in another context than it was opened in
        if current.get() is not run:
            return
        current.set(None)
    enclosing = current.get()
    if enclosing is None or (enclosing.key and enclosing.is_over):
        current.set(inherited_run())


def _publish() -> None:
    """Name the open run in the environment, for children; with several open, name none."""
    global _published, _outside
    if (now := os.environ.get(VARIABLE)) != _published:
        _outside = now
    runs = _own_runs()
    _published = _outside
    if runs and not runs[0].is_over:
        _published = runs[0].to_text() + _ONLY if len(runs) == 1 else None
    if _published is None:
        os.environ.pop(VARIABLE, None)
    else:
        os.environ[VARIABLE] = _published


def text_for_child(text: str | None) -> str | None:
    """Return the value of `AUTOFLOW_RUN` for a child that is started here.

    Args:
        text: its value in the environment that the app passes to the child; a run that the app chose (`run.env()`)
            stays.
    """
    if text is not None and not text.endswith(_ONLY) and text != _outside:
        return text
    run = enclosing_run()
    return None if run is NO_RUN else run.to_text()


# -- forks and tests


@in_child
def _release_to_parent() -> None:
    for run in open_runs:
        run.release_to_parent()


def reset() -> None:
    """Reset the state of this process, for tests."""
    global _inherited, _published, _outside
    implicit.reset()
    run_from_pickle.cache_clear()
    open_runs.clear()
    _inherited = _published = _outside = None
    current.set(None)


def _record_nothing() -> None:
    """Exclude the sender's own thread.

    A log handler or an instrumented HTTP client of the app may record there; its records would be sent, and cause more.
    """
    current.set(SILENT)


sender.on_thread_start.append(_record_nothing)
