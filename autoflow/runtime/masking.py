"""What is kept of the app's own values: secrets masked, sizes bounded, and none of the app's code run for it.

Masked are the tokens autoflow itself was given, password-like fields and options, and credentials in addresses.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import itertools
import os
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from autoflow import settings

MASK = "***"
LONGEST_TEXT = 2048
LONGEST_KEY = 200
MOST_ITEMS = 200  # of one collection
DEEPEST = 6
MOST_BYTES = 32 << 10  # of one value, all it holds taken together

_LONG = (
    r"(?:passwords?|passwd|passphrase|secrets?|token|(?:api|access|private|secret|signing|encryption|account)[_-]?key"
    r"|credentials?|authorization|signature)"
)
_SHORT = r"(?<![a-z])(?:pwd|sig|auth|cookie)"  # these end many a harmless word
_NAME = re.compile(rf"(?i)(?:{_LONG}|{_SHORT}|(?<![a-z])pass)(?![a-z])")
_IN_URL = re.compile(r"(://)(?!git@)[^/\s?#\"'<>]+@")
_GIVEN = rf"(?:{_LONG}|{_SHORT})(?:[_-]\w*)?[\"']?\s*[=:]\s*(?![=:\s])(?:(?:bearer|basic|token|digest)\s+)?"
_VALUE = r"(?:\"[^\"]*\"|'[^']*'|[\"']?(?:[^\s&,;\"')\]}]|,(?=\S))+)"
_IN_TEXT = re.compile(rf"(?i)({_GIVEN}|\bbearer\s+(?=\S{{16}})){_VALUE}")
_PLAIN = (datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, uuid.UUID, os.PathLike)
_SHORTEST_TOKEN = 8  # a shorter one is a test's, and may be part of any word


def text(value: str) -> str:
    """A text with our own tokens, ``user:password@`` in addresses and ``password=...`` masked."""
    for token in (settings.token(), settings.instance_token()):
        if token is not None and len(token) >= _SHORTEST_TOKEN:
            value = value.replace(token, MASK)
    # functions, not templates: `re` imports what these need, and can no more when the interpreter is going
    value = _IN_URL.sub(lambda found: f"{found[1]}{MASK}@", value)
    return _IN_TEXT.sub(lambda found: f"{found[1]}{MASK}", value)


def glance(value: str) -> str:
    """`text` for the caller's thread: most words can hold no secret, which a glance tells."""
    return text(value) if "=" in value or ":" in value else value


def command(arguments: Sequence[str]) -> list[str]:
    """A command line with the values of secret options masked, cut where it is longer than anybody reads."""
    shown = []
    hide = False
    left = MOST_BYTES
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        option = name.startswith("-")
        if hide and not option:
            shown.append(MASK)
        elif option and equals and _NAME.search(name):
            shown.append(f"{name}={MASK}")
        else:
            shown.append(_text(argument))
        left -= len(shown[-1])
        if left < 0:
            return [*shown[:-1], "..."]
        hide = option and not equals and bool(_NAME.search(name))
    return shown


def _text(value: str) -> str:
    return text(value[:LONGEST_TEXT]).encode("utf-8", "replace").decode()


def value(given: Any) -> Any:
    """Any value as JSON can hold it: secrets masked, what is long cut, what is odd as its type's name.

    What a collection holds beyond the bounds is left out; a value that fails while it is looked at is its type's name.
    """
    return _Look().at(given, 0)


class _Look:
    """One look at a value, which ends when it has seen enough."""

    def __init__(self) -> None:
        self._left = MOST_BYTES

    def at(self, given: Any, depth: int) -> Any:
        self._left -= 8
        try:
            shown = self._shown(given, depth)
        except Exception:  # noqa: BLE001 - a collection or a number of the app's may do anything
            shown = _type(given)
        if isinstance(shown, str):
            self._left -= len(shown)
        return shown

    def _shown(self, given: Any, depth: int) -> Any:
        if isinstance(given, str):
            return _text(given)
        if given is None or isinstance(given, bool | int | float):
            return _number(given)
        if isinstance(given, bytes | bytearray):
            return f"<{len(given)} bytes>"
        if isinstance(given, enum.Enum):
            return self.at(given.value, depth + 1)
        if isinstance(given, _PLAIN):
            return _text(os.fsdecode(given) if isinstance(given, os.PathLike) else str(given))
        if depth >= DEEPEST:
            return _type(given)
        if isinstance(given, Mapping):
            return self._pairs(((_key(name), inner) for name, inner in given.items()), depth)
        if isinstance(given, list | tuple | set | frozenset):
            return [self._inner(inner, depth) for inner in itertools.islice(given, MOST_ITEMS) if self._left > 0]
        if dataclasses.is_dataclass(given) and not isinstance(given, type):
            return self._pairs(((field.name, getattr(given, field.name)) for field in dataclasses.fields(given)), depth)
        number: Any = getattr(given, "item", None)
        if getattr(given, "shape", None) == () and callable(number):  # a number of numpy's
            return self.at(number(), depth + 1)
        return _type(given)

    def _pairs(self, pairs: Iterator[tuple[str, Any]], depth: int) -> dict[str, Any]:
        shown = {}
        for name, inner in itertools.islice(pairs, MOST_ITEMS):
            if self._left <= 0:
                break
            self._left -= len(name)
            shown[name] = MASK if _NAME.search(name) else self._inner(inner, depth)
        return shown

    def _inner(self, given: Any, depth: int) -> Any:
        """One of several values: half of what is left to see is kept for those behind it."""
        kept = self._left // 2
        self._left -= kept
        shown = self.at(given, depth + 1)
        self._left += kept
        return shown


def _number(given: Any) -> Any:
    if isinstance(given, float):
        return float(given) if given == given and abs(given) != float("inf") else str(float(given))
    if given is None or isinstance(given, bool):
        return given
    return int(given) if abs(given) < 1 << 64 else _type(given)


def _key(name: Any) -> str:
    if isinstance(name, str):
        return name[:LONGEST_KEY].encode("utf-8", "replace").decode()
    return str(_number(name)) if name is None or isinstance(name, bool | int | float) else _type(name)


def _type(given: Any) -> str:
    return f"<{type(given).__module__}.{type(given).__qualname__}>"
