"""Items of videos, point clouds and volumes: lists, adding by hash or link, uploads and downloads."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select

from autoflow.model.json_object import JsonObject
from autoflow.server.blobs import Content
from autoflow.server.db import access, attachments, blobs, datasets, files, items, json_codec, projects
from autoflow.server.db.change_tracking import edit_project
from autoflow.server.db.schema import datasets as dataset_table
from autoflow.server.db.schema import items as table
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.methods.annotated import file_descriptions
from autoflow.server.methods.annotated.documents import shown
from autoflow.server.methods.annotated.families import Family
from autoflow.server.methods.write_scopes import projects_of
from autoflow.server.operations import Batch, Download, Operation, OperationContext, Upload, UploadQuery
from autoflow.server.paging import ListPage, page
from autoflow.server.project_types.item_meta import ItemMeta
from autoflow.server.project_types.object_annotations import empty
from autoflow.server.request_parser import RequestParser, as_number
from autoflow.server.uploads import external_files
from autoflow.server.uploads.item_upload import receive_items
from autoflow.wire.contract.method import Success
from autoflow.wire.parts import Part

_COLUMNS = {
    "id": table.c.id,
    "name": table.c.name,
    "hash": table.c.hash,
    "link": table.c.link,
    "datasetId": table.c.dataset_id,
    "description": table.c.description,
    "createdAt": table.c.created_at,
    "updatedAt": table.c.updated_at,
}


def shaped(conn: Connection, family: Family, item_rows: Sequence[RowMapping]) -> list[JsonObject]:
    """Return items in the wire's shape."""
    project_rows = {number: projects.get(conn, number) for number in {row["project_id"] for row in item_rows}}
    documents = items.read_documents(conn, sorted({row["annotation"] for row in item_rows if row["annotation"]}))
    return [
        {
            **_shape(conn, row, ItemMeta.of(row), documents.get(row["annotation"], empty())),
            "teamId": project_rows[row["project_id"]]["team_id"],
            "workspaceId": project_rows[row["project_id"]]["workspace_id"],
            **family.shape(row, ItemMeta.of(row)),
        }
        for row in item_rows
    ]


