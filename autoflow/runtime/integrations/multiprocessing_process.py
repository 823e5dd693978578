"""`multiprocessing.Process`: a child belongs to the run that started it, also one that a fork server forks."""

from __future__ import annotations

from typing import Any

from autoflow.runtime.context import enclosing, join
from autoflow.runtime.integrations import patching

_ATTRIBUTE = "_autoflow_run"


def install(process: Any) -> None:
    """Have `start` pickle the run with the process object."""
    patching.around(process.BaseProcess, "start", _start)


class _Membership:
    """Stands in a process object while it is pickled; unpickling it joins the run, in the child."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __reduce__(self) -> Any:
        return join, (self._text,)


def _start(original: Any, process: Any, *args: Any, **kwargs: Any) -> Any:
    vars(process)[_ATTRIBUTE] = _Membership(enclosing().to_text())
    try:
        return original(process, *args, **kwargs)
    finally:
        vars(process).pop(_ATTRIBUTE, None)
