"""A version's content, read as it was: ``autoflow.versions.items`` and ``autoflow.versions.meta``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping

from autoflow.server.db import items, json_codec
from autoflow.server.db.schema import projects as project_table
from autoflow.server.methods.images.labels import shown
from autoflow.server.methods.images.tags import Meta
from autoflow.server.methods.versions.versions import shape
from autoflow.server.operations import Operation
from autoflow.server.request_parser import RequestParser
from autoflow.server.versions import snapshot, versions
from autoflow.server.versions.snapshot import SnapshotRef
from autoflow.wire import methods

LARGEST = 1000
_PLAIN = ("id", "name", "hash", "link", "mime", "size", "width", "height", "description")


def _item(row: RowMapping, places: Mapping[int, tuple[str, ...]], meta: Meta) -> dict[str, Any]:
    tags = [{**tag, "name": meta.tag_name(tag["tagId"])} for tag in json_codec.load(row["tags"])]
    return {
        **{name: row[name] for name in _PLAIN},
        "datasetId": row["dataset_id"],
        "dataset": list(places[row["dataset_id"]]),
        "meta": json_codec.load(row["meta"]),
        "tags": tags,
        "labelsCount": row["labels"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


def read_items(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.versions.items``: a page of a version's items by their ids, with ``annotations`` each with its own."""
    moment = SnapshotRef.of(versions.get(conn, request.number("id")))
    limit = min(max(request.optional_number("limit") or LARGEST, 1), LARGEST)
    found = snapshot.page(
        conn, moment, request.optional_number("after") or 0, limit, request.optional_number("datasetId")
    )
    places = snapshot.dataset_paths(snapshot.datasets_at(conn, moment))
    meta = Meta(snapshot.meta_at(conn, moment))
    told = [_item(row, places, meta) for row in found]
    if request.flag("annotations", default=False):
        texts = items.read_documents(conn, sorted({row["annotation"] for row in found if row["annotation"]}))
        for entry, row in zip(told, found, strict=True):
            entry["annotation"] = shown(row, texts.get(row["annotation"]), meta)["annotation"]
    return {"items": told, "after": found[-1]["id"] if len(found) == limit else None}


def read_meta(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.versions.meta``: a version, with its project, its classes and tags, and its datasets."""
    version = versions.get(conn, request.number("id"))
    moment = SnapshotRef.of(version)
    project = conn.execute(project_table.select().where(project_table.c.id == moment.project)).mappings().one()
    found = snapshot.datasets_at(conn, moment)
    places = snapshot.dataset_paths(found)
    counts = snapshot.item_counts(conn, moment)
    return {
        "version": {**shape(version), "digest": version["digest"], "datasetsCount": len(found)},
        "project": {
            "id": project["id"],
            "name": project["name"],
            "description": project["description"],
            "type": project["type"],
            "workspaceId": project["workspace_id"],
            "removed": project["state"] != "active",
        },
        "meta": snapshot.meta_at(conn, moment),
        "datasets": [
            {
                "id": row["id"],
                "parentId": row["parent_id"],
                "name": row["name"],
                "path": list(places[row["id"]]),
                "description": row["description"],
                "customData": json_codec.load(row["custom_data"]),
                "itemsCount": counts.get(row["id"], 0),
            }
            for row in found
        ],
    }


READS: Mapping[str, Operation] = {methods.VERSION_ITEMS: read_items, methods.VERSION_META: read_meta}
WRITES: Mapping[str, Operation] = {}
