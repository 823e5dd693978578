"""Requests validated against their declarations (`wire.contract`) by msgspec, numbers as text included.

A declaration is translated once to a msgspec Struct of the same fields, with their names on the wire and their bounds.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin

import msgspec

from autoflow.server import limits
from autoflow.server.errors import Invalid
from autoflow.server.request_parser import as_text
from autoflow.wire.contract.method import Constraint, descriptions, wire_name

T = TypeVar("T")

_NOUNS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
_PROBLEM_AT = re.compile(r"(?P<problem>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_BLANK = re.compile(r"Expected `str` (?:matching regex|of length >= 1).*")
_LONG = re.compile(r"Expected `(array|str)` of length <= (\d+)")
_TYPE = re.compile(r"Expected `([\w| ]+)`(?: (>=|<=) (-?\d+))?(?:, got .*)?")


def validate(request_type: type[T], body: Mapping[str, Any]) -> T:
    """Return a request's body as its declared dataclass.

    Raises:
        Invalid: a member is missing, of the wrong type, or out of its bounds.
    """
    present = {name: value for name, value in body.items() if value is not None}
    try:
        checked = msgspec.convert(present, struct(cast(Any, request_type)), strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(request_type, str(error)) from None
    except UnicodeEncodeError:  # a lone surrogate in the text of a number
        raise Invalid("the body has text with a lone surrogate where a number is expected") from None
    request = msgspec.convert(checked, request_type, from_attributes=True)
    _check_texts(request, request_type, "")
    return request


def _invalid(request_type: type, message: str) -> Invalid:
    match = _PROBLEM_AT.fullmatch(message)
    assert match is not None
    problem, path = match["problem"], match["path"] or ""
    if missing := _MISSING.fullmatch(problem):
        path = f"{path}.{missing[1]}".lstrip(".")
        return Invalid(f'"{path}" is missing', {"field": path})
    if expected := _TYPE.fullmatch(problem):
        names = [name for name in expected[1].split(" | ") if name != "null"] or ["null"]
        problem = f"must be {' or '.join(_NOUNS.get(name, name) for name in names)}"
        if expected[2]:
            problem += f", at {'least' if expected[2] == '>=' else 'most'} {expected[3]}"
    elif problem.startswith("Invalid enum value"):
        problem = f"must be one of {', '.join(map(str, _choices(request_type, path)))}"
    elif _BLANK.fullmatch(problem):
        problem = "must be text that is not blank"
    elif long := _LONG.fullmatch(problem):
        parts = "entries: send them in parts" if long[1] == "array" else "characters"
        problem = f"has more than {long[2]} {parts}"
    return Invalid(f'"{path or "the body"}" {problem}', {"field": path} if path else None)


def _choices(request_type: type, path: str) -> tuple[Any, ...]:
    """Return the values of the Literal at a path such as ``expand[...].side``."""
    declared: Any = request_type
    for name in re.sub(r"\[[^\]]*\]", "", path).split("."):
        hints = {wire_name(field): hint for field, hint in typing.get_type_hints(declared).items()}
        declared = hints[name]
        while get_origin(declared) not in {None, Literal}:
            declared = get_args(declared)[0]
    return get_args(declared)


def _check_texts(value: Any, declared: Any, path: str) -> None:
    """Check what msgspec does not: that texts can be stored, and that lists are no longer than any request's."""
    if isinstance(value, str):
        _check_text(value, _unwrapped(declared)[0], path)
    elif isinstance(value, list):
        constraint, element_type = _unwrapped(declared)
        limits.check_size(path, value, constraint.max_length)
        if element_type is not Any:
            for position, element in enumerate(value):
                _check_texts(element, element_type, f"{path}[{position}]")
    elif dataclasses.is_dataclass(value):
        prefix = f"{path}." if path else ""
        for name, sent_name, hint in _members(cast(Any, type(value))):
            _check_texts(getattr(value, name), hint, f"{prefix}{sent_name}")


