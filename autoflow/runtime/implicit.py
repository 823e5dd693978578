"""Implicit runs: one a process for code outside of every run, and one, marked unattributed, for records that could not
be attributed to the run that caused them.
"""

from __future__ import annotations

import logging
import sys

from autoflow.guard import guard
from autoflow.outbox import outbox
from autoflow.process.forks import ProcessLock, in_child
from autoflow.runtime import app_name, integrations, lifecycle
from autoflow.runtime.recorder import new_key
from autoflow.runtime.run import Run

logger = logging.getLogger("autoflow")

_runs: dict[bool, Run] = {}  # by whether the run is unattributed
_starting: dict[bool, Run] = {}  # those that are being started
_start_lock = ProcessLock()
_warned = False


def active_run() -> Run | None:
    """Return the plain implicit run of this process; None while it is not open."""
    run = _runs.get(False)
    return run if run is not None and run.active else None


def implicit_run(*, unattributed: bool = False) -> Run:
    """Return the implicit run of this process, started at its first record; a forked child shares its parent's."""
    run = _runs.get(unattributed)
    if run is not None and (run.active or not run.is_over):
        return run
    with _start_lock:
        run = _runs.get(unattributed)
        if run is None or run.is_over:
            run = _starting.get(unattributed) or _start(unattributed)
        return run


def _start(unattributed: bool) -> Run:
    """Start an implicit run. A signal handler that records in the meantime gets the same run."""
    run = Run(None, new_key(), None)  # records nothing: the fallback when anything below fails
    with guard:
        run = lifecycle.create(app_name.app_name())
        existing = _runs.get(unattributed)
        if existing is not None and not existing.is_over:
            return existing
        if (starting := _starting.setdefault(unattributed, run)) is not run:
            return starting
        try:
            lifecycle.announce(run, unattributed=unattributed)
        finally:
            _runs[unattributed] = run
            _starting.pop(unattributed, None)
        _finish_at_process_end()
        integrations.install_all()
    _runs[unattributed] = run
    return run


def warn_unattributed(reason: str) -> None:
    """Log once a process that records could not be attributed, and the remedy."""
    global _warned
    if _warned:
        return
    _warned = True
    logger.warning(
        "autoflow: %s, so a call cannot be attributed to the run that caused it: its records go to a run of their own, "
        "marked unattributed. Submit work with propagate(fn), or open workflow() inside the worker",
        reason,
    )


def finish_all(error: BaseException | None = None) -> None:
    """Record the end of the implicit runs that this process started, at its orderly exit.

    Args:
        error: the exception that ended the app, if any.
    """
    for run in list(_runs.values()):
        if run.active:
            with guard:
                lifecycle.finish(run, error)


def _finish_at_process_end() -> None:
    """Finish the implicit runs at exit; workers of `multiprocessing` run no `atexit` before Python 3.13."""
    outbox.before_exit(_finish_at_exit)
    process, util = (sys.modules.get(f"multiprocessing.{name}") for name in ("process", "util"))
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(None, _finish_worker, exitpriority=-1000)


def _finish_at_exit() -> None:
    finish_all(getattr(sys, "last_value", None))  # the exception that the interpreter printed, when one ended the app


def _finish_worker() -> None:
    finish_all(sys.exc_info()[1])


def reset() -> None:
    """Reset the state of this process, for tests."""
    global _warned
    _runs.clear()
    _starting.clear()
    _warned = False


@in_child
def _release_to_parent() -> None:
    _starting.clear()
    for run in _runs.values():
        run.release_to_parent()
