"""The content of a version: ``autoflow.versions.items`` and ``autoflow.versions.meta``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from sqlalchemy import Connection, RowMapping

from autoflow.server.db import copies, items, json_codec, tombstones
from autoflow.server.db.schema import projects as project_table
from autoflow.server.methods.versions.folders import etag
from autoflow.server.methods.versions.versions import to_wire
from autoflow.server.operations import Operation, by_name, implements
from autoflow.server.project_types import registry
from autoflow.server.project_types.item_meta import ItemMeta
from autoflow.server.project_types.meta import Meta
from autoflow.server.versions import snapshot, versions
from autoflow.server.versions.snapshot import SnapshotRef
from autoflow.wire.contract import versions as contract
from autoflow.wire.contract.transfers import CopiedVersion

MAX_ITEMS = 1000  # of one response


def item_fields(row: RowMapping, paths: Mapping[int, tuple[str, ...]]) -> contract.ItemFields:
    """Return what lists and comparisons show of an item.

    Args:
        row: the item's row.
        paths: the paths of the snapshot's datasets by id.
    """
    erased = tombstones.is_tombstone(row)
    return {
        "id": row["id"],
        "name": tombstones.NAME if erased else row["name"],
        "hash": row["hash"],
        "link": None if erased else row["link"],
        "mime": None if erased else row["mime"],
        "size": row["size"],
        "width": row["width"],
        "height": row["height"],
        "description": row["description"],
        "datasetId": row["dataset_id"],
        "dataset": list(paths[row["dataset_id"]]),
        "meta": {} if erased else ItemMeta.of(row).sent,
    }


def _item(row: RowMapping, paths: Mapping[int, tuple[str, ...]], meta: Meta) -> contract.VersionItem:
    members: contract.VersionItemMembers = {
        **item_fields(row, paths),
        "tags": [{**tag, "name": meta.tag_name(tag["tagId"])} for tag in json_codec.load(row["tags"])],
        "labelsCount": row["labels"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }
    return cast("contract.VersionItem", members)  # the annotation is optional


@implements(contract.VERSION_ITEMS)
def read_items(conn: Connection, request: contract.VersionItemsRequest) -> contract.VersionItemsResponse:
    """``autoflow.versions.items``: a page of a version's items by id, with ``annotations`` and ``fingerprints`` if
    requested.

    Items that were erased are left out.
    """
    ref = SnapshotRef.of(versions.get(conn, request.id))
    limit = min(request.limit or MAX_ITEMS, MAX_ITEMS)
    item_rows = snapshot.page(conn, ref, request.after or 0, limit, request.dataset_id, ids=request.ids)
    after = item_rows[-1]["id"] if len(item_rows) == limit else None
    item_rows = [row for row in item_rows if not tombstones.is_tombstone(row)]
    paths = snapshot.dataset_paths(snapshot.datasets_at(conn, ref))
    meta = Meta(snapshot.meta_at(conn, ref))
    project_type = registry.of_project(conn, ref.project)
    entries = [_item(row, paths, meta) for row in item_rows]
    if request.annotations:
        documents = items.read_documents(conn, sorted({row["annotation"] for row in item_rows if row["annotation"]}))
        for entry, row in zip(entries, item_rows, strict=True):
            entry["annotation"] = project_type.show_annotation(row, documents.get(row["annotation"]), meta)
    if request.fingerprints:
        for entry, row in zip(entries, item_rows, strict=True):
            entry["fingerprint"] = etag(row)
    return {"items": entries, "after": after}


def _origin(conn: Connection, version: RowMapping) -> CopiedVersion | None:
    """Return where a version was saved first, None if that was here."""
    sources = copies.sources(conn, copies.VERSION, version["id"])
    if not sources:
        return None
    origin, copied_at = copies.origin(sources[-1]), sources[-1]["created_at"]
    return {**origin, "author": copies.author(sources) or "", "copiedAt": copied_at}


@implements(contract.VERSION_META)
def read_meta(conn: Connection, request: contract.VersionMetaRequest) -> contract.VersionMetaResponse:
    """``autoflow.versions.meta``: a version, with its project, its classes and tags, and its datasets."""
    version = versions.get(conn, request.id)
    ref = SnapshotRef.of(version)
    project = conn.execute(project_table.select().where(project_table.c.id == ref.project)).mappings().one()
    dataset_rows = snapshot.datasets_at(conn, ref)
    paths = snapshot.dataset_paths(dataset_rows)
    counts = snapshot.item_counts(conn, ref)
    return {
        "version": {
            **to_wire(version),
            "digest": version["digest"],
            "datasetsCount": len(dataset_rows),
            "copiedFrom": _origin(conn, version),
        },
        "project": {
            "id": project["id"],
            "name": project["name"],
            "description": project["description"],
            "type": project["type"],
            "workspaceId": project["workspace_id"],
            "removed": project["state"] != "active",
        },
        "meta": snapshot.meta_at(conn, ref),
        "datasets": [
            {
                "id": row["id"],
                "parentId": row["parent_id"],
                "name": row["name"],
                "path": list(paths[row["id"]]),
                "description": row["description"],
                "customData": json_codec.load(row["custom_data"]),
                "itemsCount": counts.get(row["id"], 0),
            }
            for row in dataset_rows
        ],
    }


READS: Mapping[str, Operation] = by_name(read_items, read_meta)
WRITES: Mapping[str, Operation] = {}
