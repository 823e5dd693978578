"""Which run a call belongs to.

First the context variable; then, where the context never held a run, the only run that is open in this process; then
the run that `AUTOFLOW_RUN` names. Never a run that is over, and never one of several by guess: such a call is
recorded in an implicit run that is marked unattributed. A call outside of every run is in the plain implicit run.

Nothing here is set around a `yield` of the app's: a context variable set inside a generator leaks to its consumer.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
from collections.abc import Iterator

from autoflow import settings
from autoflow.guard import guard
from autoflow.outbox import sender
from autoflow.process.forks import in_child
from autoflow.runtime import implicit
from autoflow.runtime.lifecycle import NO_RUN, SILENT, UNKNOWN, from_text, run_from_pickle
from autoflow.runtime.run import VARIABLE, Run, new_key

_ONLY = "&only=1"  # ends the text of a run that the environment names because no other is open

current: contextvars.ContextVar[Run | None] = contextvars.ContextVar("autoflow_run", default=None)
open_runs: list[Run] = []  # opened by `workflow` and not over, in a forked child also the parent's, outermost first
_published: str | None = None  # what `_publish` last left in the environment
_outside: str | None = None  # what stood there before
_inherited: tuple[str, Run] | None = None  # what the environment named when it was last asked for


def current_run() -> Run:
    """The run that a call made here and now is part of; never None."""
    run = current.get()
    if run is not None and run.active:
        return run
    if (run is NO_RUN or (run is None and not open_runs)) and (begun := implicit.outside()) is not None:
        return begun
    run = enclosing_run()
    if run.active or not (run is NO_RUN or run is UNKNOWN or run.is_over):
        return run
    if run is NO_RUN:
        return implicit.implicit_run()
    reason = f"the run {run.name or run.key!r} is over" if run is not UNKNOWN else "several runs are open"
    implicit.warn_unattributed(reason)
    return implicit.implicit_run(unattributed=True)


def enclosing_run() -> Run:
    """The run that work submitted here belongs to; begins none.

    Returns:
        A run, open or over; `NO_RUN` outside of every run; `UNKNOWN` where it could be one of several.
    """
    run = current.get()
    if run is not None:
        return run
    runs = _own()
    if len(runs) == 1:
        return runs[0]
    return UNKNOWN if runs else inherited()


def _own() -> list[Run]:
    """The runs that this process has open; in a forked child that opened none, those of its parent at the fork."""
    return [run for run in open_runs if run.active] or list(open_runs)


def inherited() -> Run:
    """The run of the process that started this one, as the environment names it; else `NO_RUN`."""
    global _inherited
    text = _outside if os.environ.get(VARIABLE) == _published else settings.run()
    if text is None:
        return NO_RUN
    if _inherited is None or _inherited[0] != text:
        run: Run | None = Run(None, new_key(), None)  # what is left when it names a server that is none
        with guard:
            run = from_text(text)
        _inherited = text, run or NO_RUN
    return _inherited[1]


def join(text: str | None) -> None:
    """Make the run that a text names the one that this process was started in; None: it was started outside of any."""
    if text is None:
        os.environ.pop(VARIABLE, None)
    else:
        os.environ[VARIABLE] = text


@contextlib.contextmanager
def use_run(run: Run) -> Iterator[None]:
    """Make a run the current one of this context for the time of a block."""
    token = current.set(run)
    try:
        yield
    finally:
        current.reset(token)


# -- opening and closing


def opened(run: Run) -> None:
    """Note that `workflow` opened a run."""
    open_runs.append(run)
    with guard:
        _publish()


def closed(run: Run) -> None:
    """Note that its block was left, in a forked child also that of the parent's run."""
    with contextlib.suppress(ValueError):
        open_runs.remove(run)
    with guard:
        _publish()


def leave(run: Run, token: contextvars.Token[Run | None]) -> None:
    """Put the context back to what it was before a run was opened.

    Code that follows the outermost block is outside of every run: it does not count as code that never was in one.
    """
    try:
        current.reset(token)
    except ValueError:  # closed in another context than it was opened in
        if current.get() is not run:
            return
        current.set(None)
    around = current.get()
    if around is None or (around.key and around.is_over):
        current.set(inherited())


def _publish() -> None:
    """Name the only open run in the environment, for children. Of several none is named."""
    global _published, _outside
    if (now := os.environ.get(VARIABLE)) != _published:
        _outside = now
    runs = _own()
    _published = _outside
    if runs and not runs[0].is_over:
        _published = runs[0].to_text() + _ONLY if len(runs) == 1 else None
    if _published is None:
        os.environ.pop(VARIABLE, None)
    else:
        os.environ[VARIABLE] = _published


def text_for_child(text: str | None) -> str | None:
    """The value of `AUTOFLOW_RUN` for a child that is started here.

    Args:
        text: its value in the environment that the app gives the child. A run that the app chose (`run.env()`) stays.
    """
    if text is not None and not text.endswith(_ONLY) and text != _outside:
        return text
    run = enclosing_run()
    return None if run is NO_RUN else run.to_text()


# -- forks and tests


@in_child
def _lend() -> None:
    for run in open_runs:
        run.lend()


def reset() -> None:
    """Start anew in this process, for tests."""
    global _inherited, _published, _outside
    implicit.reset()
    run_from_pickle.cache_clear()
    open_runs.clear()
    _inherited = _published = _outside = None
    current.set(None)


def _record_nothing() -> None:
    """Keep the sender's own thread out: a log handler or an instrumented HTTP client of the app's may record there,
    and what it records would be sent, and so on for ever.
    """
    current.set(SILENT)


sender.on_thread_start.append(_record_nothing)
