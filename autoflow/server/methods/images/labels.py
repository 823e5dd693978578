"""Annotations: one document in Supervisely's format for each image.

Names of classes and tags are taken from the project's meta when a document is read (`project_types.images`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server import limits
from autoflow.server.db import datasets, items, jobs, json_codec, projects
from autoflow.server.db.change_tracking import ProjectEdit, edit_project
from autoflow.server.db.schema import items as item_table
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.methods.images.images import find_images
from autoflow.server.operations import Operation
from autoflow.server.paging import ListPage, page
from autoflow.server.project_types import registry
from autoflow.server.project_types.images import FIGURES, shown, stored_object
from autoflow.server.project_types.meta import ItemTag, Meta, assigned, number_new
from autoflow.server.request_parser import RequestParser, as_number
from autoflow.wire.contract.method import Success

COPIED_TAGS = 4_000_000  # bytes of the tags that one request copies


def _numbered(stored: list[dict[str, Any]], sent: list[RequestParser], image_id: int) -> list[JsonObject]:
    """Return the objects with their k: the one an object was read with, else the next free one."""
    start = image_id * FIGURES
    sent_numbers = [as_number(entry.fields.get("id")) for entry in sent]
    own_numbers = [
        number - start if number is not None and start < number < start + FIGURES else None for number in sent_numbers
    ]
    used: set[int] = set()
    highest = max((k for k in own_numbers if k is not None), default=0)
    numbered = []
    for entry, k in zip(stored, own_numbers, strict=True):
        if k is None or k in used:
            highest += 1
            k = highest
        used.add(k)
        numbered.append({**entry, "id": k})
    if highest >= FIGURES:
        raise Invalid(f"image {image_id} has {len(stored)} objects; {FIGURES - 1} are the most")
    return numbered


def stored_documents(conn: Connection, image_rows: Sequence[RowMapping]) -> dict[int, JsonObject]:
    """Return the stored documents of images by image number; an empty one for an image without annotation."""
    documents = items.read_own_documents(conn, image_rows)
    return {row["id"]: documents.get(row["id"], {"objects": []}) for row in image_rows}


class AnnotationWriter:
    """Collects new annotations of images of one project and writes them together."""

    def __init__(self, edit: ProjectEdit) -> None:
        self._edit = edit
        self._changes: dict[int, tuple[RowMapping, dict[str, Any]]] = {}
        self._texts: dict[str, bytes] = {}
        self._tags: dict[int, list[ItemTag]] = {}

    def keep(self, row: RowMapping, document: JsonObject) -> None:
        """Replace the stored document of an image."""
        name, text = items.encode_document(document)
        self._texts[name] = text
        self._changes[row["id"]] = (row, {"annotation": name, "labels": len(document["objects"])})

    def put(self, row: RowMapping, sent: RequestParser, meta: Meta) -> None:
        """Replace the annotation of an image, and its tags if the document has a member for them; the last of several
        for one image wins.

        Raises:
            ServerRefused: an object's class or a tag is not in the project's meta.
        """
        objects = list(sent.objects("objects", required=False, max_items=limits.FIGURES))
        stored = _numbered([stored_object(entry, meta) for entry in objects], objects, row["id"])
        document = {key: value for key, value in sent.fields.items() if key not in {"tags", "objects"}}
        if sent.has("tags"):
            tags = [meta.tag(tag) for tag in sent.objects("tags")]
            self._tags[row["id"]] = assigned(json_codec.load(row["tags"]), tags)
        self.keep(row, {**document, "objects": stored})

    def close(self) -> None:
        """Write what was collected."""
        items.save_encoded_documents(self._edit.conn, self._texts)
        number_new(self._edit.conn, list(self._tags.values()))
        for number, tags in self._tags.items():
            self._changes[number][1]["tags"] = json_codec.dump(tags)
        items.change_many(self._edit, self._changes.values())


def _read(conn: Connection, numbers: list[int], *, in_pixels: bool = False) -> list[JsonObject]:
    image_rows = find_images(conn, numbers)
    texts = items.read_documents(conn, [row["annotation"] for row in image_rows.values() if row["annotation"]])
    metas = {number: Meta.of(conn, number) for number in {row["project_id"] for row in image_rows.values()}}
    logins = jobs.logins(conn)
    annotations = []
    for row in (image_rows[number] for number in numbers):
        entry = shown(row, texts.get(row["annotation"]), metas[row["project_id"]], in_pixels)
        annotation = entry["annotation"]
        annotation["objects"] = [{**_origin(row, logins), **labeled} for labeled in annotation["objects"]]
        annotations.append(entry)
    return annotations


def _origin(row: RowMapping, logins: Mapping[int, str]) -> JsonObject:
    """Return who labeled an object, and when: of its image, as neither is stored for each object."""
    login = logins.get(row["created_by"], "")
    return {"labelerLogin": login, "createdAt": row["created_at"], "updatedAt": row["updated_at"]}


def _in_pixels(request: RequestParser) -> bool:
    """Return whether a request asks for coordinates in whole pixels."""
    return request.flag("integerCoords", default=False)


def read_many(conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``annotations.bulk.info`` of images by their ids, in the order of the request."""
    return _read(conn, request.numbers("imageIds"), in_pixels=_in_pixels(request))


