"""Texts of cards, some of whose words only the server knows.

Capture parses a template and fills in what the call knows: parameters, result, value. What is left (a task's
number, the name of a file given by path) stays a `Pending` field, goes through the journal as JSON, and is
filled in by the sender. A text may have alternatives: the first whose fields are all known is taken.

JSON form: a complete text is a string; an incomplete one is a list of alternatives, each a list of parts,
a part being a string or ``{"field": name, "conversion": "", "spec": ""}``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Pending(NamedTuple):
    """A field not known yet, and how Python's format syntax asks for it to be shown."""

    field: str
    conversion: str = ""
    spec: str = ""


Part = str | Pending
Parts = tuple[Part, ...]

_CONVERSIONS: dict[str, Callable[[Any], Any]] = {"r": repr, "s": str, "a": ascii, "": lambda value: value}


def show(value: Any, conversion: str, spec: str) -> str:
    """Format one field's value as ``str.format`` would.

    Raises:
        ValueError, TypeError: the spec does not fit the value.
    """
    return format(_CONVERSIONS[conversion](value), spec)


class Text(NamedTuple):
    """A text with alternatives, each a sequence of known strings and pending fields."""

    alternatives: tuple[Parts, ...]

    def to_json(self) -> str | list[list[Any]]:
        """Give the JSON form; alternatives after the first complete one are of no use and left out."""
        shown: list[list[Any]] = []
        for parts in self.alternatives:
            if all(isinstance(part, str) for part in parts):
                complete = "".join(str(part) for part in parts)
                if not shown:
                    return complete
                shown.append([complete])
                break
            shown.append([part if isinstance(part, str) else part._asdict() for part in parts])
        return shown

    def complete(self, known: Callable[[str], Any]) -> str | None:
        """Give the first alternative whose pending fields are all known, or None.

        Args:
            known: gives a field's value by its name, None when it cannot be found.
        """
        for parts in self.alternatives:
            words = []
            for part in parts:
                if isinstance(part, str):
                    words.append(part)
                    continue
                value = known(part.field)
                if value is None:
                    break
                try:
                    words.append(show(value, part.conversion, part.spec))
                except (TypeError, ValueError):  # the format does not fit what was found: as good as not found
                    break
            else:
                return "".join(words)
        return None


def from_json(form: str | list[list[Any]]) -> Text:
    """Read the JSON form back.

    Raises:
        KeyError, TypeError: the form is not one `Text.to_json` gives.
    """
    if isinstance(form, str):
        return Text(((form,),))
    return Text(tuple(tuple(part if isinstance(part, str) else Pending(**part) for part in parts) for parts in form))
