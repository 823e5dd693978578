"""Annotations of objects that have figures in many places: in the frames of a video, in a point cloud, in a volume.

The stored document has ``objects``, each with a class and tags, and ``figures``, each with the number of its object.
The items of a dataset may share objects, which are in a row of their own (`db.attachments`): a figure of one has its
number with the sign changed, and its class. Objects, figures and the tags of objects of an item share one sequence of
numbers `k`; on the wire they have the number item * FIGURES + k, as objects of images have (`project_types.images`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, cast

from sqlalchemy import RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server import limits
from autoflow.server.db import json_codec
from autoflow.server.errors import Invalid
from autoflow.server.project_types.base import Document, ProjectType, StoredAnnotation
from autoflow.server.project_types.images import FIGURES
from autoflow.server.project_types.meta import Meta
from autoflow.server.request_parser import RequestParser, as_number
from autoflow.wire.contract.labels import TagValue

BYTES = "bytes"  # the member of a figure with its geometry in base64, if it is transferred separately
# Members that are derived, or that are valid for the client alone.
_DERIVED = frozenset(
    {
        *("id", "key", "objectKey", "entityId", "imageId", "datasetId", "projectId", "classId", "classTitle"),
        *("labelerLogin", "createdAt", "updatedAt", "area", "geometryMeta", BYTES),
    }
)
_GROUPS = ("frames", "planes")  # members of an annotation on the wire that group figures


class SharedObjects(NamedTuple):
    """The objects that the items of a dataset share: their row, and the stored objects."""

    row: RowMapping
    objects: Sequence[JsonObject]


def empty() -> Document:
    """Return the document of an item without objects."""
    return {"objects": [], "figures": []}


def stored_tag(request: RequestParser, meta: Meta) -> TagValue:
    """Return a tag by its name or number, with the frames it is on, if it is not on all.

    Raises:
        Invalid: the project has no such tag, or the tag not such a value or frames.
    """
    return framed(request, meta.tag(request))


def framed(request: RequestParser, tag: TagValue) -> TagValue:
    """Return a tag with the frames of a request: only members that differ from their defaults are stored.

    Raises:
        Invalid: ``frameRange`` is not a first and a last frame.
    """
    values: dict[str, Any] = {**tag}
    if request.has("frameRange"):
        frames = [as_number(value) for value in request.array("frameRange", max_items=2)]
        if len(frames) != 2 or frames[0] is None or frames[1] is None or not 0 <= frames[0] <= frames[1]:
            raise Invalid(f'"{request.path}frameRange" must be the numbers of a first and a last frame')
        values["frameRange"] = frames
    if not request.flag("isFinished", default=True):
        values["isFinished"] = False
    if request.flag("nonFinalValue", default=False):
        values["nonFinalValue"] = True
    return cast("TagValue", values)


def stored_object(request: RequestParser, meta: Meta) -> JsonObject:
    """Return an object as it is stored, without numbers.

    Raises:
        Invalid: its class or a tag is not in the project's meta.
    """
    stored = _stored_members(request, "objectId")
    stored["classId"] = meta.class_number(request)
    stored["tags"] = [stored_tag(tag, meta) for tag in request.objects("tags", required=False)]
    return stored


def stored_figure(request: RequestParser, meta: Meta) -> JsonObject:
    """Return a figure as it is stored, without numbers; a geometry must be an object, as must a ``meta``."""
    stored = _stored_members(request)
    for name in ("geometry", "meta"):
        stored[name] = request.mapping(name)
    stored["geometryType"] = request.text("geometryType")
    stored["tags"] = [meta.tag(tag) for tag in request.objects("tags", required=False)]
    return stored


def _stored_members(request: RequestParser, *more: str) -> JsonObject:
    unstored = _DERIVED.union(more)
    return {key: value for key, value in request.fields.items() if key not in unstored and value is not None}


def largest(document: Mapping[str, Any]) -> int:
    """Return the largest number k of a document, 0 if it has none."""
    tags = (tag for stored in document["objects"] for tag in stored["tags"])
    return max((entry["id"] for entry in itertools.chain(document["objects"], document["figures"], tags)), default=0)


class ObjectAnnotations(ProjectType):
    """A type of projects whose annotations are objects with figures.

    Attributes:
        count: the name of an item's number of frames in its annotation, None if it has none.
    """

    columns: ClassVar[tuple[str, ...]] = ()

    def store_annotation(self, sent: RequestParser, meta: Meta) -> StoredAnnotation:
        """Convert an annotation; objects, their tags and figures are numbered in their order."""
        numbers = itertools.count(1)
        objects, by_number = [], {}
        for entry in sent.objects("objects", required=False, max_items=limits.FIGURES):
            k = next(numbers)
            stored = stored_object(entry, meta)
            tags = [{"id": next(numbers), **tag} for tag in stored["tags"]]
            objects.append({**stored, "id": k, "tags": tags})
            if (number := as_number(entry.fields.get("id"))) is not None:
                by_number[number] = k
        figures = []
        for entry in _sent_figures(sent):
            number = entry.number("objectId")
            if number not in by_number:
                raise Invalid(f'"{entry.path}objectId": the annotation has no object {number}')
            figures.append({**stored_figure(entry, meta), "id": next(numbers), "objectId": by_number[number]})
        if next(numbers) > FIGURES or len(figures) > limits.FIGURES:
            raise Invalid(f'"{sent.path}figures": at most {limits.FIGURES} figures of an item are allowed')
        item_tags = [stored_tag(tag, meta) for tag in sent.objects("tags", required=False)]
        document = {"objects": objects, "figures": figures} if objects else None
        return StoredAnnotation(document, len(figures), item_tags)

    def show_annotation(
        self, row: RowMapping, document: Document | None, meta: Meta, shared: SharedObjects | None = None
    ) -> JsonObject:
        """Return the objects and the figures, grouped as the type's annotations on the wire have them.

        Of the objects that the items of the dataset share it has those that have figures here.
        """
        document = document or empty()
        classes = {stored["id"]: stored["classId"] for stored in document["objects"]}
        figures = [self.show_figure(row, stored, classes, shared) for stored in document["figures"]]
        objects = [self.show_object(row, stored, meta) for stored in document["objects"]]
        if shared is not None:
            used = {-stored["objectId"] for stored in document["figures"]}
            objects += [self.show_object(shared.row, stored, meta) for stored in shared.objects if stored["id"] in used]
        return {
            "description": row["description"],
            "datasetId": row["dataset_id"],
            "tags": [{**tag, "name": meta.tag_name(tag["tagId"])} for tag in json_codec.load(row["tags"])],
            "objects": objects,
            **self.grouped(row, figures),
        }

    def show_object(self, row: RowMapping, stored: JsonObject, meta: Meta) -> JsonObject:
        """Return an object in the wire's shape."""
        start = row["id"] * FIGURES
        tags = [
            {**tag, "id": start + tag["id"], "name": meta.tag_name(tag["tagId"]), "objectId": start + stored["id"]}
            for tag in stored["tags"]
        ]
        title = meta.class_title(stored["classId"])
        return {**stored, "id": start + stored["id"], "classTitle": title, "tags": tags, "entityId": row["id"]}

    def show_figure(
        self, row: RowMapping, stored: JsonObject, classes: Mapping[int, int], shared: SharedObjects | None = None
    ) -> JsonObject:
        """Return a figure in the wire's shape, without a geometry that is transferred separately."""
        start = row["id"] * FIGURES
        members = {key: value for key, value in stored.items() if key != BYTES}
        number = stored["objectId"]
        if number > 0:
            owner = {"objectId": start + number, "classId": classes[number]}
        else:
            owner = {"objectId": shared.row["id"] * FIGURES - number if shared is not None else number}
        owner["entityId"] = row["id"]
        return {**members, **owner, "id": start + stored["id"]}

    def grouped(self, row: RowMapping, figures: Sequence[JsonObject]) -> JsonObject:
        """Return figures as the annotation on the wire has them."""
        return {"figures": list(figures)}

    def labels(self, document: Document) -> Sequence[JsonObject]:
        """Return the figures, each with the class of its object, which versions are compared by."""
        classes = {stored["id"]: stored["classId"] for stored in document["objects"]}
        return [{"classId": classes.get(figure["objectId"]), **figure} for figure in document["figures"]]


def _sent_figures(sent: RequestParser) -> Iterator[RequestParser]:
    """Yield the figures of an annotation, whether it lists them or groups them by frames or planes."""
    yield from sent.objects("figures", required=False, max_items=limits.FIGURES)
    yield from sent.objects("spatialFigures", required=False, max_items=limits.FIGURES)
    for name in _GROUPS:
        for group in sent.objects(name, required=False, max_items=limits.FIGURES):
            for part in (group, *group.objects("slices", required=False, max_items=limits.FIGURES)):
                yield from part.objects("figures", required=False, max_items=limits.FIGURES)


def frames_of(figures: Iterable[JsonObject]) -> list[JsonObject]:
    """Return figures by the frame that their ``meta`` names, in the order of frames."""
    frames: dict[int, list[JsonObject]] = {}
    for figure in figures:
        frames.setdefault(as_number(figure["meta"].get("frame")) or 0, []).append(figure)
    return [{"index": index, "figures": frames[index]} for index in sorted(frames)]
