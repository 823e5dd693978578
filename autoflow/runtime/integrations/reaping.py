"""Reaped child processes: the runs that they left open end as ``ended`` or ``failed``, not as ``lost``.

A child ends its runs itself if it can. One that called `os._exit`, or that this process terminated (as a pool does with
its workers), cannot. The runs of a child that another process killed stay ``lost``.
"""

from __future__ import annotations

import signal
from typing import Any

from autoflow.guard import guard
from autoflow.outbox import open_runs
from autoflow.runtime import lifecycle
from autoflow.runtime.integrations import patching

_SIGNALS = "_autoflow_signals"  # signals sent through the object


def install(popen: Any) -> None:
    """Watch the exit status of a process of `multiprocessing`, and the signals sent through its object."""
    if "_send_signal" in vars(popen.Popen):
        patching.wrap(popen.Popen, "_send_signal", send_signal)
    elif "terminate" in vars(popen.Popen):  # loky's
        patching.wrap(popen.Popen, "terminate", _terminate)
    patching.wrap(popen.Popen, "poll", poll)


def send_signal(original: Any, popen: Any, sig: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a method that sends the child a signal."""
    expect_signal(popen, sig)
    return original(popen, sig, *args, **kwargs)


def expect_signal(popen: Any, sig: int) -> None:
    """Register that this process ends a child with a signal."""
    with guard:
        if popen is not None:
            vars(popen).setdefault(_SIGNALS, set()).add(sig)


def _terminate(original: Any, popen: Any, *args: Any, **kwargs: Any) -> Any:
    expect_signal(popen, signal.SIGTERM)
    return original(popen, *args, **kwargs)


def poll(original: Any, popen: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a method that may set the child's `returncode`."""
    before = popen.returncode
    result = original(popen, *args, **kwargs)
    if before is None and popen.returncode is not None:
        with guard:
            status = popen.returncode
            if status >= 0 or -status in vars(popen).get(_SIGNALS, ()):
                _end(popen.pid, status)
    return result


def _end(pid: int, status: int) -> None:
    """Record the end of the runs that a process left open."""
    for entry in open_runs.opened_by(pid):
        run = lifecycle.from_text(entry.run)
        if run is not None and status > 0:
            lifecycle.record_end(run, "failed", f"exit status {status}")
        elif run is not None:
            lifecycle.record_end(run, "ended")
        open_runs.remove(entry.path)
