"""``autoflow.folders.*``: synchronise a project with a folder, some images at a time.

The client stores an etag (``mark`` on the wire) for each image and the digest of the project: while they are equal,
nobody else changed the image or the project. Every change returns the digest before and after it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from autoflow.model.json_object import JsonObject
from autoflow.server import timestamps
from autoflow.server.db import blobs, datasets, item_content, items, json_codec, projects, scopes
from autoflow.server.db.access import caller
from autoflow.server.db.change_tracking import ProjectEdit, edit_project
from autoflow.server.db.schema import datasets as dataset_table
from autoflow.server.db.schema import items as table
from autoflow.server.errors import Invalid, shortened
from autoflow.server.methods.projects.meta import merged
from autoflow.server.operations import Batch, Operation, OperationContext, Upload, UploadQuery, by_name, implements
from autoflow.server.paging import chunks
from autoflow.server.project_types import registry
from autoflow.server.project_types.base import ProjectType
from autoflow.server.project_types.files import FILES
from autoflow.server.project_types.images import IMAGES
from autoflow.server.project_types.item_meta import ItemMeta
from autoflow.server.project_types.meta import Meta, assigned, number_new
from autoflow.server.request_parser import RequestParser
from autoflow.server.uploads import external_files
from autoflow.server.uploads.item_upload import receive_items
from autoflow.wire import methods
from autoflow.wire.contract import folders as contract
from autoflow.wire.contract.folders import FolderImage
from autoflow.wire.parts import Part

MAX_ITEMS = 5000  # of one response
_NEW_ITEM: dict[str, Any] = {
    "meta": "{}",
    "tags": "[]",
    "annotation": None,
    "labels": 0,
    "description": "",
    "link": None,
}


def etag(row: item_content.ContentRow) -> str:
    """Return a digest of an image's content, without its name."""
    content = [
        row["hash"],
        row["link"],
        row["meta"],
        item_content.tags_content(row["tags"]),
        row["annotation"],
        row["description"],
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:20]


@implements(contract.FOLDER_STATE)
def state(conn: Connection, request: contract.FolderStateRequest) -> contract.FolderStateResponse:
    """``autoflow.folders.state``: the digest of a project."""
    return {"digest": projects.get(conn, request.project_id)["digest"]}


@implements(contract.FOLDER_ITEMS)
def list_items(conn: Connection, request: contract.FolderItemsRequest) -> contract.FolderItemsResponse:
    """``autoflow.folders.items``: a page of a project's images."""
    project_id = projects.get(conn, request.project_id)["id"]
    query = select(table).where(table.c.project_id == project_id, table.c.id > (request.after or 0))
    rows = conn.execute(query.order_by(table.c.id).limit(MAX_ITEMS)).mappings().all()
    entries = [(row["id"], row["dataset_id"], row["name"], etag(row)) for row in rows]
    return {"items": entries, "after": rows[-1]["id"] if len(rows) == MAX_ITEMS else None}


def _digests(conn: Connection, edit: ProjectEdit) -> contract.FolderDigests:
    """Return the digests of a project before and after a completed change."""
    return {"before": edit.project["digest"], "after": projects.get(conn, edit.project["id"])["digest"]}


# -- classes, tags and datasets


@implements(contract.FOLDER_SHAPE)
def shape(conn: Connection, request: contract.FolderShapeRequest) -> contract.FolderShapeResponse:
    """``autoflow.folders.shape``: set classes and tags by name, and create missing datasets by their paths.

    Parents of the datasets are created as well. The response has the datasets' ids, in order.
    """
    with edit_project(conn, request.project_id) as edit:
        _set_meta(edit, RequestParser(request.meta, "meta."))
        paths = [tuple(path) for path in request.datasets]
        if not all(paths):
            raise Invalid('"datasets" must not contain an empty path')
        ids_by_path = _dataset_ids(conn, edit.project["id"])
        dataset_ids = [_ensure_dataset(edit, ids_by_path, path) for path in paths]
    return {**_digests(conn, edit), "datasets": dataset_ids}


def _set_meta(edit: ProjectEdit, request: RequestParser) -> None:
    """Add classes and tags to a project's, replacing those of the same names."""
    current = projects.meta(edit.conn, edit.project["id"])
    meta = {
        "classes": _with_sent(current["classes"], request.objects("classes", required=False), "title"),
        "tags": _with_sent(current["tags"], request.objects("tags", required=False), "name"),
    }
    document = merged(edit.conn, current, RequestParser(meta))
    if document != current:
        projects.set_meta(edit, document)


def _with_sent(known: Sequence[Mapping[str, Any]], sent: Iterable[RequestParser], name: str) -> list[JsonObject]:
    """Return known entries with the members that are sent for their names, then the new ones without an id."""
    new = {entry.text(name): entry.fields for entry in sent}
    updated = [{**entry, **new.pop(entry[name], {}), "id": entry["id"]} for entry in known]
    return updated + [{key: value for key, value in entry.items() if key != "id"} for entry in new.values()]


