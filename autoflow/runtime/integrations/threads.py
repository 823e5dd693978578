"""`threading.Thread`: a thread belongs to the run that started it."""

from __future__ import annotations

from typing import Any

from autoflow.guard import guard
from autoflow.runtime.context import current
from autoflow.runtime.integrations import patching
from autoflow.runtime.lifecycle import NO_RUN

_ATTRIBUTE = "_autoflow_run"


def install(threading: Any) -> None:
    """Carry the run from `start` into the new thread's context, before its `run`."""
    patching.around(threading.Thread, "start", _start)
    patching.around(threading.Thread, "_bootstrap_inner", _begin)


def _start(original: Any, thread: Any, *args: Any, **kwargs: Any) -> Any:
    with guard:
        run = current.get()
        if run is not None and run is not NO_RUN:
            vars(thread)[_ATTRIBUTE] = run
    try:
        return original(thread, *args, **kwargs)
    except BaseException:  # no thread was started
        vars(thread).pop(_ATTRIBUTE, None)
        raise


def _begin(original: Any, thread: Any, *args: Any, **kwargs: Any) -> Any:
    run = vars(thread).pop(_ATTRIBUTE, None)
    if run is not None:
        current.set(run)
    return original(thread, *args, **kwargs)
