"""Videos: ``videos.*``. Bytes are uploaded once, by their hash; videos then name them."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from sqlalchemy import Connection, RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server.blobs import composite_content
from autoflow.server.blobs.composite_content import CompositeContent
from autoflow.server.db import blobs
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.media import videos
from autoflow.server.media.decoder import Undecodable
from autoflow.server.media.thumbnails import ThumbnailSpec
from autoflow.server.methods.annotated import file_descriptions, items, tags
from autoflow.server.methods.annotated.families import Family
from autoflow.server.methods.images.previews import LARGEST, blob_file
from autoflow.server.operations import Batch, Download, Operation, OperationContext, Upload
from autoflow.server.project_types.item_meta import ItemMeta
from autoflow.server.project_types.videos import VIDEOS, video_streams
from autoflow.server.request_parser import RequestParser, as_number

FRAMES = 50  # decoded by one request: each takes up to ten seconds
_FULL_SIZE = ThumbnailSpec(0, 0, "fit", 95, "png")


def _shape(row: RowMapping, meta: ItemMeta) -> JsonObject:
    return {"width": row["width"], "height": row["height"], "videoStreamIndex": meta.sent.get("videoStreamIndex")}


def _describe(file: JsonObject, sent: JsonObject) -> JsonObject:
    """Return the stream of a video that its meta names, or else the first, with what is known of the whole file."""
    streams = video_streams(file)
    index = sent.get("videoStreamIndex")
    stream = next((stream for stream in streams if stream.get("index") == index), streams[0] if streams else {})
    duration = stream.get("duration") or file.get("duration") or 0
    whole: JsonObject = {name: file[name] for name in ("formatName", "size") if name in file}
    return {**stream, **whole, "duration": duration} if stream else {}


FAMILY = Family("videos", {VIDEOS.name: VIDEOS}, "videos", "videoIds", "videoId", _shape, _describe)


def _frames(context: OperationContext, number: int, indexes: list[int]) -> list[tuple[str, bytes]]:
    """Return the type and the bytes of pictures of frames of a video."""
    with context.store.read() as conn:
        row = FAMILY.find(conn, [number])[number]
        blob_row = blobs.find(conn, [row["hash"]]).get(row["hash"]) if row["hash"] is not None else None
    if blob_row is None or blob_row["size"] > LARGEST:
        raise Invalid(f"video {number} is not stored here, or is larger than {LARGEST >> 20} MiB")
    stream = as_number(ItemMeta.of(row).sent.get("videoStreamIndex"))
    try:
        with blob_file(context, blob_row) as file:
            return [videos.read_frame(file, index, stream, _FULL_SIZE) for index in indexes]
    except Undecodable as error:
        raise NotFound("frame of video", number, f"a frame of video {number} cannot be read: {error}") from None


def frame(context: OperationContext, request: RequestParser) -> CompositeContent:
    """``videos.download-frame`` of a video (``videoId``): the picture of one ``frame``."""
    index = max(request.number("frame"), 0)
    ((mime, data),) = _frames(context, request.number("videoId"), [index])
    return composite_content.text_content(data, f"frame_{index}.{mime.rpartition('/')[2]}", mime)


def frames(context: OperationContext, request: RequestParser) -> CompositeContent:
    """``videos.bulk.download-frame``: a multipart form whose parts are named by the ``frames``, in order."""
    indexes = request.numbers("frames", max_items=FRAMES)
    pictures = _frames(context, request.number("videoId"), [max(index, 0) for index in indexes])
    parts = ((str(index), data) for index, (_, data) in zip(indexes, pictures, strict=True))
    return composite_content.multipart_content(parts, "frames")


def notify(_conn: Connection, _request: RequestParser) -> JsonObject:
    """``videos.notify-annotation-tool``: no annotation tool is open here, so nothing asks a tracker to stop."""
    return {"stopped": False}


READS: Mapping[str, Operation] = {**items.reads(FAMILY), "videos.notify-annotation-tool": notify}
WRITES: Mapping[str, Operation] = {
    **tags.writes(FAMILY),
    "videos.custom-data.set": functools.partial(items.set_custom_data, FAMILY),
    "videos.update.links": functools.partial(items.set_links, FAMILY),
}
BATCHES: Mapping[str, Batch] = {
    **items.batches(FAMILY),
    "videos.bulk.upsert_file_meta": file_descriptions.upsert,
}
UPLOADS: Mapping[str, Upload] = items.uploads(FAMILY)
DOWNLOADS: Mapping[str, Download] = {
    **items.downloads(FAMILY),
    "videos.download-frame": frame,
    "videos.bulk.download-frame": frames,
}
