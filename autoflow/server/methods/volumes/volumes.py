"""Volumes: ``volumes.*``."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server import limits
from autoflow.server.blobs import composite_content
from autoflow.server.blobs.composite_content import CompositeContent
from autoflow.server.db import blobs
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.media import volumes
from autoflow.server.media.decoder import Undecodable
from autoflow.server.media.thumbnails import ThumbnailSpec
from autoflow.server.methods.annotated import items, tags
from autoflow.server.methods.annotated.families import Family
from autoflow.server.methods.images.previews import LARGEST, blob_file
from autoflow.server.operations import Batch, Download, Operation, OperationContext, Upload
from autoflow.server.project_types.item_meta import ItemMeta
from autoflow.server.project_types.volumes import VOLUMES, axis_of
from autoflow.server.request_parser import RequestParser

_FULL_SIZE = ThumbnailSpec(0, 0, "fit", 95, "png")


def _shape(_row: RowMapping, _meta: ItemMeta) -> JsonObject:
    return {}


def _describe(file: JsonObject, _sent: JsonObject) -> JsonObject:
    return {name: file[name] for name in ("sizes", "type") if name in file}


FAMILY = Family("volumes", {VOLUMES.name: VOLUMES}, "volumes", "volumeIds", "entityId", _shape, _describe)


def _axis(request: RequestParser) -> int:
    axis = axis_of(request.mapping("normal"))
    if axis is None:
        raise Invalid(f'"{request.path}normal" must have the members x, y, z, of which one is not 0')
    return axis


def add_slices(conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``volumes.slices.bulk.add``: accept the slices of a volume, answered in order.

    They are not stored: slices are cut from the volume when they are read.
    """
    number = request.number("volumeId")
    FAMILY.find(conn, [number])
    slices = request.objects("volumeSlices", max_items=limits.CHANGED_ENTRIES)
    return [
        {"volumeId": number, "sliceIndex": entry.number("sliceIndex"), "axis": _axis(entry), "hash": entry.text("hash")}
        for entry in slices
    ]


def slice_picture(context: OperationContext, request: RequestParser) -> CompositeContent:
    """``volumes.slices.images.download``: a picture of a slice, between two values by its window."""
    number, index, axis = request.number("volumeId"), request.number("sliceIndex"), _axis(request)
    with context.store.read() as conn:
        row = FAMILY.find(conn, [number])[number]
        blob_row = blobs.find(conn, [row["hash"]]).get(row["hash"]) if row["hash"] is not None else None
    if blob_row is None or blob_row["size"] > LARGEST:
        raise Invalid(f"volume {number} is not stored here, or is larger than {LARGEST >> 20} MiB")
    center, width = (_measure(request, name) for name in ("windowCenter", "windowWidth"))
    window = None if center is None or width is None else [center - width / 2, center + width / 2]
    try:
        with blob_file(context, blob_row) as file:
            mime, data = volumes.draw(file, _FULL_SIZE, axis, index, window)
    except Undecodable as error:
        raise NotFound("slice of volume", number, f"a slice of volume {number} cannot be read: {error}") from None
    return composite_content.text_content(data, f"slice_{index}.png", mime)


def _measure(request: RequestParser, name: str) -> float | None:
    value = request.fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= limits.COORDINATE:
        raise Invalid(f'"{name}" must be a number')
    return float(value)


READS: Mapping[str, Operation] = {**items.reads(FAMILY), "volumes.slices.bulk.add": add_slices}
WRITES: Mapping[str, Operation] = {
    **tags.writes(FAMILY),
}
BATCHES: Mapping[str, Batch] = items.batches(FAMILY)
UPLOADS: Mapping[str, Upload] = items.uploads(FAMILY)
DOWNLOADS: Mapping[str, Download] = {**items.downloads(FAMILY), "volumes.slices.images.download": slice_picture}
