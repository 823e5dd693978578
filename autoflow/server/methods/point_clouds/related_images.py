"""Images that belong to point clouds, as of the cameras beside a scanner: ``point-clouds.images.*``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server.blobs import Content
from autoflow.server.db import access, attachments, blobs, items, json_codec
from autoflow.server.db.change_tracking import edit_project
from autoflow.server.db.schema import items as table
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.methods.point_clouds.point_clouds import FAMILY
from autoflow.server.operations import Download, Operation, OperationContext
from autoflow.server.paging import ListPage, apply_filter, page_of_entities
from autoflow.server.request_parser import RequestParser

_COLUMNS = ("hash", "size", "mime", "width", "height")


def _shape(conn: Connection, row: RowMapping, owner: int) -> JsonObject:
    content = f"/storage/images/{row['id']}"
    return {
        "id": row["id"],
        "entityId": owner,
        "name": row["name"].rpartition("/")[2],
        "hash": row["hash"],
        "link": row["link"],
        "mime": row["mime"],
        "fileMeta": {"mime": row["mime"], "size": row["size"], "width": row["width"], "height": row["height"]},
        "pathOriginal": content,
        "fullStorageUrl": access.absolute_url(conn, content),
        "meta": json_codec.load(row["meta"]),
        "datasetId": row["dataset_id"],
        "projectId": row["project_id"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


def add(conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``point-clouds.images.add``: images by hash, of the clouds that ``entityId`` names, answered in order."""
    entries = list(request.objects("images"))
    owners = FAMILY.find(conn, list(dict.fromkeys(entry.number("entityId") for entry in entries)))
    blob_rows = blobs.acquire(conn, [entry.text("hash") for entry in entries])
    ids: dict[int, int] = {}
    for project_id in sorted({row["project_id"] for row in owners.values()}):
        with edit_project(conn, project_id) as edit:
            for position, entry in enumerate(entries):
                owner = owners[entry.number("entityId")]
                if owner["project_id"] == project_id:
                    new = _new_image(entry, owner, blob_rows)
                    if items.ids_by_name(conn, owner["dataset_id"], [new["name"]]):
                        raise Invalid(f'"{entry.path}name": point cloud {owner["id"]} has an image of this name')
                    ids[position] = items.add_many(edit, owner["dataset_id"], [new])[0]
    rows = items.find(conn, list(ids.values()))
    return [_shape(conn, rows[ids[position]], entry.number("entityId")) for position, entry in enumerate(entries)]


def _new_image(entry: RequestParser, owner: RowMapping, blob_rows: Mapping[str, RowMapping]) -> dict[str, Any]:
    content = entry.text("hash")
    if content not in blob_rows:
        raise Invalid(f'"{entry.path}hash": {content} has not been uploaded')
    name = entry.text("name")
    if "/" in name:
        raise Invalid(f'"{entry.path}name" must not contain a slash')
    return {
        "name": attachments.image_name(owner["name"], name),
        "meta": json_codec.dump(entry.mapping("meta"), canonical=True),
        **{column: blob_rows[content][column] for column in _COLUMNS},
    }


def list_images(conn: Connection, request: RequestParser) -> ListPage:
    """``point-clouds.images.list`` of a dataset; the conditions on ``entityId`` select clouds."""
    dataset = FAMILY.dataset(conn, request.number("datasetId"))
    conditions = list(request.objects("filter", required=False))
    of_clouds = [condition for condition in conditions if condition.text("field") == "entityId"]
    query = items.listing(conn).where(table.c.dataset_id == dataset["id"], attachments.is_item())
    owners = conn.execute(apply_filter(query, {"entityId": table.c.id}, of_clouds)).mappings().all()
    entries = [_shape(conn, row, owner) for owner, rows in attachments.images(conn, owners).items() for row in rows]
    return page_of_entities(entries, request)


def download(context: OperationContext, request: RequestParser) -> Content:
    """``point-clouds.images.download`` by id."""
    number = request.number("id")
    with context.store.read() as conn:
        row = FAMILY.find(conn, [number])[number]
        blob_row = blobs.find(conn, [row["hash"]]).get(row["hash"]) if row["hash"] is not None else None
    if blob_row is None or not attachments.is_attachment(row["name"]):
        raise NotFound("related image", number)
    name = row["name"].rpartition("/")[2]
    return Content(context.blobs, row["hash"], blob_row["generation"], blob_row["size"], name, row["mime"])


READS: Mapping[str, Operation] = {"point-clouds.images.list": list_images}
WRITES: Mapping[str, Operation] = {"point-clouds.images.add": add}
DOWNLOADS: Mapping[str, Download] = {"point-clouds.images.download": download}
