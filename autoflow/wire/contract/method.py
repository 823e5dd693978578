"""Declarations of methods: names, requests, responses and bounds of values.

A request is a frozen dataclass, whose fields are written in camelCase on the wire; the first line of its docstring
describes the method, its ``Args`` describe the fields. A member that is null counts as absent. A response is a
TypedDict with the keys of the wire. `Annotated` types bound values by a `Constraint`.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
from typing import Annotated, Any, Generic, NamedTuple, TypedDict, TypeVar, is_typeddict

Request = TypeVar("Request")
Response = TypeVar("Response")

MAX_INTEGER = 2**53 - 1  # JavaScript reads larger numbers inexactly


class Constraint(NamedTuple):
    """Bounds of a value; None and False where there is no bound.

    Args:
        minimum: least number.
        maximum: greatest number.
        max_length: entries of the longest list, characters of the longest text.
        not_blank: whether a text must have a character that is no space, and be short enough for an index.
        any_text: whether a text may hold what a database cannot store; the server replaces that.
    """

    minimum: int | None = None
    maximum: int | None = None
    max_length: int | None = None
    not_blank: bool = False
    any_text: bool = False


Id = Annotated[int, Constraint(1, MAX_INTEGER)]
Positive = Annotated[int, Constraint(1, MAX_INTEGER)]
Count = Annotated[int, Constraint(0, MAX_INTEGER)]
Name = Annotated[str, Constraint(not_blank=True)]
AnyText = Annotated[str, Constraint(any_text=True)]
Query = Annotated[str, Constraint(max_length=1000)]


@dataclasses.dataclass(frozen=True)
class Method(Generic[Request, Response]):
    """One method of the wire.

    Args:
        name: name in the method's url.
        request: dataclass of the request's body.
        response: type of the response's body, `bytes` for a file.
        errors: status codes beside those that every method may answer with.
        files: whether the body is a multipart form with files, instead of JSON; the request has no members then.
    """

    name: str
    request: type[Request]
    response: type[Response]
    errors: tuple[int, ...] = ()
    files: bool = False


@dataclasses.dataclass(frozen=True)
class Empty:
    """A request without members."""


class Success(TypedDict):
    """Response of a method that only changes something."""

    success: bool


@functools.cache
def wire_name(field: str) -> str:
    """Return the key of a request's field: ``project_id`` is ``projectId``, ``from_`` is ``from``."""
    return re.sub("_([a-z])", lambda match: match[1].upper(), field.rstrip("_"))


def to_wire(value: Any) -> Any:
    """Return a request as JSON values, without the members that are None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        members = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {wire_name(name): to_wire(member) for name, member in members if member is not None}
    if isinstance(value, (list, tuple)):
        return [to_wire(element) for element in value]
    return value


def _lineage(declared: type) -> list[type]:
    """Return a class after its bases; the method resolution order of a TypedDict leaves its bases out."""
    if not is_typeddict(declared):
        return list(reversed(declared.__mro__))
    bases = [base for base in getattr(declared, "__orig_bases__", ()) if is_typeddict(base)]
    return [*(ancestor for base in bases for ancestor in _lineage(base)), declared]


def descriptions(declared: type) -> tuple[str, dict[str, str]]:
    """Return the first paragraph of a docstring, and its ``Args`` and those of base classes by name."""
    text = ""
    fields: dict[str, str] = {}
    for base in _lineage(declared):
        text, _, arguments = inspect.cleandoc(base.__doc__ or "").partition("Args:")
        entries = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", arguments, re.MULTILINE)
        fields.update((name, " ".join(description.split())) for name, description in entries)
    return " ".join(text.strip().partition("\n\n")[0].split()), fields
