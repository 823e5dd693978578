"""Templates of card texts: ``"Export of {result.name}"``, Python's format syntax over paths.

Parsed once, at decoration; filled in at the call as far as the call knows (`model.text` holds the rest).
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from autoflow.model.path import Path
from autoflow.model.path import parse as parse_path
from autoflow.model.text import Part, Pending, Text, show

LONGEST_TEXT = 4096


class Field(NamedTuple):
    """A placeholder."""

    path: Path
    conversion: str
    spec: str


class Template(NamedTuple):
    """Alternatives, the first of which that is known counts; each a sequence of words and fields."""

    alternatives: tuple[tuple[str | Field, ...], ...]

    def fields(self) -> Iterator[Field]:
        """Every placeholder."""
        for parts in self.alternatives:
            yield from (part for part in parts if isinstance(part, Field))

    @property
    def constant(self) -> str | None:
        """The text itself when it has no placeholder."""
        first = self.alternatives[0]
        return None if any(isinstance(part, Field) for part in first) else "".join(map(str, first))

    def fill(self, value_of: Callable[[Path], Any]) -> Text | None:
        """Fill in what is known; None when no alternative can ever be complete.

        Args:
            value_of: a field's value; a `Pending` (by field name) when only the sender can know it; None when
                it ends nowhere, which gives the alternative up.
        """
        kept = []
        for parts in self.alternatives:
            filled: list[Part] = []
            for part in parts:
                if isinstance(part, str):
                    filled.append(part)
                    continue
                value = value_of(part.path)
                if value is None:
                    break
                if isinstance(value, Pending):
                    filled.append(value._replace(conversion=part.conversion, spec=part.spec))
                else:
                    filled.append(show(value, part.conversion, part.spec)[:LONGEST_TEXT])
            else:
                kept.append(tuple(filled))
        return Text(tuple(kept)) if kept else None


class FirstKnown(NamedTuple):
    """Templates of which the first whose fields are all known is taken."""

    templates: tuple[str, ...]


def parse(text: str | FirstKnown) -> Template:
    """Read a template.

    Raises:
        ValueError: an unmatched brace, a placeholder without a name, a nested one, an unknown conversion.
    """
    texts = text.templates if isinstance(text, FirstKnown) else (text,)
    return Template(tuple(tuple(_parts(one)) for one in texts))


def _parts(text: str) -> Iterator[str | Field]:
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}; double braces for a brace") from None
    for words, name, spec, conversion in parsed:
        if words:
            yield words
        if name is None:
            continue
        if not name or "{" in (spec or ""):
            raise ValueError(f"{text!r}: write a name in the braces, as in {{project.name}}; double braces for a brace")
        if conversion not in {None, "r", "s", "a"}:
            raise ValueError(f"{text!r}: !{conversion} is no conversion; there are !r, !s and !a")
        yield Field(parse_path(name), conversion or "", spec or "")
