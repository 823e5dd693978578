"""Threads: a `threading.Thread` belongs to the run that started it, a task of a `ThreadPoolExecutor` (and so of
`asyncio`'s ``run_in_executor``) to the run that submitted it.

The run is an attribute of the thread or of the executor's work item, not a wrapper of the function: the app sees its
own function and traceback.
"""

from __future__ import annotations

from typing import Any

from autoflow.guard import guard
from autoflow.runtime.context import RunScope, current, enclosing_run
from autoflow.runtime.integrations import patching
from autoflow.runtime.lifecycle import NO_RUN

_ATTRIBUTE = "_autoflow_run"


def install_threads(threading: Any) -> None:
    """Carry the run from `start` into the new thread's context, before its `run`."""
    patching.wrap(threading.Thread, "start", _start_thread)
    patching.wrap(threading.Thread, "_bootstrap_inner", _run_thread)


def install_thread_pool(thread: Any) -> None:
    """Attach the run to each work item, which is created in the submitter's context."""
    patching.wrap(thread._WorkItem, "__init__", _create_item)
    patching.wrap(thread._WorkItem, "run", _run_item)


def _start_thread(original: Any, thread: Any, *args: Any, **kwargs: Any) -> Any:
    with guard:
        run = current.get()
        if run is not None and run is not NO_RUN:
            vars(thread)[_ATTRIBUTE] = run
    try:
        return original(thread, *args, **kwargs)
    except BaseException:  # no thread was started
        vars(thread).pop(_ATTRIBUTE, None)
        raise


def _run_thread(original: Any, thread: Any, *args: Any, **kwargs: Any) -> Any:
    run = vars(thread).pop(_ATTRIBUTE, None)
    if run is not None:
        current.set(run)
    return original(thread, *args, **kwargs)


def _create_item(original: Any, item: Any, *args: Any, **kwargs: Any) -> None:
    original(item, *args, **kwargs)
    with guard:
        vars(item)[_ATTRIBUTE] = enclosing_run()


def _run_item(original: Any, item: Any, *args: Any, **kwargs: Any) -> Any:
    run = vars(item).pop(_ATTRIBUTE, None)
    if run is None:
        return original(item, *args, **kwargs)
    with RunScope(run):
        return original(item, *args, **kwargs)
