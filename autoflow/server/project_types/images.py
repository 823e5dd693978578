"""Projects of images, with annotations in Supervisely's format.

The number of an object is image * FIGURES + k: it implies the image, and no table of figures is needed; the stored
document has k.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, ClassVar

from sqlalchemy import RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server import limits
from autoflow.server.db import json_codec
from autoflow.server.errors import Invalid
from autoflow.server.geometry import rounding
from autoflow.server.media.thumbnails import ThumbnailSpec, read_image_info, thumbnail
from autoflow.server.project_types.base import Document, ProjectType, StoredAnnotation
from autoflow.server.project_types.meta import Meta
from autoflow.server.request_parser import RequestParser

FIGURES = 2**20  # an image has fewer objects
# Members of an object that are derived when it is read: stored, they would make equal annotations differ.
_DERIVED = frozenset({"id", "classTitle", "labelerLogin", "createdAt", "updatedAt"})


def stored_object(request: RequestParser, meta: Meta) -> JsonObject:
    """Return an object as it is stored, without the number ``k`` that it gets in its annotation.

    Raises:
        Invalid: its class or a tag is not in the project's meta.
    """
    stored = {key: value for key, value in request.fields.items() if key not in _DERIVED}
    stored["classId"] = meta.class_number(request)
    stored["tags"] = [meta.tag(tag) for tag in request.objects("tags", required=False)]
    return stored


def shown(row: RowMapping, document: JsonObject | None, meta: Meta, in_pixels: bool = False) -> JsonObject:
    """Return an image's annotation in the wire's shape; `in_pixels`: with coordinates in whole pixels."""
    document = document or {}
    objects = []
    for stored in document.get("objects", ()):
        stored = rounding.round_to_pixels(stored) if in_pixels else stored
        number = row["id"] * FIGURES + stored["id"]
        tags = meta.object_tags(number, stored["tags"])
        objects.append({**stored, "id": number, "classTitle": meta.class_title(stored["classId"]), "tags": tags})
    size = {"height": row["height"], "width": row["width"]}
    tags = [{**tag, "name": meta.tag_name(tag["tagId"])} for tag in json_codec.load(row["tags"])]
    annotation = {"description": "", "size": size, **document, "tags": tags, "objects": objects}
    return {
        "imageId": row["id"],
        "imageName": row["name"],
        "annotation": annotation,
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "datasetId": row["dataset_id"],
    }


class _Images(ProjectType):
    name: ClassVar[str] = "images"
    item: ClassVar[str] = "image"
    columns: ClassVar[tuple[str, ...]] = ("width", "height")

    def read_info(self, file: BinaryIO | str) -> Mapping[str, Any] | None:
        info = read_image_info(file)
        return None if info is None else info._asdict()

    def store_annotation(self, sent: RequestParser, meta: Meta) -> StoredAnnotation:
        """Convert an annotation; its objects are numbered in their order."""
        entries = sent.objects("objects", required=False, max_items=limits.FIGURES)
        objects = [{**stored_object(entry, meta), "id": k} for k, entry in enumerate(entries, 1)]
        if len(objects) >= FIGURES:
            raise Invalid(f'"{sent.path}objects" has {len(objects)} entries; at most {FIGURES - 1} are allowed')
        others = {key: value for key, value in sent.fields.items() if key not in {"tags", "objects"}}
        tags = [meta.tag(tag) for tag in sent.objects("tags", required=False)]
        return StoredAnnotation({**others, "objects": objects} if others or objects else None, len(objects), tags)

    def show_annotation(self, row: RowMapping, document: Document | None, meta: Meta) -> JsonObject:
        annotation: JsonObject = shown(row, document, meta)["annotation"]
        return annotation

    def labels(self, document: Document) -> Sequence[JsonObject]:
        labels: Sequence[JsonObject] = document["objects"]
        return labels

    def preview(self, file: BinaryIO, spec: ThumbnailSpec) -> tuple[str, bytes]:
        return thumbnail(file, spec)


IMAGES: ProjectType = _Images()
