"""Templates of card texts: ``"Export of {result.name}"``, Python's format syntax over paths.

A template is parsed once, at decoration. A call fills in what it knows; the rest stays pending (`model.text`).
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from autoflow.model.path import Path
from autoflow.model.path import parse as parse_path
from autoflow.model.text import PendingField, Text, TextPart, format_value

MAX_TEXT_LENGTH = 4096


class Placeholder(NamedTuple):
    """A field of a template: the path of its value, and how to format that."""

    path: Path
    conversion: str
    spec: str


class Template(NamedTuple):
    """Alternatives, each a sequence of literal texts and placeholders; the first whose values are all known is used."""

    alternatives: tuple[tuple[str | Placeholder, ...], ...]

    def fields(self) -> Iterator[Placeholder]:
        """Yield every placeholder."""
        for parts in self.alternatives:
            yield from (part for part in parts if isinstance(part, Placeholder))

    @property
    def constant(self) -> str | None:
        """The text itself if it has no placeholder, else None."""
        first = self.alternatives[0]
        return None if any(isinstance(part, Placeholder) for part in first) else "".join(map(str, first))

    def fill(self, value_of: Callable[[Path], Any]) -> Text | None:
        """Return the text with known values filled in; None if no alternative can become complete.

        Args:
            value_of: returns a placeholder's value; a `PendingField` if only the sender can know it; None if its path
                leads nowhere, which rules the alternative out.
        """
        alternatives = []
        for parts in self.alternatives:
            text_parts: list[TextPart] = []
            for part in parts:
                if isinstance(part, str):
                    text_parts.append(part)
                    continue
                value = value_of(part.path)
                if value is None:
                    break
                if isinstance(value, PendingField):
                    text_parts.append(value._replace(conversion=part.conversion, spec=part.spec))
                else:
                    text_parts.append(format_value(value, part.conversion, part.spec)[:MAX_TEXT_LENGTH])
            else:
                alternatives.append(tuple(text_parts))
        return Text(tuple(alternatives)) if alternatives else None


class FirstKnown(NamedTuple):
    """Templates of which the first whose values are all known is used."""

    templates: tuple[str, ...]


def parse(text: str | FirstKnown) -> Template:
    """Parse a template.

    Raises:
        ValueError: an unmatched brace, a placeholder without a name, a nested one, an unknown conversion.
    """
    texts = text.templates if isinstance(text, FirstKnown) else (text,)
    return Template(tuple(tuple(_parse_parts(alternative)) for alternative in texts))


def _parse_parts(text: str) -> Iterator[str | Placeholder]:
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}; write a brace as two braces") from None
    for literal, name, spec, conversion in parts:
        if literal:
            yield literal
        if name is None:
            continue
        if not name or "{" in (spec or ""):
            raise ValueError(
                f"{text!r}: write a name in the braces, as in {{project.name}}; write a brace as two braces"
            )
        if conversion not in {None, "r", "s", "a"}:
            raise ValueError(f"{text!r}: !{conversion} is not a conversion; use !r, !s or !a")
        yield Placeholder(parse_path(name), conversion or "", spec or "")