@functools.cache
def _unwrapped(declared: Any) -> tuple[Constraint, Any]:
    """Return the constraint of a declared type, and the type of its elements if it is a list, else Any."""
    constraint = Constraint()
    if get_origin(declared) is Annotated:
        declared, constraint = get_args(declared)[:2]
    if get_origin(declared) in {Union, types.UnionType}:
        declared = next((choice for choice in get_args(declared) if choice is not type(None)), declared)
        if get_origin(declared) is Annotated:
            declared, constraint = get_args(declared)[:2]
    return constraint, (*get_args(declared), Any)[0]


@functools.cache
def _members(declared: Any) -> list[tuple[str, str, Any]]:
    """Return the members of a request's dataclass: their names, those on the wire, and their declared types."""
    return [(name, wire_name(name), hint) for name, hint in _hints(declared).items()]


def _check_text(text: str, constraint: Constraint, path: str) -> None:
    problem = None
    if constraint.any_text:
        return
    if as_text(text) is None:
        problem = "text"
    elif constraint.not_blank and not text.strip():
        problem = "text that is not blank"
    elif constraint.not_blank and len(text.encode()) > limits.NAME:
        problem = f"at most {limits.NAME} bytes long"
    elif len(text) > limits.TEXT:
        problem = f"at most {limits.TEXT} characters long"
    if problem is not None:
        raise Invalid(f'"{path}" must be {problem}', {"field": path})


@functools.cache
def _hints(declared: Any) -> dict[str, Any]:
    return typing.get_type_hints(declared, include_extras=True)


def required(value: T | None, name: str) -> T:
    """Return a member that a request needs unless it has another one.

    Raises:
        Invalid: it is absent.
    """
    if value is None:
        raise Invalid(f'"{name}" is missing', {"field": name})
    return value


# -- declarations as msgspec's types


@functools.cache
def struct(declared: Any) -> type[msgspec.Struct]:
    """Return the Struct of a declared dataclass or TypedDict."""
    summary, texts = descriptions(declared)
    members: list[Any] = []
    keys: dict[str, str] = {}
    for name, hint in _hints(declared).items():
        member: Any = _described(translate(hint), texts.get(name))
        attribute = name if name.isidentifier() and name != "from" else f"{name}_"
        keys[attribute] = name if typing.is_typeddict(declared) else wire_name(name)
        members.append((attribute, *_optional(declared, name, member)))
    result = msgspec.defstruct(declared.__name__, members, rename=keys.get, kw_only=True)
    result.__doc__ = summary
    return result


def _optional(declared: type, name: str, member: Any) -> tuple[Any, ...]:
    """Return a member's type, and its default if it may be absent."""
    if not dataclasses.is_dataclass(declared):
        required = name in declared.__required_keys__  # type: ignore[attr-defined]
        return (member,) if required else (Union[member, msgspec.UnsetType], msgspec.UNSET)  # noqa: UP007
    (field,) = (field for field in dataclasses.fields(declared) if field.name == name)
    if field.default_factory is not dataclasses.MISSING:
        return member, msgspec.field(default_factory=field.default_factory)
    return (member,) if field.default is dataclasses.MISSING else (member, field.default)


def _described(member: Any, description: str | None) -> Any:
    return Annotated[member, msgspec.Meta(description=description)] if description else member


def translate(hint: Any) -> Any:
    """Return a declared type with Structs and msgspec's bounds."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _bounded(translate(arguments[0]), arguments[1])
    if origin in {Union, types.UnionType}:
        return Union[tuple(translate(argument) for argument in arguments)]  # noqa: UP007
    if origin in {list, dict, tuple}:
        return origin[tuple(argument if argument is ... else translate(argument) for argument in arguments)]
    if dataclasses.is_dataclass(hint) or typing.is_typeddict(hint):
        return struct(hint)
    return hint


def _bounded(hint: Any, constraint: Constraint) -> Any:
    bounds: dict[str, Any] = {"ge": constraint.minimum, "le": constraint.maximum, "max_length": constraint.max_length}
    if constraint.not_blank:
        bounds |= {"min_length": 1, "pattern": r"\S"}
    bounds = {name: value for name, value in bounds.items() if value is not None}
    return Annotated[hint, msgspec.Meta(**bounds)] if bounds else hint
