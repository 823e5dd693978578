"""The runs that nobody opened: one a process for code outside of every run, and one, marked unattributed, for records
of which it is not known what run caused them.
"""

from __future__ import annotations

import logging
import sys

from autoflow.guard import guard
from autoflow.outbox import outbox
from autoflow.process.forks import ProcessLock, in_child
from autoflow.runtime import app_name, integrations, lifecycle
from autoflow.runtime.run import Run, new_key

logger = logging.getLogger("autoflow")

_runs: dict[bool, Run] = {}  # by whether the run is unattributed
_starting: dict[bool, Run] = {}  # while one is being made
_making = ProcessLock()
_warned = False


def outside() -> Run | None:
    """The plain implicit run of this process, if it has begun."""
    run = _runs.get(False)
    return run if run is not None and run.active else None


def implicit_run(*, unattributed: bool = False) -> Run:
    """The implicit run of this process, begun at its first record. A forked child shares its parent's."""
    run = _runs.get(unattributed)
    if run is not None and (run.active or not run.is_over):
        return run
    with _making:
        run = _runs.get(unattributed)
        if run is None or run.is_over:
            run = _starting.get(unattributed) or _begin(unattributed)
        return run


def _begin(unattributed: bool) -> Run:
    """Begin one. A signal handler of the app's may record in the midst of this, and is then in the same run."""
    run = Run(None, new_key(), None)  # what is left when the environment names no server
    with guard:
        run = lifecycle.create(app_name.app_name())
        before = _runs.get(unattributed)
        if before is not None and not before.is_over:
            return before
        if (begun := _starting.setdefault(unattributed, run)) is not run:
            return begun
        try:
            lifecycle.announce(run, unattributed=unattributed)
        finally:
            _runs[unattributed] = run
            _starting.pop(unattributed, None)
        _finish_when_leaving()
        integrations.switch_on()
    _runs[unattributed] = run
    return run


def warn_unattributed(reason: str) -> None:
    """Say once a process that records could not be attributed, and the remedy."""
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
    """Record the end of the implicit runs that this process began: it leaves in good order.

    Args:
        error: what ended the app, if something did.
    """
    for run in list(_runs.values()):
        if run.active:
            with guard:
                lifecycle.finish(run, error)


def _finish_when_leaving() -> None:
    """Have the implicit runs finished when the process leaves; workers of `multiprocessing` run no `atexit` by 3.12."""
    outbox.before_exit(_finish_at_exit)
    process, util = (sys.modules.get(f"multiprocessing.{name}") for name in ("process", "util"))
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(None, _finish_worker, exitpriority=-1000)


def _finish_at_exit() -> None:
    finish_all(getattr(sys, "last_value", None))  # what the interpreter printed, if that ended the app


def _finish_worker() -> None:
    finish_all(sys.exc_info()[1])


def reset() -> None:
    """Start anew in this process, for tests."""
    global _warned
    _runs.clear()
    _starting.clear()
    _warned = False


@in_child
def _lend() -> None:
    _starting.clear()
    for run in _runs.values():
        run.lend()
