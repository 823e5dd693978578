"""`ThreadPoolExecutor`, and so `asyncio`'s ``run_in_executor``: a task belongs to the run that submitted it.

The run is kept with the executor's work item, not around the function: the app sees its own function and traceback.
"""

from __future__ import annotations

from typing import Any

from autoflow.guard import guard
from autoflow.runtime.context import RunScope, enclosing_run
from autoflow.runtime.integrations import patching

_ATTRIBUTE = "_autoflow_run"


def install(thread: Any) -> None:
    """Keep the run with each work item, which is made in the submitter's context."""
    patching.around(thread._WorkItem, "__init__", _submitted)
    patching.around(thread._WorkItem, "run", _run)


def _submitted(original: Any, item: Any, *args: Any, **kwargs: Any) -> None:
    original(item, *args, **kwargs)
    with guard:
        vars(item)[_ATTRIBUTE] = enclosing_run()


def _run(original: Any, item: Any, *args: Any, **kwargs: Any) -> Any:
    run = vars(item).pop(_ATTRIBUTE, None)
    if run is None:
        return original(item, *args, **kwargs)
    with RunScope(run):
        return original(item, *args, **kwargs)