def read_one(conn: Connection, request: RequestParser) -> JsonObject:
    """``annotations.info`` of one image."""
    return _read(conn, [request.number("imageId")], in_pixels=_in_pixels(request))[0]


def add(conn: Connection, request: RequestParser) -> Success:
    """``annotations.bulk.add``: replace the documents of images; all of them or none."""
    dataset = datasets.get(conn, request.number("datasetId"))
    with edit_project(conn, dataset["project_id"]) as edit:
        meta = Meta.of(conn, dataset["project_id"])
        entries = list(request.objects("annotations"))
        image_rows = find_images(conn, list(dict.fromkeys(entry.number("imageId") for entry in entries)))
        writer = AnnotationWriter(edit)
        for entry in entries:
            row = image_rows[entry.number("imageId")]
            if row["project_id"] != dataset["project_id"]:
                raise NotFound(f"in project {dataset['project_id']}, image", row["id"])
            writer.put(row, RequestParser(entry.mapping("annotation"), f"{entry.path}annotation."), meta)
        writer.close()
    return {"success": True}


def list_annotations(conn: Connection, request: RequestParser) -> ListPage:
    """``annotations.list`` of a dataset, in pages of its images."""
    dataset = datasets.get(conn, request.number("datasetId"))
    registry.check_images_project(projects.get(conn, dataset["project_id"]))
    query = items.listing(conn).where(item_table.c.dataset_id == dataset["id"])
    columns = {"id": item_table.c.id, "imageId": item_table.c.id, "imageName": item_table.c.name}

    def shape(image_rows: Sequence[RowMapping]) -> list[JsonObject]:
        return _read(conn, [row["id"] for row in image_rows], in_pixels=_in_pixels(request))

    return page(conn, query, columns, request, shape)


def copy_many(conn: Connection, request: RequestParser) -> Success:
    """``annotations.bulk.copy`` from ``srcImageIds`` to ``destImageIds``, one by one. Classes and tags go
    by name, so that another project whose meta has them accepts them.
    """
    sources, targets = request.numbers("srcImageIds"), request.numbers("destImageIds")
    if len(sources) != len(targets):
        raise Invalid(f"{len(sources)} images cannot be copied to {len(targets)}")
    _check_copies(list(find_images(conn, list(dict.fromkeys(sources))).values()), sources)
    documents_by_target = dict(zip(targets, _read(conn, sources), strict=True))
    image_rows = find_images(conn, list(dict.fromkeys(targets)))
    for project_id in sorted({row["project_id"] for row in image_rows.values()}):
        with edit_project(conn, project_id) as edit:
            meta, writer = Meta.of(conn, project_id), AnnotationWriter(edit)
            for number, row in image_rows.items():
                if row["project_id"] == project_id:
                    writer.put(row, RequestParser(_by_name(documents_by_target[number]["annotation"])), meta)
            writer.close()
    return {"success": True}


def _check_copies(image_rows: Sequence[RowMapping], sources: Sequence[int]) -> None:
    """Bound the size of copies.

    Raises:
        Invalid: they would have too many objects or tags.
    """
    times = Counter(sources)
    objects = sum(times[row["id"]] * row["labels"] for row in image_rows)
    tags = sum(times[row["id"]] * len(row["tags"]) for row in image_rows)
    if objects > limits.FIGURES or tags > COPIED_TAGS:
        raise Invalid(
            f"the copies would have more than {limits.FIGURES} objects or {COPIED_TAGS} bytes of tags: copy fewer"
        )


def _by_name(annotation: JsonObject) -> JsonObject:
    """Return an annotation without the numbers that are valid in its own project only."""
    objects = [
        {**_without(stored, "id", "classId"), "tags": [_without(tag, "id", "tagId") for tag in stored["tags"]]}
        for stored in annotation["objects"]
    ]
    tags = [_without(tag, "id", "tagId") for tag in annotation["tags"]]
    return {**_without(annotation, "size"), "tags": tags, "objects": objects}


def _without(values: Mapping[str, Any], *names: str) -> JsonObject:
    return {key: value for key, value in values.items() if key not in names}


READS: Mapping[str, Operation] = {
    "annotations.list": list_annotations,
    "annotations.bulk.info": read_many,
    "annotations.info": read_one,
}
WRITES: Mapping[str, Operation] = {"annotations.bulk.add": add, "annotations.bulk.copy": copy_many}