def _dataset_ids(conn: Connection, project_id: int) -> dict[tuple[str, ...], int]:
    """Return the ids of a project's datasets by path."""
    query = select(dataset_table.c.id, dataset_table.c.parent_id, dataset_table.c.name)
    rows = {row.id: row for row in conn.execute(query.where(dataset_table.c.project_id == project_id))}
    paths: dict[int | None, tuple[str, ...]] = {None: ()}
    for dataset_id in datasets.in_tree_order(conn, project_id):
        row = rows[dataset_id]
        paths[dataset_id] = (*paths[row.parent_id], row.name)
    return {path: dataset_id for dataset_id, path in paths.items() if dataset_id is not None}


def _ensure_dataset(edit: ProjectEdit, ids_by_path: dict[tuple[str, ...], int], path: tuple[str, ...]) -> int:
    """Return the id of the dataset at a path; create it and its parents if they are missing."""
    parent = None
    for depth in range(1, len(path) + 1):
        prefix = path[:depth]
        if prefix not in ids_by_path:
            ids_by_path[prefix] = datasets.add(edit, prefix[-1], parent, "", "{}")
        parent = ids_by_path[prefix]
    assert parent is not None
    return parent


# -- images


def upload(context: OperationContext, parts: Iterable[Part], _query: UploadQuery) -> contract.FolderUploadResponse:
    """``autoflow.folders.upload``: files of any kind, each written to the storage as it arrives."""
    received = receive_items(context, parts, FILES)
    return {"files": [{"hash": file["hash"], "size": file["size"]} for file in received]}


@implements(contract.FOLDER_LOOK)
def read_sizes(context: OperationContext, request: contract.FolderLookRequest) -> contract.FolderLookResponse:
    """``autoflow.folders.look``: the sizes of stored images by hash, and of external files by link."""
    with context.store.read() as conn:
        _check_local(conn, request.links)
        blob_rows = blobs.find(conn, request.hashes)
    files = _read_external(request.links, IMAGES)
    sizes = {name: (row["width"], row["height"]) for name, row in blob_rows.items() if row["width"] is not None}
    return {"sizes": {**sizes, **{link: (file["width"], file["height"]) for link, file in files.items()}}}


def _check_local(conn: Connection, links: Sequence[str]) -> None:
    """Check that a request with external files was not made over HTTP.

    Raises:
        Invalid: it was.
    """
    if links and caller(conn).site:
        raise Invalid("external files can be added on the server's machine only: over HTTP, upload them")


def _read_external(links: Sequence[str], project_type: ProjectType) -> dict[str, Mapping[str, Any]]:
    """Return the columns of external files by link.

    Raises:
        Invalid: a file cannot be an item of this type.
    """
    columns: dict[str, Mapping[str, Any]] = {}
    for link in links:
        path = external_files.path_of(link)
        info = project_type.read_info(path) if path is not None else None
        if path is None or info is None:
            raise Invalid(f"{link} {project_type.refusal}")
        columns[link] = {"size": os.path.getsize(path), **info}
    return columns


@implements(contract.FOLDER_PUT)
def put(context: OperationContext, request: contract.FolderPutRequest) -> contract.FolderPutResponse:
    """``autoflow.folders.put``: create or update images of a dataset by name, all or none.

    Each has a ``hash``, and a ``link`` if it is external. Without ``annotation`` or ``meta``, an existing image keeps
    its own. The response has ``[id, mark]`` for each image, in order.
    """
    links = [image.link for image in request.images if image.link is not None]
    with context.store.read() as conn:
        _check_local(conn, links)
        project_id = datasets.get(conn, request.dataset_id)["project_id"]
        project_type = registry.of_project(conn, project_id)
    files = _read_external(links, project_type)
    with context.store.write(scope=[scopes.project(project_id)]) as conn:
        dataset = datasets.get(conn, request.dataset_id)
        with edit_project(conn, dataset["project_id"]) as edit:
            etags = _put(edit, dataset, request.images, files, project_type)
        return {**_digests(conn, edit), "images": etags}


