"""Tags on images, checked against the project's meta; adding a tag again with the same value changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from autoflow.server.db import counters, items, json_codec, projects
from autoflow.server.db.change_tracking import ProjectEdit, edit_project
from autoflow.server.errors import Invalid, NotFound, shortened
from autoflow.server.operations import Operation
from autoflow.server.request_parser import RequestParser, as_text


class Meta:
    """A project's classes and tags, by number and by name."""

    def __init__(self, document: Mapping[str, Any]) -> None:
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

    def tag(self, request: RequestParser) -> dict[str, Any]:
        """Return ``{"tagId", "value"}`` of a tag by its ``name`` or, if the project has no tag of that name, its
        ``tagId``: an annotation that was read from another project has that project's numbers.
        """
        name = as_text(request.fields.get("name"))
        if name in self._tag_numbers:
            return self.valued(request, self._tag_numbers[name])
        if request.has("tagId"):
            return self.valued(request, request.number("tagId"))
        raise Invalid(f'"{request.path}name": the project has no tag named {request.text("name")!r}')

    def valued(self, request: RequestParser, number: int) -> dict[str, Any]:
        """Return a tag with the request's ``value``, if the tag allows it."""
        value = request.fields.get("value")
        entry = self._tags.get(number)
        if entry is None:
            raise Invalid(f'"{request.path}tagId": the project has no tag {number}')
        if not _fits(entry, value):
            raise Invalid(
                f'"{request.path}value": tag {entry["name"]!r} ({entry["value_type"]}) cannot be {shortened(value)}'
            )
        return {"tagId": number, "value": value}

    def tag_name(self, number: int) -> str | None:
        """Return the current name of a tag."""
        return self._tags[number]["name"] if number in self._tags else None


_FITS = {
    "none": lambda entry, value: value is None,
    "any_string": lambda entry, value: isinstance(value, str),
    "any_number": lambda entry, value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "oneof_string": lambda entry, value: value in (entry.get("values") or ()),
}


def _fits(entry: Mapping[str, Any], value: Any) -> bool:
    rule = _FITS.get(entry.get("value_type", "none"))
    return rule is None or bool(rule(entry, value))


def assigned(before: list[dict[str, Any]], tags: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return distinct tags, each with the number it had before, None for a new one."""
    known = {_identity(tag): tag["id"] for tag in reversed(before)}
    distinct: dict[Any, dict[str, Any]] = {}
    for tag in tags:
        distinct.setdefault(_identity(tag), tag)
    return [{"id": known.get(key), **tag} for key, tag in distinct.items()]


def number_new(conn: Connection, images: Sequence[Sequence[dict[str, Any]]]) -> None:
    """Give numbers to the new tags of some images."""
    new = [tag for tags in images for tag in tags if tag["id"] is None]
    for tag, number in zip(new, counters.reserve(conn, counters.TAG, len(new)), strict=True):
        tag["id"] = number


def _identity(tag: Mapping[str, Any]) -> tuple[int, Any]:
    """Return the identity of a tag on an image: its tag's number and its value."""
    value = tag["value"]
    return tag["tagId"], json_codec.dump(value, canonical=True) if isinstance(value, (list, dict)) else value


def _put_on(edit: ProjectEdit, entries: Iterable[tuple[int, dict[str, Any]]]) -> dict[int, dict[Any, dict[str, Any]]]:
    """Add tags to images; return each image's tags by their identity."""
    by_image: dict[int, list[dict[str, Any]]] = {}
    for number, tag in entries:
        by_image.setdefault(number, []).append(tag)
    image_rows = items.find(edit.conn, list(by_image))
    after: dict[int, list[dict[str, Any]]] = {}
    for number, row in image_rows.items():
        if row["project_id"] != edit.project["id"]:
            raise Invalid(f"image {number} is not of project {edit.project['id']}")
        before = json_codec.load(row["tags"])
        plain = [{"tagId": existing["tagId"], "value": existing["value"]} for existing in before]
        after[number] = assigned(before, [*plain, *by_image[number]])
    number_new(edit.conn, list(after.values()))
    items.change_many(edit, [(image_rows[number], {"tags": json_codec.dump(tags)}) for number, tags in after.items()])
    return {number: {_identity(tag): tag for tag in tags} for number, tags in after.items()}


def _by_project(conn: Connection, numbers: list[int]) -> dict[int, list[int]]:
    by_project: dict[int, list[int]] = {}
    for number, row in items.find(conn, numbers).items():
        by_project.setdefault(row["project_id"], []).append(number)
    return by_project


def add_to_images(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``image-tags.bulk.add-to-image``: one tag on many images."""
    for project_id, numbers in sorted(_by_project(conn, request.unique_numbers("ids")).items()):
        with edit_project(conn, project_id) as edit:
            tag = Meta.of(conn, project_id).valued(request, request.number("tagId"))
            _put_on(edit, ((number, tag) for number in numbers))
    return {"success": True}


def add_many(conn: Connection, request: RequestParser) -> list[dict[str, Any]]:
    """``tags.entities.bulk.add``: many tags on many images of a project, answered in the order sent."""
    with edit_project(conn, request.number("projectId")) as edit:
        meta = Meta.of(conn, edit.project["id"])
        entries = [
            (entry.number("entityId"), meta.valued(entry, entry.number("tagId"))) for entry in request.objects("tags")
        ]
        tags = _put_on(edit, entries)
    return [{**tags[number][_identity(tag)], "entityId": number} for number, tag in entries]


def _take_off(conn: Connection, numbers: list[int], tag_ids: set[int], only: int | None) -> None:
    for project_id, images in sorted(_by_project(conn, numbers).items()):
        with edit_project(conn, project_id) as edit:
            changes = []
            for row in items.find(conn, images).values():
                before = json_codec.load(row["tags"])
                remaining = [tag for tag in before if tag["tagId"] not in tag_ids or only not in {None, tag["id"]}]
                changes.append((row, {"tags": json_codec.dump(remaining)}))
            items.change_many(edit, changes)


def remove_from_image(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``image-tags.remove-from-image``: remove one tag, by its own number, from an image."""
    _take_off(conn, [request.number("imageId")], {request.number("tagId")}, request.number("id"))
    return {"success": True}


def remove_from_images(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``image-tags.bulk.remove-from-images``: remove these tags from these images, with every value."""
    _take_off(conn, request.unique_numbers("ids"), set(request.numbers("tagIds")), None)
    return {"success": True}


def set_value(conn: Connection, request: RequestParser) -> dict[str, Any]:
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
