"""The classes and tags of a project, as annotations name them, and the tags on an item and on its objects."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from autoflow.model.json_object import JsonObject
from autoflow.server.db import counters, json_codec, projects
from autoflow.server.errors import Invalid, shortened
from autoflow.server.request_parser import RequestParser, as_text
from autoflow.wire.contract.labels import LabelDefinitions, TagValue


class ItemTag(TagValue):
    """A tag of an item as it is stored; its id is None until it is numbered."""

    id: int | None


class Meta:
    """A project's classes and tags, by number and by name."""

    def __init__(self, document: LabelDefinitions) -> None:
        self._classes = {entry["id"]: entry for entry in document["classes"]}
        self._tags = {entry["id"]: entry for entry in document["tags"]}
        self._class_numbers = {entry["title"]: entry["id"] for entry in document["classes"]}
        self._tag_numbers = {entry["name"]: entry["id"] for entry in document["tags"]}

    @classmethod
    def of(cls, conn: Connection, project_id: int) -> Meta:
        """Read the meta of a project."""
        return cls(projects.meta(conn, project_id))

    def class_number(self, request: RequestParser) -> int:
        """Return the number of the class an object names, by ``classTitle`` or else ``classId``."""
        if request.has("classTitle"):
            title = request.text("classTitle")
            if title not in self._class_numbers:
                raise Invalid(f'"{request.path}classTitle": the project has no class named {title!r}')
            return int(self._class_numbers[title])
        number = request.number("classId")
        if number not in self._classes:
            raise Invalid(f'"{request.path}classId": the project has no class {number}')
        return number

    def class_title(self, number: int) -> str | None:
        """Return the current title of a class; None if the project no longer has it."""
        return self._classes[number]["title"] if number in self._classes else None

    def tag(self, request: RequestParser) -> TagValue:
        """Return ``{"tagId", "value"}`` of a tag by its ``name`` or, if the project has no tag of that name, its
        ``tagId``: an annotation that was read from another project has that project's numbers.
        """
        name = as_text(request.fields.get("name"))
        if name in self._tag_numbers:
            return self.valued(request, self._tag_numbers[name])
        if request.has("tagId"):
            return self.valued(request, request.number("tagId"))
        raise Invalid(f'"{request.path}name": the project has no tag named {request.text("name")!r}')

    def valued(self, request: RequestParser, number: int) -> TagValue:
        """Return a tag with the request's ``value``, if the tag allows it."""
        value = request.fields.get("value")
        entry = self._tags.get(number)
        if entry is None:
            raise Invalid(f'"{request.path}tagId": the project has no tag {number}')
        if not _fits(entry, value):
            kind = entry.get("value_type", "none")
            raise Invalid(f'"{request.path}value": tag {entry["name"]!r} ({kind}) cannot be {shortened(value)}')
        return {"tagId": number, "value": value}

    def tag_name(self, number: int) -> str | None:
        """Return the current name of a tag."""
        return self._tags[number]["name"] if number in self._tags else None

    def object_tags(self, figure_id: int, stored_tags: Iterable[TagValue]) -> list[JsonObject]:
        """Return the tags of an object in the wire's shape."""
        return [
            {**tag, "id": object_tag_id(figure_id, tag), "name": self.tag_name(tag["tagId"])} for tag in stored_tags
        ]


def object_tag_id(figure_id: int, tag: TagValue) -> int:
    """Return the id of a tag on an object.

    It is derived from figure, tag and value: items of equal annotations share a document, which cannot store an id.
    """
    text = json_codec.dump([figure_id, tag["tagId"], tag["value"]], canonical=True)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big")


_FITS = {
    "none": lambda entry, value: value is None,
    "any_string": lambda entry, value: isinstance(value, str),
    "any_number": lambda entry, value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "oneof_string": lambda entry, value: value in (entry.get("values") or ()),
}


def _fits(entry: Mapping[str, Any], value: Any) -> bool:
    rule = _FITS.get(entry.get("value_type", "none"))
    return rule is None or bool(rule(entry, value))


def assigned(before: Sequence[ItemTag], tags: Iterable[TagValue]) -> list[ItemTag]:
    """Return distinct tags, each with the number it had before, None for a new one."""
    known = {identity(tag): tag["id"] for tag in reversed(before)}
    distinct: dict[tuple[Any, ...], TagValue] = {}
    for tag in tags:
        distinct.setdefault(identity(tag), tag)
    return [{"id": known.get(key), **tag} for key, tag in distinct.items()]


def number_new(conn: Connection, images: Sequence[Sequence[ItemTag]]) -> None:
    """Give numbers to the new tags of some images."""
    new = [tag for tags in images for tag in tags if tag["id"] is None]
    for tag, number in zip(new, counters.reserve(conn, counters.TAG, len(new)), strict=True):
        tag["id"] = number


def identity(tag: TagValue) -> tuple[Any, ...]:
    """Return the identity of a tag on an item: its tag's number, its value, and its frames if it has any."""
    value = tag["value"]
    plain = json_codec.dump(value, canonical=True) if isinstance(value, (list, dict)) else value
    frames = {name: member for name, member in tag.items() if name not in {"id", "tagId", "value"}}
    return (tag["tagId"], plain, json_codec.dump(frames, canonical=True)) if frames else (tag["tagId"], plain)
