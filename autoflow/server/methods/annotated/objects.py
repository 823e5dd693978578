"""Objects of annotations and their tags: ``annotation-objects.*``, of videos, point clouds and volumes alike."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from autoflow.model.json_object import JsonObject
from autoflow.server.db import attachments, datasets, items, projects
from autoflow.server.db.change_tracking import edit_project
from autoflow.server.db.schema import items as table
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.methods.annotated.documents import DocumentEditor, item_of, read
from autoflow.server.operations import Operation
from autoflow.server.paging import ListPage, page_of_entities
from autoflow.server.project_types import registry
from autoflow.server.project_types.images import FIGURES
from autoflow.server.project_types.meta import Meta
from autoflow.server.project_types.object_annotations import ObjectAnnotations, framed
from autoflow.server.request_parser import RequestParser
from autoflow.wire.contract.method import Success


def check_type(project: Mapping[str, Any] | RowMapping) -> ObjectAnnotations:
    """Return the type of a project whose annotations are objects with figures.

    Raises:
        Invalid: it is of another type.
    """
    project_type = registry.find(project["type"])
    if not isinstance(project_type, ObjectAnnotations):
        raise Invalid(
            f"project {project['id']} is of type {project['type']!r}: the labels of its items are figures.*, "
            "not annotation-objects.*"
        )
    return project_type


@contextlib.contextmanager
def edit_items(conn: Connection, numbers: Iterable[int], noun: str) -> Iterator[Mapping[int, DocumentEditor]]:
    """Edit the documents of items; yield an editor by item, one for all items of a project.

    Projects are edited in the order of their ids, as each project's row is locked. `noun` is the word for an item.
    """
    by_project: dict[int, dict[int, RowMapping]] = {}
    for number, row in items.find(conn, sorted(set(numbers)), noun).items():
        by_project.setdefault(row["project_id"], {})[number] = row
    with contextlib.ExitStack() as edits:
        editors: dict[int, DocumentEditor] = {}
        for project_id in sorted(by_project):
            edit = edits.enter_context(edit_project(conn, project_id))
            check_type(edit.project)
            # read again: the rows may have changed before the project was locked
            editor = DocumentEditor(edit, items.find(conn, sorted(by_project[project_id]), noun))
            editors.update(dict.fromkeys(by_project[project_id], editor))
        yield editors
        for editor in dict.fromkeys(editors.values()):
            editor.close()


def add(conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``annotation-objects.bulk.add``: objects of the items that their ``entityId`` names, answered in order.

    Those that name none are objects of the dataset, of which its items share them.
    """
    dataset = datasets.get(conn, request.number("datasetId"))
    project_type = check_type(projects.get(conn, dataset["project_id"]))
    entries = list(request.objects("annotationObjects"))
    shared = 0 if all(entry.has("entityId") for entry in entries) else _shared_row(conn, dataset)
    owners = [entry.number("entityId") if entry.has("entityId") else shared for entry in entries]
    with edit_items(conn, owners, project_type.item) as editors:
        numbers = [editors[owner].add_object(entry, owner) for entry, owner in zip(entries, owners, strict=True)]
    for row in items.find(conn, sorted(set(owners)), project_type.item).values():
        if row["dataset_id"] != dataset["id"]:
            raise Invalid(f"{project_type.item} {row['id']} is not of dataset {dataset['id']}")
    return [{"id": number} for number in numbers]


def _shared_row(conn: Connection, dataset: RowMapping) -> int:
    """Return the id of the row with the objects that the items of a dataset share; insert it if it is missing."""
    with edit_project(conn, dataset["project_id"]) as edit:
        row = attachments.shared_objects(conn, [dataset["id"]]).get(dataset["id"])
        if row is not None:
            return int(row["id"])
        return items.add_many(edit, dataset["id"], [{"name": attachments.OBJECTS}])[0]


