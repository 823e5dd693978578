"""The part of Helm's templates that the chart uses: Helm itself is a program that has to be installed beside Python.

Actions: `if`, `else`, `with`, `range` over a map, `end`, and variables; pipelines of functions in `_FUNCTIONS`, with
parentheses. Anything else is an error.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml

_ACTION = re.compile(r"(\s*)\{\{-(.*?)(-?)\}\}|\{\{(.*?)(-?)\}\}", re.DOTALL)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[()|]|[^\s()|]+')


class Failed(Exception):
    """The template refuses its values."""


def _fail(message: str) -> None:
    raise Failed(message)


def _nindent(width: int, text: str) -> str:
    return "\n" + "\n".join(" " * width + line for line in text.splitlines())


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "and": lambda first, second: first and second,
    "fail": _fail,
    "gt": lambda first, second: first > second,
    "int": int,
    "nindent": _nindent,
    "not": lambda value: not value,
    "quote": lambda value: json.dumps(value if isinstance(value, str) else json.dumps(value)),
    "sha256sum": lambda text: hashlib.sha256(text.encode()).hexdigest(),
    "ternary": lambda yes, no, condition: yes if condition else no,
    "toJson": lambda value: json.dumps(value, sort_keys=True),
    "toYaml": lambda value: yaml.safe_dump(value).rstrip("\n"),
    "upper": str.upper,
}


def render(template: str, values: Mapping[str, Any]) -> str:
    """Return a template with values in it; raises `Failed` as `fail` says, `KeyError` for a value that is missing."""
    root = {"Values": values, "Release": {"Name": "lineage"}}
    return "".join(_block(iter(_parts(template)), {"$": root}, root)[0])


def _parts(template: str) -> Iterator[tuple[str, str]]:
    """The texts and actions of a template, without the white space that actions trim."""
    position, trim = 0, False
    for match in _ACTION.finditer(template):
        text = template[position : match.start()]
        yield "text", text.lstrip() if trim else text
        trimmed = match[2] is not None
        trim = bool(match[3] if trimmed else match[5])
        yield "action", (match[2] if trimmed else match[4]).strip()
        position = match.end()
    text = template[position:]
    yield "text", text.lstrip() if trim else text


def _block(
    parts: Iterator[tuple[str, str]], variables: dict[str, Any], dot: Any, active: bool = True
) -> tuple[list[str], str]:
    """Return what a block results in up to its `end` or `else`, and which of the two ends it."""
    output: list[str] = []
    for kind, content in parts:
        word, _, rest = content.partition(" ")
        if kind == "text":
            output += [content] if active else []
        elif word in {"end", "else"}:
            return output, word
        elif word in {"if", "with", "range"}:
            output += _nested(parts, word, rest, variables, dot, active)
        elif active and (match := re.fullmatch(r"(\$\w+) := (.*)", content, re.DOTALL)):
            variables[match[1]] = _value(match[2], variables, dot)
        elif active:
            value = _value(content, variables, dot)
            output.append("" if value is None else value if isinstance(value, str) else json.dumps(value))
    return output, ""


def _nested(
    parts: Iterator[tuple[str, str]], word: str, rest: str, variables: dict[str, Any], dot: Any, active: bool
) -> list[str]:
    if word == "range":
        names, _, expression = rest.partition(" := ")
        body = list(_until_end(parts))
        key, value = names.split(", ")
        entries = sorted(_value(expression, variables, dot).items()) if active else []
        return [
            text
            for entry_key, entry in entries
            for text in _block(iter(body), {**variables, key: entry_key, value: entry}, dot)[0]
        ]
    value = _value(rest, variables, dot) if active else None
    output, end = _block(parts, variables, value if word == "with" else dot, active and bool(value))
    if end == "else":
        output += _block(parts, variables, dot, active and not value)[0]
    return output


def _until_end(parts: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for kind, content in parts:
        if (kind, content) == ("action", "end"):
            return
        yield kind, content


def _value(expression: str, variables: Mapping[str, Any], dot: Any) -> Any:
    tokens = _TOKEN.findall(expression)
    value = _pipeline(tokens, variables, dot)
    assert not tokens, expression
    return value


def _pipeline(tokens: list[str], variables: Mapping[str, Any], dot: Any) -> Any:
    """Take a pipeline off the tokens, up to a closing parenthesis, and return its value."""
    piped: list[Any] = []
    while True:
        words: list[Any] = []
        while tokens and tokens[0] not in {"|", ")"}:
            token = tokens.pop(0)
            if token == "(":
                words.append(_pipeline(tokens, variables, dot))
                assert tokens.pop(0) == ")"
            else:
                words.append(_operand(token, variables, dot))
        first, *others = [*words, *piped]
        piped = [first(*others) if callable(first) else first]
        if not tokens or tokens[0] == ")":
            return piped[0]
        tokens.pop(0)


def _operand(token: str, variables: Mapping[str, Any], dot: Any) -> Any:
    if token.startswith('"'):
        return json.loads(token)
    if token.isdecimal():
        return int(token)
    if token in _FUNCTIONS:
        return _FUNCTIONS[token]
    name, *path = token.split(".")
    value = variables[name] if name else dot
    for part in filter(None, path):
        value = value[part]
    return value