def _put(
    edit: ProjectEdit,
    dataset: RowMapping,
    images: Sequence[FolderImage],
    files: Mapping[str, Mapping[str, Any]],
    project_type: ProjectType,
) -> list[tuple[int, str]]:
    """Create or update images, and return the id and etag of each."""
    conn = edit.conn
    names = [image.name for image in images]
    if len(set(names)) < len(names):
        raise Invalid('"images" must not contain a name twice')
    existing = _images_by_name(conn, dataset["id"], names)
    blob_rows = blobs.acquire(conn, [image.hash for image in images if image.link is None])
    label_reader = _LabelReader(project_type, Meta.of(conn, edit.project["id"]))
    created: dict[str, dict[str, Any]] = {}
    changed: list[tuple[RowMapping, dict[str, Any]]] = []
    etags: dict[str, tuple[int, str]] = {}
    labels = [
        label_reader.columns(image, position, existing[image.name]["tags"] if image.name in existing else "[]")
        for position, image in enumerate(images)
    ]
    number_new(conn, [values["tags"] for values in labels if "tags" in values])
    columns = ("size", "mime", *project_type.columns)
    for position, (image, label_columns) in enumerate(zip(images, labels, strict=True)):
        name = image.name
        row = existing.get(name)
        content = _content_row(image, position, blob_rows, files, project_type)
        values = {**{column: content.get(column) for column in columns}, "hash": image.hash, "link": image.link}
        values |= label_columns
        if "tags" in values:
            values["tags"] = json_codec.dump(values["tags"])
        if row is None:
            created[name] = {**_NEW_ITEM, **values, "name": name}
            continue
        if any(row[column] != value for column, value in values.items()):
            changed.append((row, {**values, "updated_at": timestamps.now()}))
        etags[name] = (row["id"], etag({**row, **values}))
    items.save_encoded_documents(conn, label_reader.documents)
    edit.update_many(table, changed)
    item_ids = items.add_many(edit, dataset["id"], list(created.values())) if created else []
    for (name, values), item_id in zip(created.items(), item_ids, strict=True):
        etags[name] = (item_id, etag(values))
    return [etags[name] for name in names]


def _images_by_name(conn: Connection, dataset_id: int, names: Sequence[str]) -> dict[str, RowMapping]:
    rows: dict[str, RowMapping] = {}
    for chunk in chunks(names):
        query = select(table).where(table.c.dataset_id == dataset_id, table.c.name.in_(chunk))
        rows.update((row["name"], row) for row in conn.execute(query).mappings())
    return rows


def _content_row(
    image: FolderImage,
    position: int,
    blob_rows: Mapping[str, RowMapping],
    files: Mapping[str, Mapping[str, Any]],
    project_type: ProjectType,
) -> Mapping[Any, Any]:
    """Return what is known of an image's bytes: the columns of its external file, or the row of its blob.

    Raises:
        Invalid: the bytes are not stored, or were stored as a file that need not be an image.
    """
    if image.link is not None:
        return files[image.link]
    if image.hash not in blob_rows:
        raise Invalid(f'"images[{position}].hash": {shortened(image.hash)} has not been uploaded')
    if project_type is IMAGES and blob_rows[image.hash]["width"] is None:
        raise Invalid(f'"images[{position}].hash": {shortened(image.hash)} has not been uploaded as an image')
    return blob_rows[image.hash]


class _LabelReader:
    """Converts the annotations and metas of images to columns, and collects the encoded annotations by hash."""

    def __init__(self, project_type: ProjectType, meta: Meta) -> None:
        self.documents: dict[str, bytes] = {}
        self._type = project_type
        self._meta = meta

    def columns(self, image: FolderImage, position: int, tags: str) -> JsonObject:
        """Return the columns that an image sets, but its tags as a list; `tags` are the ones it has."""
        values: dict[str, Any] = {}
        if image.meta is not None:
            values["meta"] = ItemMeta(image.meta, {}, {}).to_text()
        if image.annotation is None:
            return values
        sent = RequestParser(image.annotation, f"images[{position}].annotation.")
        annotation = self._type.store_annotation(sent, self._meta)
        content = None
        if annotation.document is not None:
            content, encoded = items.encode_document(annotation.document)
            self.documents[content] = encoded
        new_tags = assigned(json_codec.load(tags), annotation.tags)
        return {**values, "annotation": content, "labels": annotation.labels, "tags": new_tags}


@implements(contract.FOLDER_REMOVE)
def remove(conn: Connection, request: contract.FolderRemoveRequest) -> contract.FolderDigests:
    """``autoflow.folders.remove``: remove images and datasets of a project by id, ignoring missing ones."""
    with edit_project(conn, request.project_id) as edit:
        for chunk in chunks(list(dict.fromkeys(request.images))):
            query = select(table).where(table.c.project_id == edit.project["id"], table.c.id.in_(chunk))
            edit.delete_many(table, conn.execute(query).mappings().all())
        for chunk in chunks(list(dict.fromkeys(request.datasets))):
            query = select(dataset_table.c.id).where(dataset_table.c.id.in_(chunk))
            query = query.where(dataset_table.c.project_id == edit.project["id"])
            datasets.remove(edit, conn.execute(query).scalars().all())
    return _digests(conn, edit)


READS: Mapping[str, Operation] = by_name(state, list_items)
WRITES: Mapping[str, Operation] = by_name(shape, remove)
BATCHES: Mapping[str, Batch] = by_name(read_sizes, put)
UPLOADS: Mapping[str, Upload] = {methods.FOLDER_UPLOAD: upload}
