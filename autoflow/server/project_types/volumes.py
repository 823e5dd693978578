"""Projects of volumes, annotated by objects with figures in slices and in space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, ClassVar

from sqlalchemy import RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server.media import volumes
from autoflow.server.media.decoder import Undecodable
from autoflow.server.media.thumbnails import ThumbnailSpec
from autoflow.server.project_types.item_meta import ItemMeta
from autoflow.server.project_types.object_annotations import ObjectAnnotations
from autoflow.server.request_parser import as_number

# The planes, by the axis that each is perpendicular to.
PLANES = ("sagittal", "coronal", "axial")


def axis_of(normal: Any) -> int | None:
    """Return the axis that a normal has a part of: 0 to 2; None if it is not a normal."""
    if not isinstance(normal, Mapping):
        return None
    return next((axis for axis, name in enumerate("xyz") if normal.get(name)), None)


def _normal(axis: int) -> JsonObject:
    return {name: int(position == axis) for position, name in enumerate("xyz")}


class _Volumes(ObjectAnnotations):
    name: ClassVar[str] = "volumes"
    item: ClassVar[str] = "volume"

    def read_info(self, file: BinaryIO | str) -> Mapping[str, Any] | None:
        """Return the type of a volume that can be read here."""
        if isinstance(file, str):
            with open(file, "rb") as opened:
                return self.read_info(opened)
        mime = volumes.recognize(file.read(volumes.HEAD))
        if mime is not None and volumes.can_read():
            file.seek(0)
            try:
                volumes.describe(file)
            except Undecodable:
                return None
        return None if mime is None else {"mime": mime}

    def grouped(self, row: RowMapping, figures: Sequence[JsonObject]) -> JsonObject:
        """Return the figures of slices by planes, and the others apart."""
        slices: list[dict[int, list[JsonObject]]] = [{}, {}, {}]
        spatial = []
        for figure in figures:
            axis, index = axis_of(figure["meta"].get("normal")), as_number(figure["meta"].get("sliceIndex"))
            if axis is None or index is None:
                spatial.append(figure)
            else:
                slices[axis].setdefault(index, []).append(figure)
        planes = [
            {
                "name": name,
                "normal": _normal(axis),
                "slices": [{"index": index, "figures": slices[axis][index]} for index in sorted(slices[axis])],
            }
            for axis, name in enumerate(PLANES)
        ]
        meta = ItemMeta.of(row).sent
        identity = {"volumeId": row["id"], "volumeName": row["name"], "volumeMeta": meta}
        return {**identity, "planes": planes, "spatialFigures": spatial}

    def preview(self, file: BinaryIO, spec: ThumbnailSpec) -> tuple[str, bytes]:
        """Return a picture of the middle axial slice."""
        return volumes.draw(file, spec)


VOLUMES = _Volumes()
