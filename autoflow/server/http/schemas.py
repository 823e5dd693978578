"""JSON schemas in few words, and a method described by them."""

from __future__ import annotations

from typing import Any, NamedTuple

Schema = dict[str, Any]

LARGEST = 2**53 - 1


def of(kind: str, says: str = "", **more: Any) -> Schema:
    """A value of a JSON type, with what is said of it."""
    return {"type": kind, **({"description": says} if says else {}), **more}


def fields(required: str = "", says: str = "", **members: Schema) -> Schema:
    """An object of these members; `required` names those that must be there."""
    names = {"required": required.split()} if required else {}
    return of("object", says, properties=members, **names)


def number(says: str = "") -> Schema:
    """A number that things are named by."""
    return of("integer", says, minimum=1, maximum=LARGEST)


def maybe(schema: Schema) -> Schema:
    """The same, or null."""
    return {**schema, "type": [schema["type"], "null"]}


class Described(NamedTuple):
    """One method.

    Args:
        summary: what it does, in a line.
        takes: its body.
        gives: its answer.
        refuses: statuses of its own, beside 400 and those that any request may meet.
    """

    summary: str
    takes: Schema
    gives: Schema
    refuses: tuple[int, ...] = ()
