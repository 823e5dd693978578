"""Point clouds and episodes: ``point-clouds.*``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server.db import datasets, items, json_codec
from autoflow.server.db.attachments import is_item
from autoflow.server.db.change_tracking import edit_project
from autoflow.server.db.schema import items as table
from autoflow.server.errors import Invalid
from autoflow.server.methods.annotated import documents, tags
from autoflow.server.methods.annotated import items as annotated_items
from autoflow.server.methods.annotated.families import Family
from autoflow.server.operations import Batch, Download, Operation, Upload
from autoflow.server.project_types.item_meta import ItemMeta
from autoflow.server.project_types.object_annotations import frames_of
from autoflow.server.project_types.point_clouds import EPISODES, POINT_CLOUDS
from autoflow.server.request_parser import RequestParser, as_number
from autoflow.wire.contract.method import Success


def _shape(_row: RowMapping, meta: ItemMeta) -> JsonObject:
    return {"frame": meta.sent.get("frame")}


def _describe(_file: JsonObject, _sent: JsonObject) -> JsonObject:
    return {}


FAMILY = Family(
    "point-clouds",
    {POINT_CLOUDS.name: POINT_CLOUDS, EPISODES.name: EPISODES},
    "pointClouds",
    "pointCloudIds",
    "entityId",
    _shape,
    _describe,
)


def _clouds(conn: Connection, dataset: RowMapping) -> list[RowMapping]:
    """Return the clouds of a dataset in the order of their frames."""
    query = items.listing(conn).where(table.c.dataset_id == dataset["id"], is_item()).order_by(table.c.name)
    rows: list[RowMapping] = list(conn.execute(query).mappings())
    return sorted(rows, key=lambda row: as_number(json_codec.load(row["meta"]).get("frame")) or 0)


def episode_annotation(conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``point-clouds.episodes.annotations.info`` of a dataset: one annotation, whose frames are its clouds."""
    dataset = FAMILY.dataset(conn, request.number("datasetId"))
    rows = _clouds(conn, dataset)
    shown = documents.shown(conn, rows)
    objects: dict[int, JsonObject] = {entry["id"]: entry for cloud in shown for entry in cloud["objects"]}
    figures = [
        {**figure, "meta": {**figure["meta"], "frame": as_number(ItemMeta.of(row).sent.get("frame")) or position}}
        for position, (row, cloud) in enumerate(zip(rows, shown, strict=True))
        for figure in cloud["figures"]
    ]
    return [
        {
            "datasetId": dataset["id"],
            "description": dataset["description"],
            "tags": [],
            "objects": [objects[number] for number in sorted(objects)],
            "framesCount": len(rows),
            "frames": frames_of(figures),
        }
    ]


def set_frame_order(conn: Connection, request: RequestParser) -> Success:
    """``point-clouds.episodes.frames.update-order``: number the frames of a dataset in the order of ``ids``."""
    dataset = FAMILY.dataset(conn, request.number("datasetId"))
    numbers = request.unique_numbers("ids")
    with edit_project(conn, dataset["project_id"]) as edit:
        rows = FAMILY.find(conn, numbers)
        if any(row["dataset_id"] != dataset["id"] for row in rows.values()):
            raise Invalid(f'"ids" must be point clouds of dataset {dataset["id"]}')
        changes: list[tuple[RowMapping, Mapping[str, Any]]] = []
        for frame, number in enumerate(numbers):
            meta = ItemMeta.of(rows[number])
            changes.append((rows[number], {"meta": meta._replace(sent={**meta.sent, "frame": frame}).to_text()}))
        items.change_many(edit, changes)
    return {"success": True}


def notify(conn: Connection, request: RequestParser) -> JsonObject:
    """``point-clouds.episodes.notify-annotation-tool``: no tool is open here, so nothing asks a tracker to stop."""
    data = RequestParser(request.mapping("data"), "data.")
    if data.has("datasetId"):
        datasets.get(conn, data.number("datasetId"))
    return {"stopped": False}


READS: Mapping[str, Operation] = {
    **annotated_items.reads(FAMILY),
    "point-clouds.episodes.annotations.info": episode_annotation,
    "point-clouds.episodes.notify-annotation-tool": notify,
}
WRITES: Mapping[str, Operation] = {
    **tags.writes(FAMILY),
    "point-clouds.episodes.frames.update-order": set_frame_order,
}
BATCHES: Mapping[str, Batch] = annotated_items.batches(FAMILY)
UPLOADS: Mapping[str, Upload] = annotated_items.uploads(FAMILY)
DOWNLOADS: Mapping[str, Download] = annotated_items.downloads(FAMILY)
