"""A project's classes and tags: new ones get their numbers here, those known keep theirs, the order stays as sent."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from autoflow.platform.body import Body, as_number
from autoflow.platform.refusals import bad
from autoflow.platform.store import counters

_CLASS = {"description": "", "shape": "any", "color": "#00A0FF", "geometry_config": {}, "hotkey": ""}
_TAG = {"value_type": "none", "color": "#00A0FF", "hotkey": "", "applicable_type": "all", "classes": []}


def _numbered(
    rows: Connection, known: list[dict[str, Any]], sent: list[Body], name: str, defaults: dict[str, Any]
) -> list[dict[str, Any]]:
    """The entries sent, each with a number: by a number this project gave, else by name, else a new one."""
    by_name = {entry[name]: entry["id"] for entry in known}
    ours = set(by_name.values())
    used: set[int] = set()
    names: set[str] = set()
    numbered = []
    for body in sent:
        title = body.text(name)
        if title in names:
            raise bad(f'"{body.place}{name}": there are two named {title!r}')
        names.add(title)
        number = as_number(body.fields.get("id"))
        if number not in ours or number in used:
            number = by_name.get(title)
        if number is None or number in used:
            number = counters.advance(rows, counters.CLASS)
        used.add(number)
        numbered.append({**defaults, **body.fields, "id": number})
    return numbered


def merged(rows: Connection, known: dict[str, Any], sent: Body) -> dict[str, Any]:
    """The document of classes and tags that takes the place of the known one; a kind not sent stays as it was."""
    document = dict(known)
    if sent.given("classes"):
        document["classes"] = _numbered(rows, known["classes"], list(sent.bodies("classes")), "title", _CLASS)
    if sent.given("tags"):
        document["tags"] = _numbered(rows, known["tags"], list(sent.bodies("tags")), "name", _TAG)
    return document
