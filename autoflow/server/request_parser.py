"""A request's body, read member by member: what is missing or of the wrong type is refused by name, never guessed.

Numbers count by value, as the SDK sends some of them as text: ``"55"`` is 55. Text is what every database can keep.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from autoflow.server import limits
from autoflow.server.errors import bad

_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")
LARGEST = 2**53 - 1  # a page's script reads numbers beyond it wrongly


def as_number(value: Any) -> int | None:
    """The whole number a JSON value stands for, None when it stands for none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    elif isinstance(value, str):
        text = value.strip()
        value = int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else None
    return value if isinstance(value, int) and -LARGEST <= value <= LARGEST else None


def as_text(value: Any) -> str | None:
    """The value when it is text that can be stored (no NUL, no half of a surrogate pair), else None."""
    return value if isinstance(value, str) and _UNKEEPABLE.search(value) is None else None


def cleaned(value: Any, most: int = limits.TEXT) -> str:
    """Any text made storable: what no database keeps becomes U+FFFD, what is no text becomes empty, and what is longer
    than `most` characters is cut.
    """
    if not isinstance(value, str):
        return ""
    return _UNKEEPABLE.sub("\ufffd", value[:most])


def cleaned_name(value: Any) -> str:
    """As `cleaned`, cut to what an index can hold."""
    text = cleaned(value, limits.NAME)
    return text.encode()[: limits.NAME].decode(errors="ignore")


class Body:
    """A JSON object of a request.

    Args:
        fields: the object.
        place: where it stands in the request, for messages: empty, or as ``images[3].``.
    """

    __slots__ = ("fields", "place")

    def __init__(self, fields: Any, place: str = "") -> None:
        if not isinstance(fields, Mapping):
            raise bad(f"{place.rstrip('.') or 'the body'} must be an object")
        self.fields: Mapping[str, Any] = fields
        self.place = place

    def given(self, name: str) -> bool:
        """Whether a member is there and not null."""
        return self.fields.get(name) is not None

    def _required(self, name: str) -> Any:
        value = self.fields.get(name)
        if value is None:
            raise bad(f'"{self.place}{name}" is missing', {"field": self.place + name})
        return value

    def _wrong(self, name: str, wanted: str) -> Exception:
        return bad(f'"{self.place}{name}" must be {wanted}', {"field": self.place + name})

    def number(self, name: str) -> int:
        """A number that must be there."""
        number = as_number(self._required(name))
        if number is None:
            raise self._wrong(name, "a whole number")
        return number

    def maybe_number(self, name: str) -> int | None:
        """A number, or None when it is not given."""
        return self.number(name) if self.given(name) else None

    def text(self, name: str, default: str | None = None, *, most: int | None = None) -> str:
        """A text; without a default it must be there and not be blank, and be short enough for an index.

        `most` is the most characters, where that is another number.
        """
        value = self.fields.get(name)
        if value is None and default is not None:
            return default
        text = as_text(self._required(name))
        if text is None:
            raise self._wrong(name, "text")
        if default is None and not text.strip():
            raise self._wrong(name, "text that is not blank")
        if most is None and default is None and len(text.encode()) > limits.NAME:
            raise self._wrong(name, f"at most {limits.NAME} bytes long")
        if len(text) > (limits.TEXT if most is None else most):
            raise self._wrong(name, f"at most {limits.TEXT if most is None else most} characters long")
        return text

    def wide_text(self, name: str) -> str:
        """A text that must be there and not be blank, and that no index holds."""
        return self.text(name, most=limits.TEXT)

    def maybe_text(self, name: str) -> str | None:
        """A text, or None when it is not given."""
        return self.text(name, "") if self.given(name) else None

    def flag(self, name: str, default: bool) -> bool:
        """A true or false."""
        value = self.fields.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        """A JSON object, empty when not given."""
        value = self.fields.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self._wrong(name, "an object")
        return dict(value)

    def array(self, name: str, *, required: bool = True, most: int | None = None) -> list[Any]:
        """A JSON array of at most `most` entries, by default `limits.LIST`."""
        value = self._required(name) if required else self.fields.get(name)
        if value is None:
            return []
        if not isinstance(value, (list, tuple)):
            raise self._wrong(name, "a list")
        limits.check_size(f"{self.place}{name}", value, most)
        return list(value)

    def bodies(self, name: str, *, required: bool = True, most: int | None = None) -> Iterator[Body]:
        """An array of objects, each read as a body of its own."""
        for position, value in enumerate(self.array(name, required=required, most=most)):
            yield Body(value, f"{self.place}{name}[{position}].")

    def unique_numbers(self, name: str, *, most: int | None = None) -> list[int]:
        """An array of numbers, each once, in the order they come first."""
        return list(dict.fromkeys(self.numbers(name, most=most)))

    def numbers(self, name: str, *, most: int | None = None) -> list[int]:
        """An array of numbers."""
        found = []
        for value in self.array(name, most=most):
            number = as_number(value)
            if number is None:
                raise self._wrong(name, "a list of whole numbers")
            found.append(number)
        return found