def _shaped(row: RowMapping, stored: JsonObject, meta: Meta, project_type: ObjectAnnotations) -> JsonObject:
    return {
        "description": "",
        "meta": {},
        **project_type.show_object(row, stored, meta),
        "datasetId": row["dataset_id"],
        "projectId": row["project_id"],
        "createdBy": row["created_by"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


def _objects(conn: Connection, item_rows: Sequence[RowMapping], project: RowMapping) -> list[JsonObject]:
    project_type, meta = check_type(project), Meta.of(conn, project["id"])
    documents = read(conn, item_rows)
    return [_shaped(row, stored, meta, project_type) for row in item_rows for stored in documents[row["id"]]["objects"]]


def info(conn: Connection, request: RequestParser) -> JsonObject:
    """``annotation-objects.info`` by id."""
    number = request.number("id")
    item_id = item_of(number, "object")
    with _not_found("object", number):
        row = items.find(conn, [item_id])[item_id]
    for shown in _objects(conn, [row], projects.get(conn, row["project_id"])):
        if shown["id"] == number:
            return shown
    raise NotFound("object", number)


@contextlib.contextmanager
def _not_found(noun: str, number: int) -> Iterator[None]:
    """Name what was asked for instead of its item."""
    try:
        yield
    except NotFound:
        raise NotFound(noun, number) from None


def list_objects(conn: Connection, request: RequestParser) -> ListPage:
    """``annotation-objects.list`` of a dataset."""
    dataset = datasets.get(conn, request.number("datasetId"))
    query = items.listing(conn).where(table.c.dataset_id == dataset["id"], table.c.annotation.is_not(None))
    item_rows = conn.execute(query.order_by(table.c.id)).mappings().all()
    return page_of_entities(_objects(conn, item_rows, projects.get(conn, dataset["project_id"])), request)


def remove(conn: Connection, request: RequestParser) -> Success:
    """``annotation-objects.bulk.remove`` by ids, with their figures; the request is a list."""
    numbers = request.unique_numbers("items")
    item_ids = {item_of(number, "object") for number in numbers}
    with edit_items(conn, item_ids | _sharing(conn, item_ids), "item") as editors:
        for number in numbers:
            editors[item_of(number, "object")].remove_object(number)
    return {"success": True}


def _sharing(conn: Connection, item_ids: Iterable[int]) -> set[int]:
    """Return the items that have figures of the objects of rows that are shared."""
    rows = items.find(conn, sorted(item_ids), "item").values()
    dataset_ids = [row["dataset_id"] for row in rows if row["name"] == attachments.OBJECTS]
    query = select(table.c.id).where(table.c.dataset_id.in_(dataset_ids), table.c.labels > 0)
    return set(conn.execute(query).scalars()) if dataset_ids else set()


# -- tags


def add_tags(conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``annotation-objects.tags.bulk.add``: tags of objects of a project or an item, answered in order."""
    if request.has("entityId"):
        item_id = request.number("entityId")
        project_id = items.find(conn, [item_id], "item")[item_id]["project_id"]
    elif request.has("projectId"):
        project_id = projects.get(conn, request.number("projectId"))["id"]
    else:
        project_id = None  # the SDK also names the object alone
    entries = list(request.objects("tags"))
    numbers = [(entry if entry.has("objectId") else request).number("objectId") for entry in entries]
    with edit_items(conn, (item_of(number, "object") for number in numbers), "item") as editors:
        answers = []
        for entry, number in zip(entries, numbers, strict=True):
            editor = editors[item_of(number, "object")]
            if project_id is not None and editor.project_id != project_id:
                raise NotFound(f"in project {project_id}, object", number)
            answers.append(_put(editor, entry, number))
    return answers


def _put(editor: DocumentEditor, request: RequestParser, number: int) -> JsonObject:
    tag = framed(request, editor.meta.valued(request, request.number("tagId")))
    stored = editor.add_tag(number, tag)
    return {**stored, "id": number // FIGURES * FIGURES + stored["id"], "objectId": number}


def add_tag(conn: Connection, request: RequestParser) -> JsonObject:
    """``annotation-objects.tags.add``: one tag of an object (``objectId``)."""
    number = request.number("objectId")
    with edit_items(conn, [item_of(number, "object")], "item") as editors:
        return _put(editors[item_of(number, "object")], request, number)


def remove_tag(conn: Connection, request: RequestParser) -> Success:
    """``annotation-objects.tags.remove`` by the tag's own id."""
    with _edit_tag(conn, request.number("id")) as (_, stored, tag):
        stored["tags"].remove(tag)
    return {"success": True}


@contextlib.contextmanager
def _edit_tag(conn: Connection, number: int) -> Iterator[tuple[Meta, JsonObject, JsonObject]]:
    """Edit an object's tag by its id; yield the project's meta, the object, and the tag."""
    item_id = item_of(number, "tag")
    with _not_found("tag", number), edit_items(conn, [item_id], "item") as editors:
        yield (editors[item_id].meta, *editors[item_id].owner_of_tag(number))


def set_tag_value(conn: Connection, request: RequestParser) -> Success:
    """``annotation-objects.tags.update-value`` by the tag's own id."""
    with _edit_tag(conn, request.number("id")) as (meta, _, tag):
        tag["value"] = meta.valued(request, tag["tagId"])["value"]
    return {"success": True}


def set_tag_frames(conn: Connection, request: RequestParser) -> Success:
    """``annotation-objects.tags.update`` by the tag's own id: set the frames that it is on."""
    with _edit_tag(conn, request.number("id")) as (_, _, tag):
        tag.pop("frameRange", None)
        tag.update({**framed(request, {"tagId": tag["tagId"], "value": tag["value"]})})
    return {"success": True}


READS: Mapping[str, Operation] = {
    "annotation-objects.info": info,
    "annotation-objects.list": list_objects,
}
WRITES: Mapping[str, Operation] = {
    "annotation-objects.bulk.add": add,
    "annotation-objects.bulk.remove": remove,
    "annotation-objects.tags.bulk.add": add_tags,
    "annotation-objects.tags.add": add_tag,
    "annotation-objects.tags.remove": remove_tag,
    "annotation-objects.tags.update-value": set_tag_value,
    "annotation-objects.tags.update": set_tag_frames,
}
