"""The call, as selectors and callables see it: its parameters as attributes, and `result`, `value`, `task_id`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from autoflow.model.path import Path

if TYPE_CHECKING:
    from autoflow.runtime.run import Run

RESERVED = ("result", "value", "item", "task_id", "team_id", "app_id", "args")  # the attributes of a `Call`
_UNSET = object()


class ResultPending(Exception):
    """The result was asked for before there is one: the edge is put off until after the body."""


class Call:
    """One call of a decorated function, or one imperative `run.input` / `run.output`.

    Parameters are attributes. The words `result`, `value`, `item` and `task_id` win over parameters of the same
    name; ``call.args.task_id`` reaches the parameter.
    """

    __slots__ = ("_arguments", "_result", "_run", "item", "value")

    def __init__(self, run: Run, arguments: Mapping[str, Any] | Callable[[], Mapping[str, Any]]) -> None:
        self._run = run
        self._arguments = arguments
        self._result: Any = _UNSET
        self.value: Any = None
        self.item: Any = None

    @property
    def result(self) -> Any:
        """What the function returned.

        Raises:
            ResultPending: it has not yet.
        """
        if self._result is _UNSET:
            raise ResultPending
        return self._result

    @result.setter
    def result(self, result: Any) -> None:
        self._result = result

    @property
    def task_id(self) -> int | None:
        """The number of the run's task, None while it is not known."""
        return self._run.task_id

    @property
    def team_id(self) -> None:
        """Known to the sender only."""

    @property
    def app_id(self) -> None:
        """Known to the sender only."""

    @property
    def args(self) -> SimpleNamespace:
        """The parameters alone."""
        return SimpleNamespace(**parameters_of(self))

    def __getattr__(self, name: str) -> Any:
        parameters = parameters_of(self)
        if name not in parameters:
            raise AttributeError(f"the call has no parameter {name!r}; it has {', '.join(parameters)}")
        return parameters[name]


# What autoflow asks of a call is no attribute of it: attributes are the author's parameters.


def run_of(call: Call) -> Run:
    """The run a call is part of."""
    return call._run


def parameters_of(call: Call) -> Mapping[str, Any]:
    """A call's parameters by name, defaults included; worked out when first needed."""
    found = call._arguments
    if callable(found):
        found = call._arguments = found()
    return found


def getter(path: Path) -> Callable[[Call], Any]:
    """A function that gives the value at a path of a call, None when it ends nowhere.

    It raises `ResultPending` when the path starts at the result, and there is none yet.
    """
    root, steps = path.root, path.steps
    if root in RESERVED:
        start = operator.attrgetter(root)
        return (lambda call: path.follow(start(call))) if steps else start
    if not steps:
        return lambda call: parameters_of(call).get(root)
    return lambda call: path.follow(parameters_of(call).get(root))
