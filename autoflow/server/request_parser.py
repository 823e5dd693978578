"""Reading the JSON object of a request member by member, with an error that names a missing or malformed member.

Numbers are compared by value, as the SDK sends some of them as text: ``"55"`` is 55. Text is limited to what every
database can store.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from autoflow.server import limits
from autoflow.server.errors import Invalid

_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")
MAX_SAFE_INTEGER = 2**53 - 1  # JavaScript reads larger numbers inexactly


def as_number(value: Any) -> int | None:
    """Return a JSON value as an integer, None when it is not one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    elif isinstance(value, str):
        text = value.strip()
        value = int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else None
    return value if isinstance(value, int) and -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER else None


def as_text(value: Any) -> str | None:
    """Return the value when it is storable text (no NUL, no lone surrogate), else None."""
    if not isinstance(value, str):
        return None
    if value.isascii():  # faster than a search
        return None if "\0" in value else value
    return value if _NOT_STORABLE.search(value) is None else None


def clean_text(value: Any, max_length: int = limits.TEXT) -> str:
    """Return text made storable: characters no database stores become U+FFFD, and the rest is cut to `max_length`.

    A value that is not text becomes empty.
    """
    if not isinstance(value, str):
        return ""
    return _NOT_STORABLE.sub("\ufffd", value[:max_length])


def clean_name(value: Any) -> str:
    """Return text as `clean_text` does, cut to the bytes that an index can hold."""
    text = clean_text(value, limits.NAME)
    return text.encode()[: limits.NAME].decode(errors="ignore")


class RequestParser:
    """A JSON object of a request.

    Args:
        fields: the object.
        path: its position in the request, for messages: empty, or as ``images[3].``.
    """

    __slots__ = ("fields", "path")

    def __init__(self, fields: Any, path: str = "") -> None:
        if not isinstance(fields, dict) and not isinstance(fields, Mapping):  # a dict is recognized faster
            raise Invalid(f"{path.rstrip('.') or 'the body'} must be an object")
        self.fields: Mapping[str, Any] = fields
        self.path = path

    def has(self, name: str) -> bool:
        """Return whether a member is present and not null."""
        return self.fields.get(name) is not None

    def _required(self, name: str) -> Any:
        value = self.fields.get(name)
        if value is None:
            raise Invalid(f'"{self.path}{name}" is missing', {"field": self.path + name})
        return value

    def _malformed(self, name: str, expected: str) -> Invalid:
        return Invalid(f'"{self.path}{name}" must be {expected}', {"field": self.path + name})

    def number(self, name: str) -> int:
        """Return a required integer."""
        number = as_number(self._required(name))
        if number is None:
            raise self._malformed(name, "a whole number")
        return number

    def optional_number(self, name: str) -> int | None:
        """Return an integer, None when it is absent."""
        return self.number(name) if self.has(name) else None

    def text(self, name: str, default: str | None = None, *, max_length: int | None = None) -> str:
        """Return a text; without a default it is required, must not be blank, and must fit into an index.

        Args:
            name: the member.
            default: the value of an absent member.
            max_length: a limit in characters instead of the usual one.
        """
        value = self.fields.get(name)
        if value is None and default is not None:
            return default
        text = as_text(self._required(name))
        if text is None:
            raise self._malformed(name, "text")
        if default is None and not text.strip():
            raise self._malformed(name, "text that is not blank")
        is_indexed = max_length is None and default is None
        if is_indexed and 4 * len(text) > limits.NAME and len(text.encode()) > limits.NAME:
            raise self._malformed(name, f"at most {limits.NAME} bytes long")
        if len(text) > (limits.TEXT if max_length is None else max_length):
            raise self._malformed(name, f"at most {limits.TEXT if max_length is None else max_length} characters long")
        return text

    def long_text(self, name: str) -> str:
        """Return a required text that must not be blank and that no index holds."""
        return self.text(name, max_length=limits.TEXT)

    def optional_text(self, name: str) -> str | None:
        """Return a text, None when it is absent."""
        return self.text(name, "") if self.has(name) else None

    def flag(self, name: str, default: bool) -> bool:
        """Return a boolean."""
        value = self.fields.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._malformed(name, "true or false")
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        """Return a JSON object, empty when it is absent."""
        value = self.fields.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict) and not isinstance(value, Mapping):
            raise self._malformed(name, "an object")
        return dict(value)

    def array(self, name: str, *, required: bool = True, max_items: int | None = None) -> list[Any]:
        """Return a JSON array of at most `max_items` entries, by default `limits.LIST_ENTRIES`."""
        value = self._required(name) if required else self.fields.get(name)
        if value is None:
            return []
        if not isinstance(value, (list, tuple)):
            raise self._malformed(name, "a list")
        limits.check_size(f"{self.path}{name}", value, max_items)
        return list(value)

    def objects(self, name: str, *, required: bool = True, max_items: int | None = None) -> Iterator[RequestParser]:
        """Yield a parser for each object of an array."""
        for position, value in enumerate(self.array(name, required=required, max_items=max_items)):
            yield RequestParser(value, f"{self.path}{name}[{position}].")

    def unique_numbers(self, name: str, *, max_items: int | None = None) -> list[int]:
        """Return an array of integers without duplicates, in order of first occurrence."""
        return list(dict.fromkeys(self.numbers(name, max_items=max_items)))

    def numbers(self, name: str, *, max_items: int | None = None) -> list[int]:
        """Return an array of integers."""
        numbers = []
        for value in self.array(name, max_items=max_items):
            number = as_number(value)
            if number is None:
                raise self._malformed(name, "a list of whole numbers")
            numbers.append(number)
        return numbers
