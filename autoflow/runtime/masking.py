"""Masking of the app's values before they are recorded: secrets replaced, sizes bounded, no code of the app called.

Masked are autoflow's own tokens, secrets of a known shape, and values beside a secret's name.
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
MAX_ITEMS = 200  # of one collection
MAX_DEPTH = 6
MAX_BYTES = 32 << 10  # of one value with everything in it

_PLAIN = (datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, uuid.UUID, os.PathLike)
_SHORTEST_TOKEN = 8  # shorter ones occur in tests only, and may be part of any word


def text(value: str) -> str:
    """Return a text with secrets masked: our own tokens, known shapes, and values beside a secret's name."""
    for token in (settings.token(), settings.instance_token()):
        if token is not None and len(token) >= _SHORTEST_TOKEN:
            value = value.replace(token, MASK)
    return mask_text(value)


def mask_fast(value: str) -> str:
    """Return `text` of a value, skipping the search when cheap checks rule a secret out; for the caller's thread."""
    if "=" in value or ":" in value or "%" in value or "<" in value or "," in value or has_long_word(value):
        return text(value)
    if " " in value and (" -" in value or value[0] == "-" or may_speak_of_secrets(value)):
        return text(value)
    return value


def command(arguments: Sequence[str]) -> list[str]:
    """Return a command line with secrets masked, truncated to `MAX_BYTES`."""
    masked: list[str] = []
    remaining = MAX_BYTES
    for argument in _masked_arguments(arguments):
        masked.append(argument)
        remaining -= len(argument)
        if remaining < 0:
            return [*masked[:-1], "..."]
    return masked


def _masked_arguments(arguments: Sequence[str]) -> Iterator[str]:
    """Mask each argument by itself and by the option before it."""
    previous = ""
    words = ""  # the beginning of the command line, which determines what one-letter options mean
    for argument in arguments:
        argument = argument[:LONGEST_TEXT]
        name = previous if "=" not in previous else ""
        if argument.startswith("-") and not name.startswith("-"):
            name = ""
        yield _text(_argument(argument, name, words))
        previous = argument
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


def value(obj: Any) -> Any:
    """Return a value in JSON types: secrets masked, long texts and collections truncated.

    Values of other types, and those that fail to be read, are replaced by their type's name.
    """
    return _Sanitizer().sanitize(obj, 0)


