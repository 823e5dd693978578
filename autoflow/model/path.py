"""Paths into the arguments and the result of a call: ``state.weightsPath``, ``result[0].id``, ``result[*]``.

A step is an attribute, else a mapping's key, else an index. ``[*]`` fans out: what follows applies to each item.
A path that ends nowhere gives None; whoever follows it may ask to be told where.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from autoflow.guard import guard

_NAME = r"[^\W\d]\w*"
_PATH = re.compile(rf"({_NAME})((?:\.\w+|\[[^\]\[]+\])*)")
_STEP = re.compile(r"\.(\w+)|\[([^\]\[]+)\]")


class Fan(NamedTuple):
    """The step ``[*]``."""


Step = str | int | Fan
Missing = Callable[[Any, Step], object]  # called with a value and the step that it does not have
_NOWHERE = object()


class Path(NamedTuple):
    """A root name and the steps from it."""

    root: str
    steps: tuple[Step, ...] = ()

    def follow(self, start: Any, missing: Missing | None = None) -> Any:
        """Go all steps from the value of the root; a list when a step fans out, None when it ends nowhere.

        Args:
            start: the value of the root.
            missing: called where the path ends nowhere; not for a step from None or from what is empty.
        """
        return _follow(start, self.steps, missing)

    def __str__(self) -> str:
        shown = self.root
        for step in self.steps:
            shown += "[*]" if isinstance(step, Fan) else f"[{step}]" if isinstance(step, int) else f".{step}"
        return shown


def parse(text: str) -> Path:
    """Read a path.

    Raises:
        ValueError: the text is none.
    """
    match = _PATH.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"{text!r} is no path; write a parameter's name and steps, as in state.items[0].id or result[*]"
        )
    steps: list[Step] = []
    for name, index in _STEP.findall(match[2]):
        if name:
            steps.append(name)
        elif index.strip() == "*":
            steps.append(Fan())
        elif re.fullmatch(r"-?\d+", index.strip()):
            steps.append(int(index))
        else:
            steps.append(index.strip().strip("'\""))
    return Path(match[1], tuple(steps))


def _follow(value: Any, steps: tuple[Step, ...], missing: Missing | None) -> Any:
    for position, step in enumerate(steps):
        if value is None:
            return None
        if isinstance(step, Fan):
            return _fan(value, steps[position + 1 :], missing)
        reached = _step(value, step)
        if reached is _NOWHERE:
            if missing is not None and not _is_empty(value):
                missing(value, step)
            return None
        value = reached
    return value


def _is_empty(value: Any) -> bool:
    return isinstance(value, str | list | tuple | dict | set | frozenset) and not value


def _fan(value: Any, rest: tuple[Step, ...], missing: Missing | None) -> list[Any] | None:
    if isinstance(value, Mapping):
        value = value.values()
    if isinstance(value, str | bytes | Iterator) or not isinstance(value, Iterable):
        if missing is not None and not _is_empty(value):
            missing(value, Fan())  # an iterator is the app's to use up
        return None
    found: list[Any] = []
    for item in value:
        inner = None
        with guard:  # an item whose attribute raises never costs its siblings
            inner = _follow(item, rest, missing)
        if isinstance(inner, list) and any(isinstance(step, Fan) for step in rest):
            found += inner
        else:
            found.append(inner)
    return found


def _step(value: Any, step: str | int) -> Any:
    if isinstance(step, str):
        found = getattr(value, step, _NOWHERE)
        if isinstance(value, Mapping) and step in value and (found is _NOWHERE or callable(found)):
            return value[step]  # a mapping's own methods (items, keys, ...) are never what a path means
        if found is not _NOWHERE or not step.isdecimal():
            return found
    try:
        return value[step]
    except (LookupError, TypeError):
        pass
    try:
        return value[int(step)] if isinstance(step, str) else value[str(step)]
    except (LookupError, TypeError, ValueError):
        return _NOWHERE
