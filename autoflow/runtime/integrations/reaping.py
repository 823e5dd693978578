"""Children that their parent ended or reaped: the runs they left open end as ``ended`` or ``failed``, not as lost.

A child ends its runs by itself where it can. One that left by `os._exit`, or that this process terminated (as a pool
does with its workers), cannot. A child that somebody else killed stays ``lost``.
"""

from __future__ import annotations

import signal
from typing import Any

from autoflow.guard import guard
from autoflow.outbox import open_runs
from autoflow.runtime import lifecycle
from autoflow.runtime.integrations import patching

_SIGNALS = "_autoflow_signals"  # sent through the object


def install(popen: Any) -> None:
    """Watch for the exit status of a process of `multiprocessing`, and for signals sent through its object."""
    if "_send_signal" in vars(popen.Popen):
        patching.around(popen.Popen, "_send_signal", signalled)
    elif "terminate" in vars(popen.Popen):  # loky's
        patching.around(popen.Popen, "terminate", _terminated)
    patching.around(popen.Popen, "poll", reaped)


def signalled(original: Any, popen: Any, sig: Any, *args: Any, **kwargs: Any) -> Any:
    """Around a method that sends the child a signal."""
    expect(popen, sig)
    return original(popen, sig, *args, **kwargs)


def expect(popen: Any, sig: int) -> None:
    """Note that the app, or a library of its own, ends a child with a signal."""
    with guard:
        if popen is not None:
            vars(popen).setdefault(_SIGNALS, set()).add(sig)


def _terminated(original: Any, popen: Any, *args: Any, **kwargs: Any) -> Any:
    expect(popen, signal.SIGTERM)
    return original(popen, *args, **kwargs)


def reaped(original: Any, popen: Any, *args: Any, **kwargs: Any) -> Any:
    """Around a method that may set the child's `returncode`."""
    before = popen.returncode
    result = original(popen, *args, **kwargs)
    if before is None and popen.returncode is not None:
        with guard:
            status = popen.returncode
            if status >= 0 or -status in vars(popen).get(_SIGNALS, ()):
                _end(popen.pid, status)
    return result


def _end(pid: int, status: int) -> None:
    for left in open_runs.opened_by(pid):
        run = lifecycle.from_text(left.run)
        if run is not None and status > 0:
            lifecycle.record_end(run, "failed", f"exit status {status}")
        elif run is not None:
            lifecycle.record_end(run, "ended")
        open_runs.remove(left.path)
