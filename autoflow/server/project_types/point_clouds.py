"""Projects of point clouds, and of episodes: datasets whose clouds are frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, ClassVar

from sqlalchemy import RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server.media import point_clouds
from autoflow.server.media.decoder import Undecodable
from autoflow.server.media.thumbnails import ThumbnailSpec, read_image_info, thumbnail
from autoflow.server.project_types.object_annotations import ObjectAnnotations


class _PointClouds(ObjectAnnotations):
    name: ClassVar[str] = "point_clouds"
    item: ClassVar[str] = "point cloud"
    columns: ClassVar[tuple[str, ...]] = ("width", "height")

    def read_info(self, file: BinaryIO | str) -> Mapping[str, Any] | None:
        """Return the type of a point cloud, or type and size of an image that belongs to one."""
        if isinstance(file, str):
            with open(file, "rb") as opened:
                return self.read_info(opened)
        mime = point_clouds.recognize(file.read(point_clouds.HEAD))
        if mime is not None:
            return {"mime": mime, "width": None, "height": None}
        file.seek(0)
        info = read_image_info(file)
        return None if info is None else info._asdict()

    def grouped(self, row: RowMapping, figures: Sequence[JsonObject]) -> JsonObject:
        """Return the figures as they are."""
        return {"pointCloudId": row["id"], "name": row["name"], "figures": list(figures)}

    def preview(self, file: BinaryIO, spec: ThumbnailSpec) -> tuple[str, bytes]:
        """Return a picture of a cloud from above, or of an image that belongs to one."""
        head = file.read(point_clouds.HEAD)
        file.seek(0)
        mime = point_clouds.recognize(head)
        if mime is None:
            return thumbnail(file, spec)
        if mime != "image/pcd":
            raise Undecodable(f"files of the type {mime} are not drawn here")
        return point_clouds.draw(file, spec)


class _Episodes(_PointClouds):
    name: ClassVar[str] = "point_cloud_episodes"


POINT_CLOUDS = _PointClouds()
EPISODES = _Episodes()
