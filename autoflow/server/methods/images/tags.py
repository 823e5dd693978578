"""Tags on images, checked against the project's meta; adding a tag again with the same value changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from autoflow.model.json_object import JsonObject
from autoflow.server.db import items, json_codec
from autoflow.server.db.change_tracking import ProjectEdit, edit_project
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.operations import Operation
from autoflow.server.project_types.meta import ItemTag, Meta, assigned, identity, number_new
from autoflow.server.request_parser import RequestParser
from autoflow.wire.contract.labels import TagValue
from autoflow.wire.contract.method import Success


def _put_on(edit: ProjectEdit, entries: Iterable[tuple[int, TagValue]]) -> dict[int, dict[Any, ItemTag]]:
    """Add tags to images; return each image's tags by their identity."""
    by_image: dict[int, list[TagValue]] = {}
    for number, tag in entries:
        by_image.setdefault(number, []).append(tag)
    image_rows = items.find(edit.conn, list(by_image))
    after: dict[int, list[ItemTag]] = {}
    for number, row in image_rows.items():
        if row["project_id"] != edit.project["id"]:
            raise Invalid(f"image {number} is not of project {edit.project['id']}")
        before: list[ItemTag] = json_codec.load(row["tags"])
        plain: list[TagValue] = [{"tagId": existing["tagId"], "value": existing["value"]} for existing in before]
        after[number] = assigned(before, [*plain, *by_image[number]])
    number_new(edit.conn, list(after.values()))
    items.change_many(edit, [(image_rows[number], {"tags": json_codec.dump(tags)}) for number, tags in after.items()])
    return {number: {identity(tag): tag for tag in tags} for number, tags in after.items()}


def _by_project(conn: Connection, numbers: list[int]) -> dict[int, list[int]]:
    by_project: dict[int, list[int]] = {}
    for number, row in items.find(conn, numbers).items():
        by_project.setdefault(row["project_id"], []).append(number)
    return by_project


def add_to_images(conn: Connection, request: RequestParser) -> Success:
    """``image-tags.bulk.add-to-image``: one tag on many images."""
    for project_id, numbers in sorted(_by_project(conn, request.unique_numbers("ids")).items()):
        with edit_project(conn, project_id) as edit:
            tag = Meta.of(conn, project_id).valued(request, request.number("tagId"))
            _put_on(edit, ((number, tag) for number in numbers))
    return {"success": True}


def add_many(conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``tags.entities.bulk.add``: many tags on many images of a project, answered in the order sent."""
    with edit_project(conn, request.number("projectId")) as edit:
        meta = Meta.of(conn, edit.project["id"])
        entries = [
            (entry.number("entityId"), meta.valued(entry, entry.number("tagId"))) for entry in request.objects("tags")
        ]
        tags = _put_on(edit, entries)
    return [{**tags[number][identity(tag)], "entityId": number} for number, tag in entries]


def _take_off(conn: Connection, numbers: list[int], tag_ids: set[int], only: int | None) -> None:
    for project_id, images in sorted(_by_project(conn, numbers).items()):
        with edit_project(conn, project_id) as edit:
            changes = []
            for row in items.find(conn, images).values():
                before = json_codec.load(row["tags"])
                remaining = [tag for tag in before if tag["tagId"] not in tag_ids or only not in {None, tag["id"]}]
                changes.append((row, {"tags": json_codec.dump(remaining)}))
            items.change_many(edit, changes)


def remove_from_image(conn: Connection, request: RequestParser) -> Success:
    """``image-tags.remove-from-image``: remove one tag, by its own number, from an image."""
    _take_off(conn, [request.number("imageId")], {request.number("tagId")}, request.number("id"))
    return {"success": True}


def remove_from_images(conn: Connection, request: RequestParser) -> Success:
    """``image-tags.bulk.remove-from-images``: remove these tags from these images, with every value."""
    _take_off(conn, request.unique_numbers("ids"), set(request.numbers("tagIds")), None)
    return {"success": True}


def set_value(conn: Connection, request: RequestParser) -> JsonObject:
    """``image-tags.update-tag-value`` of a tag on an image, by the tag's own number.

    Raises:
        Invalid: the tag does not allow the value, or the image has it with that value already.
    """
    number = request.number("id")
    row = items.find_by_tag(conn, number)
    with edit_project(conn, row["project_id"]) as edit:
        row = items.find(conn, [row["id"]])[row["id"]]
        before = json_codec.load(row["tags"])
        current = next((tag for tag in before if tag["id"] == number), None)
        if current is None:
            raise NotFound("tag", number)
        tag = {"id": number, **Meta.of(conn, row["project_id"]).valued(request, current["tagId"])}
        others = [other for other in before if other is not current]
        if any((other["tagId"], other["value"]) == (tag["tagId"], tag["value"]) for other in others):
            raise Invalid(f'"value": image {row["id"]} has this tag with {tag["value"]!r} already')
        items.change(edit, row, tags=json_codec.dump([tag if other is current else other for other in before]))
    return {**tag, "entityId": row["id"], "imageId": row["id"]}


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = {
    "image-tags.bulk.add-to-image": add_to_images,
    "tags.entities.bulk.add": add_many,
    "image-tags.remove-from-image": remove_from_image,
    "image-tags.bulk.remove-from-images": remove_from_images,
    "image-tags.update-tag-value": set_value,
}
