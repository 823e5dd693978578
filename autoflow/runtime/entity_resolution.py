"""Resolution of an app's values to entities.

A value is a number, numeric text, an object or a mapping with an id, a path of a file or folder, or the name of a
project or dataset. A list or a set stands for each of its items. None and empty values stand for no entity, without
an error.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from autoflow.model.entity_types import EntityType, Kind, type_of_kind

logger = logging.getLogger("autoflow")

# an entity as the journal names it: an id, or ("path" | "name", text)
EntityIdentifier = int | tuple[str, str]

LONGEST_TEXT = 4096  # the length of the longest path
COLLECTIONS = (list, set, frozenset)
_warned: set[str] = set()


class UnrecognizedValue(ValueError):
    """The value cannot stand for an entity of this kind."""


def items(value: Any) -> Iterator[Any]:
    """Yield the single values that a value stands for."""
    if isinstance(value, COLLECTIONS):
        yield from value
    else:
        yield value


def resolve_entity(kind: Kind, value: Any) -> EntityIdentifier | None:
    """Return the entity that a single value stands for, None for no entity.

    Raises:
        UnrecognizedValue: the value cannot stand for an entity of this kind.
    """
    if value is None or value is False or (isinstance(value, tuple) and not value):
        return None
    entity_type = type_of_kind(kind)
    if isinstance(value, str):
        return _from_text(entity_type, value.strip())
    fspath = getattr(type(value), "__fspath__", None)  # isinstance(value, os.PathLike) takes several times as long
    if fspath is not None:
        return _from_text(entity_type, os.fsdecode(fspath(value)).replace(os.sep, "/"))
    is_mapping = isinstance(value, Mapping)
    if entity_type.by_path:
        member = _member(value, "path", is_mapping)
        return _from_text(entity_type, member) if isinstance(member, str) and member else _refuse(kind, value)
    if not is_mapping and not hasattr(value, "id"):
        return _from_number(kind, value)
    member = _member(value, "id", is_mapping)
    if member is None and entity_type.has_path:
        member = _member(value, "path", is_mapping)
    if isinstance(member, str):
        return _from_text(entity_type, member.strip())
    return None if member is None else _from_number(kind, member)


def carries_identity(kind: Kind, value: Any) -> bool:
    """Return whether a value identifies its entity: an object or a mapping with an id (of files and folders, a path).

    True also for None and tuples, which `resolve_entity` handles.
    """
    if value is None or isinstance(value, tuple):
        return True
    if isinstance(value, str | os.PathLike | int | float):
        return False
    names = ("id", "path") if type_of_kind(kind).has_path else ("id",)
    is_mapping = isinstance(value, Mapping)
    return any(_member(value, name, is_mapping) is not None for name in names)


def _from_number(kind: Kind, value: Any) -> int | None:
    """Return an id from a number of any type, such as numpy's integers and 7.0.

    Raises:
        UnrecognizedValue: it is a bool, a fraction or negative.
    """
    number = None
    if not isinstance(value, bool):
        if hasattr(value, "__index__"):
            number = value.__index__()
        elif isinstance(value, float) and value.is_integer():
            number = int(value)
    if number is None or number < 0:
        _refuse(kind, value)
    return number or None


def _from_text(entity_type: EntityType, text: str) -> EntityIdentifier | None:
    if not text:
        return None
    if len(text) > LONGEST_TEXT:
        raise UnrecognizedValue(f"a text of {len(text)} characters is not a {entity_type.kind}")
    if not entity_type.by_path and text.isascii() and text.isdecimal():
        return int(text) or None
    if entity_type.has_path and "://" not in text:
        return "path", text if text.startswith("/") else f"/{text}"
    if entity_type.has_name:
        return "name", text
    return _refuse(entity_type.kind, text)


def _member(value: Any, name: str, is_mapping: bool) -> Any:
    return value.get(name) if is_mapping else getattr(value, name, None)


def _refuse(kind: Kind, value: Any) -> NoReturn:
    type_name = type(value).__name__
    hint = "; write result[0] or result[*] for a tuple" if isinstance(value, tuple) else ""
    raise UnrecognizedValue(f"a {type_name} is not a {kind}{hint}")


def warn_once(message: str) -> None:
    """Log a warning about the app's values, once a process."""
    if message not in _warned and len(_warned) < 1000:
        _warned.add(message)
        logger.warning("autoflow: %s; no edge is recorded", message)
