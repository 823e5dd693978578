"""Stored annotations of objects with figures: reading them, and editing those of some items of a project."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection, RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server import limits
from autoflow.server.db import attachments, items, jobs
from autoflow.server.db.change_tracking import ProjectEdit
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.project_types import registry
from autoflow.server.project_types.images import FIGURES
from autoflow.server.project_types.meta import Meta
from autoflow.server.project_types.object_annotations import (
    BYTES,
    ObjectAnnotations,
    SharedObjects,
    empty,
    largest,
    stored_figure,
    stored_object,
)
from autoflow.server.request_parser import RequestParser
from autoflow.wire.contract.labels import TagValue


def item_of(number: int, noun: str) -> int:
    """Return the item that the number of an object, a figure or a tag implies.

    Raises:
        NotFound: none can have that number; `noun` is its word.
    """
    if number <= FIGURES or number % FIGURES == 0:
        raise NotFound(noun, number)
    return number // FIGURES


def read(conn: Connection, item_rows: Sequence[RowMapping]) -> dict[int, JsonObject]:
    """Return the stored documents of items by id, each a copy."""
    documents = items.read_own_documents(conn, item_rows)
    return {row["id"]: documents.get(row["id"]) or empty() for row in item_rows}


def shared_objects(conn: Connection, dataset_ids: Iterable[int]) -> dict[int, SharedObjects]:
    """Return the objects that the items of datasets share, by dataset."""
    rows = attachments.shared_objects(conn, sorted(set(dataset_ids)))
    documents = read(conn, list(rows.values()))
    return {number: SharedObjects(row, documents[row["id"]]["objects"]) for number, row in rows.items()}


def shown(conn: Connection, item_rows: Sequence[RowMapping]) -> list[JsonObject]:
    """Return the annotations of items in the wire's shape, in order.

    Who labeled, and when, are the item's: neither is stored for each object.
    """
    documents = read(conn, item_rows)
    metas = {number: Meta.of(conn, number) for number in {row["project_id"] for row in item_rows}}
    shared = shared_objects(conn, (row["dataset_id"] for row in item_rows))
    logins = jobs.logins(conn)
    annotations = []
    for row in item_rows:
        project_type = cast("ObjectAnnotations", registry.of_project(conn, row["project_id"]))
        meta = metas[row["project_id"]]
        annotation = project_type.show_annotation(row, documents[row["id"]], meta, shared.get(row["dataset_id"]))
        login = logins.get(row["created_by"], "")
        origin = {"labelerLogin": login, "createdAt": row["created_at"], "updatedAt": row["updated_at"]}
        objects = [{**origin, **stored} for stored in annotation["objects"]]
        tags = [{**origin, **tag} for tag in annotation["tags"]]
        annotations.append({**origin, **annotation, "objects": objects, "tags": tags})
    return annotations


class DocumentEditor:
    """Edits objects, their tags and figures in the documents of some items of one project."""

    def __init__(self, edit: ProjectEdit, rows: Mapping[int, RowMapping]) -> None:
        self.meta = Meta.of(edit.conn, edit.project["id"])
        self.project_id: int = edit.project["id"]
        self._edit = edit
        self._rows = rows
        self._documents = read(edit.conn, list(rows.values()))
        self._largest = {number: largest(document) for number, document in self._documents.items()}
        self._shared: dict[int, SharedObjects | None] = {}  # by dataset
        self._objects = self._by_number("objects")
        self._figures = self._by_number("figures")

    def _by_number(self, name: str) -> dict[int, dict[int, JsonObject]]:
        return {
            item_id: {entry["id"]: entry for entry in document[name]} for item_id, document in self._documents.items()
        }

    def _next(self, item_id: int) -> int:
        self._largest[item_id] += 1
        if self._largest[item_id] >= FIGURES:
            raise Invalid(f"item {item_id} has no room for another object or figure; {FIGURES - 1} are the most")
        return self._largest[item_id]

    def add_object(self, request: RequestParser, item_id: int) -> int:
        """Add an object to an item; return its number."""
        if len(self._objects[item_id]) >= limits.FIGURES:
            raise Invalid(f"item {item_id} has no room for another object; {limits.FIGURES} are the most")
        stored = stored_object(request, self.meta)
        k = self._next(item_id)
        tags = [{"id": self._next(item_id), **tag} for tag in stored["tags"]]
        self._objects[item_id][k] = {**stored, "id": k, "tags": tags}
        return item_id * FIGURES + k

    def object(self, number: int) -> JsonObject:
        """Return the stored object of a number.

        Raises:
            NotFound: its item has no such object.
        """
        stored = self._objects.get(item_of(number, "object"), {}).get(number % FIGURES)
        if stored is None:
            raise NotFound("object", number)
        return stored

    def remove_object(self, number: int) -> None:
        """Remove an object, and its figures; those of a shared object from all items that are edited."""
        k, item_id = self.object(number)["id"], item_of(number, "object")
        del self._objects[item_id][k]
        row = self._rows[item_id]
        owners = {item_id: k}
        if row["name"] == attachments.OBJECTS:
            owners = {other["id"]: -k for other in self._rows.values() if other["dataset_id"] == row["dataset_id"]}
        for owner, reference in owners.items():
            figures = self._figures[owner]
            self._figures[owner] = {key: stored for key, stored in figures.items() if stored["objectId"] != reference}

    def add_tag(self, number: int, tag: TagValue) -> JsonObject:
        """Put a tag on an object; return the stored tag, the present one if the object has an equal tag."""
        stored = self.object(number)
        for present in stored["tags"]:
            if {**present, "id": 0} == {**tag, "id": 0}:
                return cast("JsonObject", present)
        new: JsonObject = {"id": self._next(item_of(number, "object")), **tag}
        stored["tags"].append(new)
        return new

    def owner_of_tag(self, number: int) -> tuple[JsonObject, JsonObject]:
        """Return the stored object that has a tag, and the tag.

        Raises:
            NotFound: none has.
        """
        for stored in self._objects.get(item_of(number, "tag"), {}).values():
            for tag in stored["tags"]:
                if tag["id"] == number % FIGURES:
                    return stored, tag
        raise NotFound("tag", number)

    def add(self, request: RequestParser, item_id: int) -> int:
        """Add a figure to an item, of an object of the item or of its dataset; return its number."""
        owner = self._owner(request.number("objectId"), item_id)
        if len(self._figures[item_id]) >= limits.FIGURES:
            raise Invalid(f"item {item_id} has no room for another figure; {limits.FIGURES} are the most")
        k = self._next(item_id)
        self._figures[item_id][k] = {**stored_figure(request, self.meta), **owner, "id": k}
        return item_id * FIGURES + k

    def _owner(self, number: int, item_id: int) -> JsonObject:
        """Return what the figure of an object stores of it."""
        k = number % FIGURES
        if number // FIGURES == item_id and k in self._objects[item_id]:
            return {"objectId": k}
        dataset_id = self._rows[item_id]["dataset_id"]
        if dataset_id not in self._shared:
            self._shared[dataset_id] = shared_objects(self._edit.conn, [dataset_id]).get(dataset_id)
        shared = self._shared[dataset_id]
        if shared is None or shared.row["id"] != number // FIGURES:
            raise NotFound("object", number)
        for stored in shared.objects:
            if stored["id"] == k:
                return {"objectId": -k, "classId": stored["classId"]}
        raise NotFound("object", number)

    def figure(self, number: int) -> JsonObject:
        """Return the stored figure of a number.

        Raises:
            NotFound: its item has no such figure.
        """
        stored = self._figures.get(item_of(number, "figure"), {}).get(number % FIGURES)
        if stored is None:
            raise NotFound("figure", number)
        return stored

    def change(self, number: int, values: Mapping[str, Any], *, geometry: JsonObject | None = None) -> None:
        """Change members of a figure, and replace its geometry if one is given."""
        stored = self.figure(number)
        if not isinstance(values.get("meta") or {}, Mapping):
            raise Invalid('"meta" must be an object', {"field": "meta"})
        if geometry is not None:
            stored["geometry"] = geometry
        stored.update(values)
        stored["meta"] = stored["meta"] or {}

    def stored_geometry(self, geometry: JsonObject) -> JsonObject:
        """Return the members of a sent geometry that are stored: all."""
        return geometry

    def set_separate_geometry(self, number: int, geometry: JsonObject | bytes) -> None:
        """Replace a geometry that is transferred separately: bytes, as of masks of volumes, or JSON."""
        if isinstance(geometry, bytes):
            self.figure(number)[BYTES] = base64.b64encode(geometry).decode()
        else:
            self.change(number, {}, geometry=geometry)

    def remove(self, number: int) -> None:
        """Remove a figure."""
        self.figure(number)
        del self._figures[item_of(number, "figure")][number % FIGURES]

    def close(self) -> None:
        """Write the documents."""
        texts: dict[str, bytes] = {}
        changes: list[tuple[RowMapping, dict[str, Any]]] = []
        for item_id, row in self._rows.items():
            objects, figures = list(self._objects[item_id].values()), list(self._figures[item_id].values())
            name = None
            if objects or figures:
                name, text = items.encode_document({"objects": objects, "figures": figures})
                texts[name] = text
            changes.append((row, {"annotation": name, "labels": len(figures)}))
        items.save_encoded_documents(self._edit.conn, texts)
        items.change_many(self._edit, changes)
