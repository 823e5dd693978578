"""Tags on videos, point clouds and volumes; adding a tag again with the same value and frames changes nothing."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection, RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server.db import items, json_codec
from autoflow.server.db.change_tracking import edit_project
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.methods.annotated.families import Family
from autoflow.server.operations import Operation
from autoflow.server.project_types.meta import ItemTag, Meta, assigned, identity, number_new
from autoflow.server.project_types.object_annotations import framed
from autoflow.server.request_parser import RequestParser
from autoflow.wire.contract.labels import TagValue
from autoflow.wire.contract.method import Success


def _put(conn: Connection, family: Family, number: int, entries: Sequence[RequestParser]) -> list[JsonObject]:
    """Put tags on an item; return them in order, with their ids."""
    row = family.find(conn, [number])[number]
    with edit_project(conn, row["project_id"]) as edit:
        row = items.find(conn, [number])[number]
        meta = Meta.of(conn, row["project_id"])
        tags = [framed(entry, meta.valued(entry, entry.number("tagId"))) for entry in entries]
        before: list[ItemTag] = json_codec.load(row["tags"])
        after = assigned(before, [*(_without_id(tag) for tag in before), *tags])
        number_new(conn, [after])
        items.change(edit, row, tags=json_codec.dump(after))
    by_identity = {identity(tag): tag for tag in after}
    stamps = {"entityId": number, "createdAt": row["created_at"], "updatedAt": row["updated_at"]}
    return [{**by_identity[identity(tag)], **stamps} for tag in tags]


def _without_id(tag: Mapping[str, Any]) -> TagValue:
    return cast("TagValue", {name: value for name, value in tag.items() if name != "id"})


def add_many(family: Family, conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``*.tags.bulk.add``: tags of one item, answered in the order sent."""
    return _put(conn, family, request.number(family.owner), list(request.objects("tags")))


def add(family: Family, conn: Connection, request: RequestParser) -> JsonObject:
    """``*.tags.add``: one tag of one item."""
    return _put(conn, family, request.number(family.owner), [request])[0]


@contextlib.contextmanager
def _edit(conn: Connection, family: Family, number: int) -> Iterator[tuple[RowMapping, list[Any], int]]:
    """Edit the tags of the item that has a tag; yield the item, its tags, and the position of the tag."""
    row = items.find_by_tag(conn, number)
    row = family.find(conn, [row["id"]])[row["id"]]
    with edit_project(conn, row["project_id"]) as edit:
        row = items.find(conn, [row["id"]])[row["id"]]
        tags = json_codec.load(row["tags"])
        position = next((index for index, tag in enumerate(tags) if tag["id"] == number), None)
        if position is None:
            raise NotFound("tag", number)
        yield row, tags, position
        if len({identity(tag) for tag in tags}) < len(tags):
            raise Invalid(f"{family.project_type.item} {row['id']} has this tag with this value and frames already")
        items.change(edit, row, tags=json_codec.dump(tags))


def remove(family: Family, conn: Connection, request: RequestParser) -> Success:
    """``*.tags.remove`` by the tag's own id."""
    with _edit(conn, family, request.number("id")) as (_, tags, position):
        del tags[position]
    return {"success": True}


def set_value(family: Family, conn: Connection, request: RequestParser) -> Success:
    """``*.tags.update-value`` by the tag's own id."""
    with _edit(conn, family, request.number("id")) as (row, tags, position):
        meta = Meta.of(conn, row["project_id"])
        tags[position]["value"] = meta.valued(request, tags[position]["tagId"])["value"]
    return {"success": True}


def set_frames(family: Family, conn: Connection, request: RequestParser) -> Success:
    """``*.tags.update`` by the tag's own id: set the frames that it is on."""
    with _edit(conn, family, request.number("id")) as (_, tags, position):
        tag = tags[position]
        on_all = {name: value for name, value in tag.items() if name != "frameRange"}
        tags[position] = {**on_all, **framed(request, {"tagId": tag["tagId"], "value": tag["value"]})}
    return {"success": True}


_METHODS: Mapping[str, Callable[[Family, Connection, RequestParser], Any]] = {
    "bulk.add": add_many,
    "add": add,
    "remove": remove,
    "update-value": set_value,
    "update": set_frames,
}


def writes(family: Family) -> Mapping[str, Operation]:
    """Return the methods of a family that change tags."""
    return {f"{family.prefix}.tags.{name}": functools.partial(run, family) for name, run in _METHODS.items()}