class _Sanitizer:
    """Converts one value, within a budget of bytes."""

    def __init__(self) -> None:
        self._budget = MAX_BYTES

    def sanitize(self, obj: Any, depth: int) -> Any:
        self._budget -= 8
        try:
            result = self._convert(obj, depth)
        except Exception:  # noqa: BLE001 - a collection or a number of the app may do anything
            result = _type_name(obj)
        if isinstance(result, str):
            self._budget -= len(result)
        return result

    def _convert(self, obj: Any, depth: int) -> Any:
        if isinstance(obj, str):
            return _text(obj)
        if obj is None or isinstance(obj, bool | int | float):
            return _number(obj)
        if isinstance(obj, bytes | bytearray):
            return f"<{len(obj)} bytes>"
        if isinstance(obj, enum.Enum):
            return self.sanitize(obj.value, depth + 1)
        if isinstance(obj, _PLAIN):
            return _text(os.fsdecode(obj) if isinstance(obj, os.PathLike) else str(obj))
        if depth >= MAX_DEPTH:
            return _type_name(obj)
        if isinstance(obj, Mapping):
            return self._pairs(_named_values(obj), depth)
        if isinstance(obj, tuple) and isinstance(names := getattr(obj, "_fields", None), tuple):
            return self._pairs(zip(names, obj, strict=False), depth)
        if isinstance(obj, list | tuple | set | frozenset):
            return self._items(obj, depth)
        if dataclasses.is_dataclass(obj) and not isinstance(obj, type):
            return self._pairs(((field.name, getattr(obj, field.name)) for field in dataclasses.fields(obj)), depth)
        number: Any = getattr(obj, "item", None)
        if getattr(obj, "shape", None) == () and callable(number):  # a NumPy scalar
            return self.sanitize(number(), depth + 1)
        return _type_name(obj)

    def _pairs(self, pairs: Iterator[tuple[str, Any]], depth: int) -> dict[str, Any]:
        converted = {}
        for name, inner in itertools.islice(pairs, MAX_ITEMS):
            if self._budget <= 0:
                break
            self._budget -= len(name)
            converted[name] = MASK if _is_secret(secrecy(name), inner, name) else self._inner(inner, depth)
        return converted

    def _items(self, obj: Collection[Any], depth: int) -> list[Any]:
        """Convert a collection; secrets in a pair of name and value, and in a command line, are masked."""
        items = list(itertools.islice(obj, MAX_ITEMS))
        if len(items) == 2 and isinstance(items[0], str) and _is_secret(secrecy(items[0]), items[1], items[0]):
            return [self._inner(items[0], depth), MASK]
        if isinstance(obj, list | tuple) and any(isinstance(item, str) and item.startswith("-") for item in items):
            texts = iter(command([item for item in items if isinstance(item, str)]))
            items = [next(texts, MASK) if isinstance(item, str) else item for item in items]
        return [self._inner(inner, depth) for inner in items if self._budget > 0]

    def _inner(self, obj: Any, depth: int) -> Any:
        """Convert one of several values; half of the budget is reserved for those behind it."""
        reserved = self._budget // 2
        self._budget -= reserved
        result = self.sanitize(obj, depth + 1)
        self._budget += reserved
        return result


_NAME_KEYS = ("name", "key", "field", "header", "variable", "var", "env", "parameter", "option")
_VALUE_KEYS = ("value", "val", "default", "content", "data")


def _named_values(obj: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the items of a mapping; in one like ``{"name": "TOKEN", "value": "x"}`` a secret value is masked."""
    names = {name.lower(): value for name, value in itertools.islice(obj.items(), 8) if isinstance(name, str)}
    field_name = next((names[word] for word in _NAME_KEYS if isinstance(names.get(word), str)), "")
    level = secrecy(field_name) if field_name and len(obj) <= 8 else Secrecy.NEVER
    for name, inner in obj.items():
        secret = level > Secrecy.IF_RANDOM and isinstance(name, str) and name.lower() in _VALUE_KEYS
        yield _key(name), MASK if secret and _is_secret(level, inner, field_name) else inner


def _is_secret(level: Secrecy, obj: Any, name: str) -> bool:
    """Return whether a value of any type is masked beside a name."""
    if level is Secrecy.NEVER or obj is None or isinstance(obj, bool):
        return False
    if isinstance(obj, str):
        return bool(obj) and is_secret(level, obj[:LONGEST_TEXT], name)
    if isinstance(obj, int | float):
        return level is Secrecy.ALWAYS
    if isinstance(obj, Mapping | list | tuple | set | frozenset):
        return level > Secrecy.IF_RANDOM and bool(obj) and not all(isinstance(item, int | float) for item in obj)
    return level > Secrecy.IF_RANDOM


def _number(obj: Any) -> Any:
    if isinstance(obj, float):
        return float(obj) if obj == obj and abs(obj) != float("inf") else str(float(obj))
    if obj is None or isinstance(obj, bool):
        return obj
    return int(obj) if abs(obj) < 1 << 64 else _type_name(obj)


def _key(name: Any) -> str:
    if isinstance(name, str):
        return mask_fast(name[:LONGEST_KEY]).encode("utf-8", "replace").decode()
    if isinstance(name, bytes):
        return _key(name.decode("utf-8", "replace"))
    return str(_number(name)) if name is None or isinstance(name, bool | int | float) else _type_name(name)


def _type_name(obj: Any) -> str:
    return f"<{type(obj).__module__}.{type(obj).__qualname__}>"
