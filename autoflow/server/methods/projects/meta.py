"""A project's classes and tags: new ones get numbers here, known ones keep theirs, the order is that of the request.

Removing a class or tag removes its objects, or the tag from images and objects: clients cannot read an object without
a class.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from autoflow.model.json_object import JsonObject
from autoflow.server.db import counters, items, json_codec, projects
from autoflow.server.db.change_tracking import ProjectEdit
from autoflow.server.db.schema import items as table
from autoflow.server.errors import Invalid, shortened
from autoflow.server.paging import CHUNK
from autoflow.server.request_parser import RequestParser, as_number
from autoflow.wire.contract.labels import LabelDefinitions

_CLASS = {"description": "", "shape": "any", "color": "#00A0FF", "geometry_config": {}, "hotkey": ""}
_TEXTS = ("description", "shape", "color", "hotkey", "value_type", "applicable_type", "target_type")
_TAG = {"value_type": "none", "color": "#00A0FF", "hotkey": "", "applicable_type": "all", "classes": []}


def _numbered(
    conn: Connection, known: Sequence[Mapping[str, Any]], sent: list[RequestParser], name: str, defaults: JsonObject
) -> list[Any]:
    """Return the sent entries, numbered as sent if the project has that number, else as the known one of that name."""
    by_name = {entry[name]: entry["id"] for entry in known}
    ours = set(by_name.values())
    used: set[int | None] = {None}
    names: set[str] = set()
    numbers: list[int | None] = []
    for entry in sent:
        title = entry.text(name)
        if title in names:
            raise Invalid(f'"{entry.path}{name}": there are two named {shortened(title)}')
        names.add(title)
        _check_entry(entry)
        number = as_number(entry.fields.get("id"))
        if number not in ours or number in used:
            number = by_name.get(title)
        numbers.append(None if number in used else number)
        used.add(number)
    new = _new_numbers(conn, numbers.count(None), ours)
    return [
        {**defaults, **entry.fields, "id": next(new) if number is None else number}
        for entry, number in zip(sent, numbers, strict=True)
    ]


def _new_numbers(conn: Connection, count: int, ours: Collection[int]) -> Iterator[int]:
    """Yield new numbers; a project that was copied from another store may have some of them already."""
    while count:
        for number in counters.reserve(conn, counters.CLASS, count):
            if number not in ours:
                count -= 1
                yield number


def _check_entry(request: RequestParser) -> None:
    """See that the members of a class or a tag that are read here are of their types.

    Raises:
        Invalid: one is not.
    """
    for member in _TEXTS:
        request.text(member, "")
    request.mapping("geometry_config")
    for member in ("classes", "values"):
        if not all(isinstance(value, str) for value in request.array(member, required=False)):
            raise Invalid(f'"{request.path}{member}" must be a list of texts')


def merged(conn: Connection, known: LabelDefinitions, sent: RequestParser) -> LabelDefinitions:
    """The document of classes and tags that takes the place of the known one; a kind not sent stays as it was."""
    document: LabelDefinitions = {**known}
    if sent.has("classes"):
        document["classes"] = _numbered(conn, known["classes"], list(sent.objects("classes")), "title", _CLASS)
    if sent.has("tags"):
        document["tags"] = _numbered(conn, known["tags"], list(sent.objects("tags")), "name", _TAG)
    return document


def replace(edit: ProjectEdit, known: LabelDefinitions, document: LabelDefinitions) -> None:
    """Put a document in place of the known one, and take away what is of the classes and tags that are gone."""
    projects.set_meta(edit, document)
    classes = {entry["id"] for entry in known["classes"]} - {entry["id"] for entry in document["classes"]}
    tags = {entry["id"] for entry in known["tags"]} - {entry["id"] for entry in document["tags"]}
    if classes or tags:
        _prune(edit, classes, tags)


def _prune(edit: ProjectEdit, classes: set[int], tags: set[int]) -> None:
    for part in _parts(edit):
        texts = items.read_documents(edit.conn, [row["annotation"] for row in part if row["annotation"]])
        changes: list[tuple[RowMapping, dict[str, Any]]] = []
        pruned: dict[str, bytes] = {}
        for row in part:
            remaining = [tag for tag in json_codec.load(row["tags"]) if tag["tagId"] not in tags]
            values: dict[str, Any] = {"tags": json_codec.dump(remaining)}
            document = texts.get(row["annotation"])
            if document is not None:
                objects = [
                    {**stored, "tags": [tag for tag in stored["tags"] if tag["tagId"] not in tags]}
                    for stored in document["objects"]
                    if stored["classId"] not in classes
                ]
                remaining_document = {**document, "objects": objects}
                if "figures" in document:
                    remaining_document["figures"] = _figures_of(objects, document["figures"], classes, tags)
                name, text = items.encode_document(remaining_document)
                pruned[name] = text
                values.update(annotation=name, labels=len(remaining_document.get("figures", objects)))
            changes.append((row, values))
        items.save_encoded_documents(edit.conn, pruned)
        items.change_many(edit, changes)


def _figures_of(
    objects: Sequence[JsonObject], figures: Sequence[JsonObject], classes: set[int], tags: set[int]
) -> list[JsonObject]:
    """Return the figures of objects, and those of shared objects of other classes, without tags that are removed."""
    numbers = {stored["id"] for stored in objects}
    return [
        {**figure, "tags": [tag for tag in figure["tags"] if tag["tagId"] not in tags]}
        for figure in figures
        if (figure["objectId"] in numbers if figure["objectId"] > 0 else figure["classId"] not in classes)
    ]


def _parts(edit: ProjectEdit) -> Iterator[list[RowMapping]]:
    """Yield the project's items that have annotations or tags, in chunks."""
    query = select(table).where(table.c.project_id == edit.project["id"]).order_by(table.c.id).limit(CHUNK)
    query = query.where(table.c.annotation.is_not(None) | (table.c.tags != "[]"))
    last = 0
    while part := list(edit.conn.execute(query.where(table.c.id > last)).mappings()):
        yield part
        last = part[-1]["id"]
