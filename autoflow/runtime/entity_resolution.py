"""Which entities a value means: the things an author may hand over, told apart once.

A number, numeric text, an object or a mapping with an id, a path for files and folders, other text as a name.
A list or a set means each of its items. None and what is empty mean nothing, and no error.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from autoflow.model.entity import Kind

logger = logging.getLogger("autoflow")

# an entity as the journal names it: a number, or ("path" | "name", text)
EntityRef = int | tuple[str, str]

LONGEST_TEXT = 4096  # as long as paths are
_PATHS = {"file", "folder"}
_NAMED = {"project", "dataset"}
MANY = (list, set, frozenset)
_warned: set[str] = set()


class UnrecognizedValue(ValueError):
    """The value is not one that can mean an entity of this kind."""


def items(value: Any) -> Iterator[Any]:
    """The single values that a value stands for."""
    if isinstance(value, MANY):
        yield from value
    else:
        yield value


def resolve_entity(kind: Kind, value: Any) -> EntityRef | None:
    """The entity a single value means, None for no entity.

    Raises:
        UnrecognizedValue: the value means nothing that this kind could be.
    """
    if value is None or value is False or (isinstance(value, tuple) and not value):
        return None
    if isinstance(value, str):
        return _from_text(kind, value.strip())
    if isinstance(value, os.PathLike):
        return _from_text(kind, os.fsdecode(value).replace(os.sep, "/"))
    if kind == "folder":
        inside = _member(value, "path")
        return _from_text(kind, inside) if isinstance(inside, str) and inside else _refuse(kind, value)
    if isinstance(value, Mapping) or hasattr(value, "id"):
        inside = _member(value, "id")
        if inside is None and kind in _PATHS:
            inside = _member(value, "path")
        return resolve_entity(kind, inside) if inside is None or isinstance(inside, str) else _from_number(kind, inside)
    return _from_number(kind, value)


def carries_identity(kind: Kind, value: Any) -> bool:
    """Return whether a value says which entity it is: an object or a mapping with an id (a path, of files and folders).

    True also for what means none (None, a tuple), which `resolve_entity` deals with.
    """
    if value is None or isinstance(value, tuple):
        return True
    if isinstance(value, str | os.PathLike | int | float):
        return False
    return any(_member(value, name) is not None for name in (("id", "path") if kind in _PATHS else ("id",)))


def _from_number(kind: Kind, value: Any) -> int | None:
    """A number of any type: numpy's integers, 7.0; no flags, no fractions, none below zero."""
    number = None
    if not isinstance(value, bool):
        if hasattr(value, "__index__"):
            number = value.__index__()
        elif isinstance(value, float) and value.is_integer():
            number = int(value)
    if number is None or number < 0:
        _refuse(kind, value)
    return number or None


def _from_text(kind: Kind, text: str) -> EntityRef | None:
    if not text:
        return None
    if len(text) > LONGEST_TEXT:
        raise UnrecognizedValue(f"a text of {len(text)} characters is no {kind}")
    if kind != "folder" and text.isascii() and text.isdecimal():
        return int(text) or None
    if kind in _PATHS and "://" not in text:
        return "path", text if text.startswith("/") else f"/{text}"
    if kind in _NAMED:
        return "name", text
    return _refuse(kind, text)


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def _refuse(kind: Kind, value: Any) -> NoReturn:
    shown = type(value).__name__
    hint = "; write result[0] or result[*] for a tuple" if isinstance(value, tuple) else ""
    raise UnrecognizedValue(f"a {shown} is no {kind}{hint}")


def warn_once(message: str) -> None:
    """Say a thing about the app's values at warning level, once a process."""
    if message not in _warned and len(_warned) < 1000:
        _warned.add(message)
        logger.warning("autoflow: %s; no edge is recorded", message)
