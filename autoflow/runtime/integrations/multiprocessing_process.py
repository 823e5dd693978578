"""`multiprocessing.Process`: a child belongs to the run that started it, also one that a fork server forks."""

from __future__ import annotations

from typing import Any

from autoflow.guard import guard
from autoflow.runtime.context import join, text_for_child
from autoflow.runtime.integrations import patching

_ATTRIBUTE = "_autoflow_run"


def install(process: Any) -> None:
    """Have `start` pickle the run with the process object."""
    patching.around(process.BaseProcess, "start", _start)


class _Membership:
    """Stands in a process object while it is pickled; unpickling it joins the run, in the child."""

    def __init__(self, text: str | None) -> None:
        self._text = text

    def __reduce__(self) -> Any:
        return join, (self._text,)


def _start(original: Any, process: Any, *args: Any, **kwargs: Any) -> Any:
    with guard:
        vars(process)[_ATTRIBUTE] = _Membership(text_for_child(None))
    try:
        return original(process, *args, **kwargs)
    finally:
        vars(process).pop(_ATTRIBUTE, None)
