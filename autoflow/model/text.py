"""Texts of cards, with fields whose values only the server knows.

At capture a template is filled with the values of the call: parameters, result, value. Other fields (a task's number,
the name of a file named by its path) stay pending, go through the journal as JSON, and are filled in by the sender. A
text may have alternatives: the first whose fields are all known is used.

In JSON a complete text is a string; an incomplete one is a list of alternatives, each a list of parts, a part being a
string or ``{"field": name, "conversion": "", "spec": ""}``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class PendingField(NamedTuple):
    """A field whose value is not known yet, with its conversion and format specification."""

    field: str
    conversion: str = ""
    spec: str = ""


TextPart = str | PendingField
TextParts = tuple[TextPart, ...]

_CONVERSIONS: dict[str, Callable[[Any], Any]] = {"r": repr, "s": str, "a": ascii, "": lambda value: value}


def format_value(value: Any, conversion: str, spec: str) -> str:
    """Format a field's value as ``str.format`` does.

    Raises:
        ValueError, TypeError: the specification does not fit the value.
    """
    return format(_CONVERSIONS[conversion](value), spec)


class Text(NamedTuple):
    """A text with alternatives, each a sequence of known strings and pending fields."""

    alternatives: tuple[TextParts, ...]

    def to_json(self) -> str | list[list[Any]]:
        """Return the JSON form, without the alternatives after the first complete one."""
        data: list[list[Any]] = []
        for parts in self.alternatives:
            if all(isinstance(part, str) for part in parts):
                complete = "".join(str(part) for part in parts)
                if not data:
                    return complete
                data.append([complete])
                break
            data.append([part if isinstance(part, str) else part._asdict() for part in parts])
        return data

    def complete(self, known: Callable[[str], Any]) -> str | None:
        """Return the first alternative whose pending fields are all known, or None.

        Args:
            known: returns a field's value by its name, None if it cannot be looked up.
        """
        for parts in self.alternatives:
            strings = []
            for part in parts:
                if isinstance(part, str):
                    strings.append(part)
                    continue
                value = known(part.field)
                if value is None:
                    break
                try:
                    strings.append(format_value(value, part.conversion, part.spec))
                except (TypeError, ValueError):  # a format that does not fit the value counts as an unknown value
                    break
            else:
                return "".join(strings)
        return None


def from_json(data: str | list[list[Any]]) -> Text:
    """Read the JSON form back.

    Raises:
        KeyError, TypeError: the data is not of the form that `Text.to_json` returns.
    """
    if isinstance(data, str):
        return Text(((data,),))
    return Text(
        tuple(tuple(part if isinstance(part, str) else PendingField(**part) for part in parts) for parts in data)
    )