def _shape(conn: Connection, row: RowMapping, meta: ItemMeta, document: JsonObject) -> JsonObject:
    mime = row["mime"]
    content = f"/storage/images/{row['id']}" if row["hash"] is not None else None
    return {
        "id": row["id"],
        "name": row["name"],
        "title": row["name"],
        "description": row["description"],
        "link": row["link"],
        "hash": row["hash"],
        "mime": mime,
        "ext": row["name"].rpartition(".")[2] if "." in row["name"] else None,
        "size": row["size"],
        "pathOriginal": content,
        "fullStorageUrl": access.absolute_url(conn, content) if content is not None else row["link"],
        "processingPath": f"storage/previews/{row['id']}",
        "fileMeta": {"mime": mime, "size": row["size"], **meta.file},
        "meta": meta.sent,
        "customData": meta.custom,
        "tags": [{**tag, "entityId": row["id"]} for tag in json_codec.load(row["tags"])],
        "figuresCount": row["labels"],
        "annotationObjectsCount": len(document["objects"]),
        "datasetId": row["dataset_id"],
        "projectId": row["project_id"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "createdBy": row["created_by"],
    }


def _scope(conn: Connection, family: Family, request: RequestParser) -> Select[Any]:
    listing = items.listing(conn).where(attachments.is_item())
    if not request.has("datasetId"):
        project = projects.get(conn, request.number("projectId"))
        family.check(project)
        return listing.where(table.c.project_id == project["id"])
    dataset = family.dataset(conn, request.number("datasetId"))
    recursive = request.flag("recursive", default=False)
    numbers = datasets.descendants(conn, dataset) if recursive else [dataset["id"]]
    return listing.where(table.c.dataset_id.in_(numbers))


def list_items(family: Family, conn: Connection, request: RequestParser) -> ListPage:
    """``*.list`` of a dataset or a project."""
    query = _scope(conn, family, request)
    return page(conn, query, _COLUMNS, request, lambda item_rows: shaped(conn, family, item_rows))


def info(family: Family, conn: Connection, request: RequestParser) -> JsonObject:
    """``*.info`` by id."""
    number = request.number("id")
    return shaped(conn, family, [family.find(conn, [number])[number]])[0]


def read_annotations(family: Family, conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``*.annotations.bulk.info`` of items by their ids, in the order of the request."""
    numbers = request.numbers(family.ids)
    item_rows = family.find(conn, numbers)
    return shown(conn, [item_rows[number] for number in numbers])


def add(family: Family, context: OperationContext, request: RequestParser) -> list[JsonObject]:
    """``*.bulk.add``: items by hash or link, answered in the order sent; all of them or none.

    The files are described before the transaction that adds the items, as reading one may take long.

    Raises:
        ServerRefused: 400 with ``type`` NONUNIQUE and the names that are taken.
    """
    with context.store.read() as conn:
        family.dataset(conn, request.number("datasetId"))
        entries = [_with_hash(conn, entry) for entry in request.objects(family.entries)]
        hashes = list(dict.fromkeys(entry.text("hash") for entry in entries if entry.has("hash")))
        missing = set(hashes) - blobs.find(conn, hashes).keys()
    for entry in entries:
        if entry.has("hash") and entry.text("hash") in missing:
            raise Invalid(f'"{entry.path}hash": {entry.text("hash")} has not been uploaded')
    described = file_descriptions.describe(context, hashes)
    dataset_id = request.number("datasetId")
    with context.store.write(scope=lambda conn: projects_of(conn, dataset_table, [dataset_id])) as conn:
        dataset = family.dataset(conn, dataset_id)
        names = [entry.text("title" if entry.has("title") else "name") for entry in entries]
        _check_names(conn, dataset["id"], names)
        with edit_project(conn, dataset["project_id"]) as edit:
            blob_rows = blobs.acquire(conn, hashes)
            new = [
                _new_item(family, entry, name, blob_rows, described) for entry, name in zip(entries, names, strict=True)
            ]
            numbers = items.add_many(edit, dataset["id"], new)
        item_rows = items.find(conn, numbers)
        return shaped(conn, family, [item_rows[number] for number in numbers])


def _with_hash(conn: Connection, entry: RequestParser) -> RequestParser:
    """Return an entry of a new item; one that names a team file has the hash of its content."""
    if not entry.has("teamFileId") or entry.has("hash"):
        return entry
    return RequestParser({**entry.fields, "hash": files.get(conn, entry.number("teamFileId"))["hash"]}, entry.path)


def _check_names(conn: Connection, dataset_id: int, names: Sequence[str]) -> None:
    for name in names:
        attachments.check_name(name)
    taken = items.ids_by_name(conn, dataset_id, names)
    errors = [{"name": name, "id": taken[name]} for name in names if name in taken]
    if errors or len(set(names)) < len(names):
        details = {"type": "NONUNIQUE", "errors": errors}
        raise Invalid(f"dataset {dataset_id} has items of these names already, or they are given twice", details)


def _new_item(
    family: Family,
    entry: RequestParser,
    name: str,
    blob_rows: Mapping[str, RowMapping],
    described: Mapping[str, JsonObject],
) -> JsonObject:
    content: JsonObject = {}
    sent = entry.mapping("meta")
    file: JsonObject = {}
    if entry.has("hash"):
        blob_row = blob_rows[entry.text("hash")]
        content = {column: blob_row[column] for column in ("hash", "size", "mime", "width", "height")}
        file = family.describe(described.get(blob_row["hash"], {}), sent)
        sides = {side: as_number(file.get(side)) for side in ("width", "height")}  # a client may have sent them
        content.update((side, value) for side, value in sides.items() if value is not None and value > 0)
    else:
        content = {"link": entry.long_text("link")}
    meta = ItemMeta(sent, file, entry.mapping("customData")).to_text()
    return {"name": name, "description": entry.text("description", ""), "meta": meta, **content}


def upload(
    family: Family, context: OperationContext, parts: Iterable[Part], _query: UploadQuery
) -> list[dict[str, Any]]:
    """``*.bulk.upload``: a hash for each file part, in order, or ``errors`` if it is not an item of the type."""
    return receive_items(context, parts, family.project_type)


def download(family: Family, context: OperationContext, request: RequestParser) -> Content:
    """``*.download`` by id, of an item of any type: the SDK downloads volumes by the method of videos, too."""
    number = request.number("id")
    with context.store.read() as conn:
        row = items.find(conn, [number], family.project_type.item)[number]
        if row["hash"] is None:
            raise Invalid(f"{family.project_type.item} {number} is a link; its bytes are at {row['link']}")
        blob_row = blobs.find(conn, [row["hash"]]).get(row["hash"])
    if blob_row is not None:
        generation, size = blob_row["generation"], blob_row["size"]
        return Content(context.blobs, row["hash"], generation, size, row["name"], row["mime"])
    if not external_files.is_external(row):
        raise NotFound(f"content of {family.project_type.item}", number)
    return external_files.content(row)


def set_custom_data(family: Family, conn: Connection, request: RequestParser) -> JsonObject:
    """``*.custom-data.set``: replace the ``customData`` of an item."""
    number = request.number("id")
    row = family.find(conn, [number])[number]
    with edit_project(conn, row["project_id"]) as edit:
        row = items.find(conn, [number])[number]
        items.change(edit, row, meta=ItemMeta.of(row)._replace(custom=request.mapping("customData")).to_text())
    return shaped(conn, family, [items.find(conn, [number])[number]])[0]


def set_links(family: Family, conn: Connection, request: RequestParser) -> Success:
    """``*.update.links``: replace the bytes or the link of items by a link."""
    links = {entry.number("id"): entry.long_text("link") for entry in request.objects(family.entries)}
    item_rows = family.find(conn, list(links))
    for project_id in sorted({row["project_id"] for row in item_rows.values()}):
        with edit_project(conn, project_id) as edit:
            rows = [row for row in item_rows.values() if row["project_id"] == project_id]
            items.change_many(edit, ((row, {"link": links[row["id"]], "hash": None}) for row in rows))
    return {"success": True}


def reads(family: Family) -> Mapping[str, Operation]:
    """Return the methods of a family that read."""
    return {
        f"{family.prefix}.list": functools.partial(list_items, family),
        f"{family.prefix}.info": functools.partial(info, family),
        f"{family.prefix}.annotations.bulk.info": functools.partial(read_annotations, family),
    }


def batches(family: Family) -> Mapping[str, Batch]:
    """Return the methods of a family that use several transactions."""
    return {f"{family.prefix}.bulk.add": functools.partial(add, family)}


def uploads(family: Family) -> Mapping[str, Upload]:
    """Return the uploads of a family."""
    return {f"{family.prefix}.bulk.upload": functools.partial(upload, family)}


def downloads(family: Family) -> Mapping[str, Download]:
    """Return the downloads of a family."""
    return {f"{family.prefix}.download": functools.partial(download, family)}
