"""What is kept of the app's own values: secrets masked, sizes bounded, and none of the app's code run for it.

Masked are the tokens autoflow itself was given, secrets of a known shape, and values beside a secret's name.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import itertools
import os
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from autoflow import settings
from autoflow.runtime.secret_names import Secrecy, secrecy
from autoflow.runtime.secret_shapes import MASK, has_long_word
from autoflow.runtime.secret_text import (
    USERS,
    is_password_in_prose,
    is_secret,
    mask_text,
    may_speak_of_secrets,
    short_option,
)

LONGEST_TEXT = 2048
LONGEST_KEY = 200
MOST_ITEMS = 200  # of one collection
DEEPEST = 6
MOST_BYTES = 32 << 10  # of one value, all it holds taken together

_PLAIN = (datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, uuid.UUID, os.PathLike)
_SHORTEST_TOKEN = 8  # a shorter one is a test's, and may be part of any word


def text(value: str) -> str:
    """Return a text with secrets masked: our own tokens, known shapes, and values beside a secret's name."""
    for token in (settings.token(), settings.instance_token()):
        if token is not None and len(token) >= _SHORTEST_TOKEN:
            value = value.replace(token, MASK)
    return mask_text(value)


def mask_fast(value: str) -> str:
    """`text` for the caller's thread: most words can hold no secret, which a few cheap looks tell."""
    if "=" in value or ":" in value or "%" in value or "<" in value or "," in value or has_long_word(value):
        return text(value)
    if " " in value and (" -" in value or value[0] == "-" or may_speak_of_secrets(value)):
        return text(value)
    return value


def command(arguments: Sequence[str]) -> list[str]:
    """Return a command line with secrets masked, cut where it is longer than anybody reads."""
    shown: list[str] = []
    left = MOST_BYTES
    for argument in _masked_arguments(arguments):
        shown.append(argument)
        left -= len(argument)
        if left < 0:
            return [*shown[:-1], "..."]
    return shown


def _masked_arguments(arguments: Sequence[str]) -> Iterator[str]:
    """Mask each argument by itself and by the option before it."""
    before = ""
    words = ""  # what the command line began with: it tells what one-letter options mean
    for argument in arguments:
        argument = argument[:LONGEST_TEXT]
        name = before.partition("=")[0] if "=" not in before else ""
        if argument.startswith("-") and not name.startswith("-"):
            name = ""
        yield _text(_argument(argument, name, words))
        before = argument
        words = f"{words} {argument}"[-200:] if len(words) < 200 else words


def _argument(argument: str, name: str, words: str) -> str:
    """Mask one argument that follows an option or another word."""
    if len(name) == 2 and name[0] == "-":
        hidden = short_option(name[1], argument, words, attached=False)
        return argument if hidden is None or argument.startswith("-") else argument[:hidden] + MASK
    if argument[:1] == "-" and argument[1:2] in {"p", "u"} and len(argument) > 2:
        hidden = short_option(argument[1], argument[2:], words, attached=True)
        return argument if hidden is None else argument[: 2 + hidden] + MASK
    if argument.startswith("-"):
        return argument
    if name in USERS and short_option("u", argument, words, attached=False) is not None:
        return MASK
    level = Secrecy.ALWAYS if name == "login" else secrecy(name)
    if name.startswith("-"):
        return MASK if is_secret(level, argument, name) else argument
    return MASK if level and is_password_in_prose(level, name, argument) else argument


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
            return self._pairs(_named_values(given), depth)
        if isinstance(given, tuple) and isinstance(names := getattr(given, "_fields", None), tuple):
            return self._pairs(zip(names, given, strict=False), depth)
        if isinstance(given, list | tuple | set | frozenset):
            return self._items(given, depth)
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
            shown[name] = MASK if _is_secret(secrecy(name), inner, name) else self._inner(inner, depth)
        return shown

    def _items(self, given: Collection[Any], depth: int) -> list[Any]:
        """The items of a collection; of a name and its value, and of a command line, the secrets are masked."""
        items = list(itertools.islice(given, MOST_ITEMS))
        if len(items) == 2 and isinstance(items[0], str) and _is_secret(secrecy(items[0]), items[1], items[0]):
            return [self._inner(items[0], depth), MASK]
        if isinstance(given, list | tuple) and any(isinstance(item, str) and item.startswith("-") for item in items):
            texts = iter(command([item for item in items if isinstance(item, str)]))
            items = [next(texts, MASK) if isinstance(item, str) else item for item in items]
        return [self._inner(inner, depth) for inner in items if self._left > 0]

    def _inner(self, given: Any, depth: int) -> Any:
        """One of several values: half of what is left to see is kept for those behind it."""
        kept = self._left // 2
        self._left -= kept
        shown = self.at(given, depth + 1)
        self._left += kept
        return shown


_NAMING = ("name", "key", "field", "header", "variable", "var", "env", "parameter", "option")
_VALUING = ("value", "val", "default", "content", "data")


def _named_values(given: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    """The items of a mapping; of one that holds a name and a value under such names, the value by that name."""
    names = {name.lower(): value for name, value in itertools.islice(given.items(), 8) if isinstance(name, str)}
    named = next((names[word] for word in _NAMING if isinstance(names.get(word), str)), "")
    level = secrecy(named) if named and len(given) <= 8 else Secrecy.NEVER
    for name, inner in given.items():
        secret = level > Secrecy.IF_RANDOM and isinstance(name, str) and name.lower() in _VALUING
        yield _key(name), MASK if secret and _is_secret(level, inner, named) else inner


def _is_secret(level: Secrecy, given: Any, name: str) -> bool:
    """Whether a value beside a name is masked, of whatever type it is."""
    if level is Secrecy.NEVER or given is None or isinstance(given, bool):
        return False
    if isinstance(given, str):
        return bool(given) and is_secret(level, given[:LONGEST_TEXT], name)
    if isinstance(given, int | float):
        return level is Secrecy.ALWAYS
    if isinstance(given, Mapping | list | tuple | set | frozenset):
        return level > Secrecy.IF_RANDOM and bool(given) and not all(isinstance(item, int | float) for item in given)
    return level > Secrecy.IF_RANDOM


def _number(given: Any) -> Any:
    if isinstance(given, float):
        return float(given) if given == given and abs(given) != float("inf") else str(float(given))
    if given is None or isinstance(given, bool):
        return given
    return int(given) if abs(given) < 1 << 64 else _type(given)


def _key(name: Any) -> str:
    if isinstance(name, str):
        return mask_fast(name[:LONGEST_KEY]).encode("utf-8", "replace").decode()
    if isinstance(name, bytes):
        return _key(name.decode("utf-8", "replace"))
    return str(_number(name)) if name is None or isinstance(name, bool | int | float) else _type(name)


def _type(given: Any) -> str:
    return f"<{type(given).__module__}.{type(given).__qualname__}>"
