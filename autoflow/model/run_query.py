"""Search expressions for runs: ``result.mAP > 0.6 and parameters.epochs = 20 and state = finished``.

Comparisons of a field with a number or a text, joined by ``and``, ``or``, ``not`` and parentheses. Nothing is
evaluated: an expression becomes a tree of values, which the server makes an SQL condition of.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

FIELDS = ("state", "app", "id", "started", "finished")
PREFIXES = ("result.", "parameters.")
Operator = Literal["=", "!=", ">", ">=", "<", "<="]
MAX_LENGTH, MAX_COMPARISONS = 2000, 50
_TOKEN = re.compile(r"""\s*(?:(?P<text>"[^"]*"|'[^']*')|(?P<symbol><=|>=|!=|==|[=<>()])|(?P<word>[^\s"'<>=!()]+))""")
_OPERATORS: dict[str, Operator] = {"=": "=", "==": "=", "!=": "!=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}
_EXPECTED = "one of = != > >= < <="
_FORM = 'write, for example: result.mAP > 0.6 and parameters.epochs = 20 and state = finished, or "result.val loss" < 1'


class Comparison(NamedTuple):
    """A comparison of a field with a value.

    Args:
        field: one of `FIELDS`, or a name that begins with one of `PREFIXES`.
        operator: the comparison.
        value: a number as it was written, or a text.
    """

    field: str
    operator: Operator
    value: float | str


@dataclass(frozen=True)
class Joined:
    """Conditions of which all or any must hold."""

    operator: Literal["and", "or"]
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Negated:
    """A condition that must not hold."""

    part: Condition


Condition = Comparison | Joined | Negated


class Order(NamedTuple):
    """The order of runs: a field, and whether the greatest value comes first."""

    field: str
    descending: bool


def check_field(name: str) -> str:
    """Return the name of a field.

    Raises:
        ValueError: runs have no such field.
    """
    if name in FIELDS or (name.startswith(PREFIXES) and not name.endswith(".")):
        return name
    raise ValueError(f"{name!r} is not a field of runs: there are {', '.join(FIELDS)}, result.NAME and parameters.NAME")


def parse_order(text: str) -> Order:
    """Parse an order: ``result.mAP``, or ``-result.mAP`` for the greatest first.

    Raises:
        ValueError: runs have no such field.
    """
    return Order(check_field(text.strip().lstrip("-")), text.strip().startswith("-"))


def parse_condition(text: str) -> Condition:
    """Parse an expression.

    Raises:
        ValueError: it is not one; the message says where, and shows an example.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"the expression is longer than {MAX_LENGTH} characters")
    return _Parser(text).parse()


def among(tasks: Sequence[int], where: str | None = None) -> str:
    """Return the expression that holds for runs of some tasks for which another one holds.

    Raises:
        ValueError: the other one is not an expression.
    """
    ids = " or ".join(f"id = {number}" for number in tasks)
    if where is None or not where.strip():
        return ids
    parse_condition(where)  # else a parenthesis in it could close ours
    return f"({ids}) and ({where})"


class _Token(NamedTuple):
    kind: str
    text: str


class _Parser:
    """Recursive descent over the tokens of an expression."""

    def __init__(self, text: str) -> None:
        self._tokens: list[_Token] = []
        self._position = 0
        self._comparisons = 0
        offset = 0
        stripped = text.rstrip()
        while offset < len(stripped):
            match = _TOKEN.match(stripped, offset)
            if match is None:
                raise ValueError(f"{stripped[offset:].strip()[:40]!r} is not understood: {_FORM}")
            kind = str(match.lastgroup)
            self._tokens.append(_Token(kind, match[kind].strip("\"'") if kind == "text" else match[kind]))
            offset = match.end()

    def parse(self) -> Condition:
        """Return the whole expression."""
        condition = self._any_of()
        if self._position < len(self._tokens):
            raise self._unexpected("the end")
        return condition

    def _any_of(self) -> Condition:
        parts = [self._all_of()]
        while self._accept("word", "or"):
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else Joined("or", tuple(parts))

    def _all_of(self) -> Condition:
        parts = [self._term()]
        while self._accept("word", "and"):
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else Joined("and", tuple(parts))

    def _term(self) -> Condition:
        self._comparisons += 1  # counts "not" and parentheses, too, so that the depth is bounded
        if self._comparisons > MAX_COMPARISONS:
            raise ValueError(f"the expression has more than {MAX_COMPARISONS} comparisons")
        if self._accept("word", "not"):
            return Negated(self._term())
        if self._accept("symbol", "("):
            condition = self._any_of()
            if not self._accept("symbol", ")"):
                raise self._unexpected("a closing parenthesis")
            return condition
        field = check_field(self._next("a field", "word", "text").text)
        operator = _OPERATORS.get(self._next(_EXPECTED, "symbol").text)
        if operator is None:
            self._position -= 1
            raise self._unexpected(_EXPECTED)
        return Comparison(field, operator, _value(self._next("a number or a text", "word", "text")))

    def _accept(self, kind: str, text: str) -> bool:
        if self._position < len(self._tokens):
            token = self._tokens[self._position]
            if token.kind == kind and token.text.lower() == text:
                self._position += 1
                return True
        return False

    def _next(self, expected: str, *kinds: str) -> _Token:
        if self._position >= len(self._tokens) or self._tokens[self._position].kind not in kinds:
            raise self._unexpected(expected)
        self._position += 1
        return self._tokens[self._position - 1]

    def _unexpected(self, expected: str) -> ValueError:
        rest = self._tokens[self._position].text if self._position < len(self._tokens) else "the end"
        return ValueError(f"{expected} is expected instead of {rest[:40]!r}: {_FORM}")


def _value(token: _Token) -> float | str:
    if token.kind == "word":
        try:
            number = float(token.text)
        except ValueError:
            return token.text
        if number - number == 0:  # neither infinite nor NaN
            return number
    return token.text
