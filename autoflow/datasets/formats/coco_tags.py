"""Conversion between the attributes of COCO's images and annotations and tags.

A number, a text and null are a tag of that type. A truth value is a tag with the values ``false`` and ``true``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

BOOLEAN = ["false", "true"]
COLOR = "#A0A0A0"
SCORE = "score"


class AttributeTags:
    """The tags that the attributes of a folder become.

    Args:
        defined: tags as a file defines them itself; those of other attributes follow from their values.
    """

    def __init__(self, defined: Iterable[Mapping[str, Any]] = ()) -> None:
        self._tags: dict[str, dict[str, Any] | None] = {str(tag["name"]): dict(tag) for tag in defined}
        self._defined = set(self._tags)

    def observe(self, attributes: Mapping[str, Any]) -> None:
        """Derive the types of tags from some values; one of several types is no tag."""
        for name, value in attributes.items():
            if name not in self._defined:
                for part in _parts(value):
                    entry = _definition(name, part)
                    self._tags[name] = entry if self._tags.get(name, entry) == entry else None

    @property
    def meta(self) -> list[dict[str, Any]]:
        """The tags, in Supervisely's format."""
        return [tag for tag in self._tags.values() if tag is not None]

    def split(self, attributes: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Return the tags of some attributes, and those that are no tags."""
        tags: list[dict[str, Any]] = []
        others: dict[str, Any] = {}
        for name, value in attributes.items():
            definition = self._tags.get(name)
            values = [_stored(part) for part in _parts(value)]
            if definition is None or not all(_fits(definition, part) for part in values):
                others[name] = value
            else:
                tags += [{"name": name, "value": part} for part in values]
        return tags, others


def attributes_of(tags: Iterable[Mapping[str, Any]], defined: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return tags as attributes; several tags of one name are a list.

    Args:
        tags: the tags.
        defined: the project's tags by name.
    """
    values: dict[str, list[Any]] = {}
    for tag in tags:
        value = tag.get("value")
        if defined.get(tag["name"], {}).get("values") == BOOLEAN and value in BOOLEAN:
            value = value == BOOLEAN[1]
        values.setdefault(tag["name"], []).append(value)
    return {name: entries[0] if len(entries) == 1 else entries for name, entries in values.items()}


def _parts(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) and value else [value]


def _stored(value: Any) -> Any:
    return BOOLEAN[value] if isinstance(value, bool) else value


def _definition(name: str, value: Any) -> dict[str, Any] | None:
    """Return the tag for a value, None if no tag has such values."""
    entry = {"name": name, "color": COLOR}
    if isinstance(value, bool):
        return {**entry, "value_type": "oneof_string", "values": BOOLEAN}
    for value_type, types in (("none", type(None)), ("any_string", str), ("any_number", (int, float))):
        if isinstance(value, types):
            return {**entry, "value_type": value_type}
    return None


def _fits(definition: Mapping[str, Any], value: Any) -> bool:
    value_type = definition.get("value_type", "none")
    if value_type == "oneof_string":
        return value in (definition.get("values") or ())
    return bool((_definition("", value) or {}).get("value_type") == value_type)
