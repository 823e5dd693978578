"""Paths into the arguments and the result of a call: ``state.weightsPath``, ``result[0].id``, ``result[*]``.

A step is an attribute, else a key of a mapping, else an index. ``[*]`` applies the rest of the path to each item. A
path that leads nowhere gives None; a callback can report the step that failed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from autoflow.guard import guard

_NAME = r"[^\W\d]\w*"
_PATH = re.compile(rf"({_NAME})((?:\.\w+|\[[^\]\[]+\])*)")
_STEP = re.compile(r"\.(\w+)|\[([^\]\[]+)\]")


class Wildcard(NamedTuple):
    """The step ``[*]``."""


PathStep = str | int | Wildcard
OnMissing = Callable[[Any, PathStep], object]  # called with a value and the step that it does not have
_MISSING = object()


class Path(NamedTuple):
    """A root name and the steps from it."""

    root: str
    steps: tuple[PathStep, ...] = ()

    def follow(self, start: Any, missing: OnMissing | None = None) -> Any:
        """Return the value at the end of the path: a list if a step is a wildcard, None if the path leads nowhere.

        Args:
            start: the value of the root.
            missing: called where the path leads nowhere, except at a step from None or from an empty collection.
        """
        return _follow(start, self.steps, missing)

    def __str__(self) -> str:
        text = self.root
        for step in self.steps:
            text += "[*]" if isinstance(step, Wildcard) else f"[{step}]" if isinstance(step, int) else f".{step}"
        return text


def parse(text: str) -> Path:
    """Parse a path.

    Raises:
        ValueError: the text is not a path.
    """
    match = _PATH.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"{text!r} is not a path; write a parameter's name and steps, as in state.items[0].id or result[*]"
        )
    steps: list[PathStep] = []
    for name, index in _STEP.findall(match[2]):
        if name:
            steps.append(name)
        elif index.strip() == "*":
            steps.append(Wildcard())
        elif re.fullmatch(r"-?\d+", index.strip()):
            steps.append(int(index))
        else:
            steps.append(index.strip().strip("'\""))
    return Path(match[1], tuple(steps))


def _follow(value: Any, steps: tuple[PathStep, ...], missing: OnMissing | None) -> Any:
    for position, step in enumerate(steps):
        if value is None:
            return None
        if isinstance(step, Wildcard):
            return _follow_each(value, steps[position + 1 :], missing)
        next_value = _take_step(value, step)
        if next_value is _MISSING:
            if missing is not None and not _is_empty(value):
                missing(value, step)
            return None
        value = next_value
    return value


def _is_empty(value: Any) -> bool:
    return isinstance(value, str | list | tuple | dict | set | frozenset) and not value


def _follow_each(value: Any, rest: tuple[PathStep, ...], missing: OnMissing | None) -> list[Any] | None:
    """Return the values at the end of the path from each item, flattened if the rest has wildcards too."""
    if isinstance(value, Mapping):
        value = value.values()
    if isinstance(value, str | bytes | Iterator) or not isinstance(value, Iterable):
        if missing is not None and not _is_empty(value):
            missing(value, Wildcard())  # an iterator is left alone: only the app may consume it
        return None
    results: list[Any] = []
    for item in value:
        item_result = None
        with guard:  # an item whose attribute raises does not affect the others
            item_result = _follow(item, rest, missing)
        if isinstance(item_result, list) and any(isinstance(step, Wildcard) for step in rest):
            results += item_result
        else:
            results.append(item_result)
    return results


def _take_step(value: Any, step: str | int) -> Any:
    """Return the attribute, item or element that a step names, else `_MISSING`."""
    if isinstance(step, str):
        attribute = getattr(value, step, _MISSING)
        if isinstance(value, Mapping) and step in value and (attribute is _MISSING or callable(attribute)):
            return value[step]  # a path never means a mapping's own methods, such as items or keys
        if attribute is not _MISSING or not step.isdecimal():
            return attribute
    try:
        return value[step]
    except (LookupError, TypeError):
        pass
    try:
        return value[int(step)] if isinstance(step, str) else value[str(step)]
    except (LookupError, TypeError, ValueError):
        return _MISSING
