"""Projects of videos, annotated by objects with figures in frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, ClassVar

from sqlalchemy import RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server.media import videos
from autoflow.server.media.decoder import Undecodable
from autoflow.server.media.thumbnails import ThumbnailSpec
from autoflow.server.project_types.item_meta import ItemMeta
from autoflow.server.project_types.object_annotations import ObjectAnnotations, frames_of


def video_streams(info: Mapping[str, Any]) -> list[JsonObject]:
    """Return the video streams of the description of a file."""
    streams = info.get("streams")
    described = [stream for stream in streams if isinstance(stream, dict)] if isinstance(streams, list) else []
    return [stream for stream in described if stream.get("codecType") == "video"]


class _Videos(ObjectAnnotations):
    name: ClassVar[str] = "videos"
    item: ClassVar[str] = "video"
    columns: ClassVar[tuple[str, ...]] = ("width", "height")

    def read_info(self, file: BinaryIO | str) -> Mapping[str, Any] | None:
        """Return the type of a video, and its size in pixels if it can be decoded here."""
        if isinstance(file, str):
            with open(file, "rb") as opened:
                return self.read_info(opened)
        container = videos.recognize(file.read(videos.HEAD))
        if container is None:
            return None
        size: Mapping[str, Any] = {"width": None, "height": None}
        if videos.can_decode():
            try:
                streams = video_streams(videos.read_streams(file, counted=False))
            except Undecodable:
                return None
            if not streams:
                return None
            size = {"width": streams[0]["width"], "height": streams[0]["height"]}
        return {"mime": container.mime, **size}

    def grouped(self, row: RowMapping, figures: Sequence[JsonObject]) -> JsonObject:
        """Return figures by frames, with the size and the number of frames of the video."""
        file = ItemMeta.of(row).file
        return {
            "videoId": row["id"],
            "videoName": row["name"],
            "size": {"height": row["height"] or 0, "width": row["width"] or 0},
            "framesCount": file.get("framesCount") or 0,
            "frames": frames_of(figures),
        }

    def preview(self, file: BinaryIO, spec: ThumbnailSpec) -> tuple[str, bytes]:
        """Return a picture of the first frame."""
        return videos.read_frame(file, 0, None, spec)


VIDEOS = _Videos()
