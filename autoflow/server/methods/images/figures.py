"""Objects of annotations one by one, as the SDK's figures: ``figures.*``, what reads them.

A figure is an object of its image's document (`operations.labels`): what the wire has as a figure's ``geometry`` are
the members of the object that are not its facts. The geometry of an alpha mask, its ``bitmap``, is uploaded and
downloaded apart (`operations.geometries`); a list does not have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from autoflow.server.db import datasets, items, json_codec, projects
from autoflow.server.db.schema import items as table
from autoflow.server.errors import NotFound
from autoflow.server.geometry import rounding
from autoflow.server.geometry.metrics import measure
from autoflow.server.methods.images import filters
from autoflow.server.methods.images.labels import FIGURES, stored_documents
from autoflow.server.methods.images.tags import Meta
from autoflow.server.operations import Operation
from autoflow.server.paging import apply_filter, chunks, page_offset, page_totals, per_page
from autoflow.server.request_parser import RequestParser, as_text

ALPHA = "alpha_mask"
BITMAP = "bitmap"

# What of an object is no part of its geometry.
FACTS = frozenset(
    {
        *("id", "entityId", "imageId", "objectId", "datasetId", "projectId", "classId", "classTitle", "labelerLogin"),
        *("createdAt", "updatedAt", "geometryType", "shape", "geometry", "geometryMeta", "area", "tags", "meta"),
        *("customData", "description", "priority", "nnCreated", "nnUpdated", "trackId", "instance", "status"),
    }
)


def image_of(number: int) -> int:
    """The image that a figure's number names.

    Raises:
        NotFound: it can be no figure's number.
    """
    if number <= FIGURES or number % FIGURES == 0:
        raise NotFound("figure", number)
    return number // FIGURES


def geometry_of(stored: Mapping[str, Any]) -> dict[str, Any] | None:
    """The geometry of a stored object as a list shows it."""
    if stored.get("geometryType") == ALPHA:
        return None
    return {key: value for key, value in stored.items() if key not in FACTS}


def _shape(row: RowMapping, stored: Mapping[str, Any], meta: Meta) -> dict[str, Any]:
    geometry = geometry_of(stored)
    box, area = measure(geometry or {}, stored.get("geometryType"))
    tags = [{**tag, "name": meta.tag_name(tag["tagId"])} for tag in stored["tags"]]
    return {
        "id": row["id"] * FIGURES + stored["id"],
        "entityId": row["id"],
        "imageId": row["id"],
        "objectId": None,
        "classId": stored["classId"],
        "projectId": row["project_id"],
        "datasetId": row["dataset_id"],
        "geometryType": stored.get("geometryType"),
        "geometry": geometry,
        "geometryMeta": {"bbox": box} if box is not None else None,
        "area": area,
        "tags": tags,
        "meta": stored.get("meta") or {},
        "priority": stored.get("priority"),
        "customData": stored.get("customData"),
        "nnCreated": stored.get("nnCreated"),
        "nnUpdated": stored.get("nnUpdated"),
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


class _Wish:
    """Which members of figures a request wants, and whether in whole pixels.

    ``id`` and ``entityId`` come always, or a figure could not be placed.
    """

    def __init__(self, request: RequestParser) -> None:
        fields = frozenset(name for one in request.array("fields", required=False) if (name := as_text(one)))
        self._fields = fields | {"id", "entityId"} if fields else None
        self._whole = request.flag("integerCoords", default=False)

    def of(self, figure: dict[str, Any]) -> dict[str, Any]:
        """A figure as it is wanted."""
        if self._whole and figure["geometry"] is not None:
            figure = {**figure, "geometry": rounding.round_to_pixels(figure["geometry"])}
        return figure if self._fields is None else {key: figure[key] for key in figure if key in self._fields}


def figure(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``figures.info`` by id, its geometry included whatever it is."""
    number = request.number("id")
    row = items.find(conn, [image_of(number)])[image_of(number)]
    for stored in stored_documents(conn, [row])[row["id"]]["objects"]:
        if stored["id"] == number % FIGURES:
            shown = _shape(row, stored, Meta.of(conn, row["project_id"]))
            return shown if shown["geometry"] is not None else {**shown, "geometry": {BITMAP: stored.get(BITMAP)}}
    raise NotFound("figure", number)


def list_tags(conn: Connection, request: RequestParser) -> list[dict[str, Any]]:
    """``figures.tags.list`` of a figure; each is numbered by its kind, having no number of its own."""
    return [{**tag, "id": tag["tagId"]} for tag in figure(conn, request)["tags"]]


def _numbers(conditions: Sequence[RequestParser]) -> set[int] | None:
    """The figures' numbers that a filter allows, None for any."""
    allowed: set[int] | None = None
    for condition in conditions:
        one = [condition.number("value")] if condition.text("operator", "=") != "in" else condition.numbers("value")
        allowed = set(one) if allowed is None else allowed & set(one)
    return allowed


def list_figures(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``figures.list`` of a dataset, or of images of any: by images' numbers, and in an image as they are drawn.

    ``filters`` pick images as in ``images.list``, and of their figures those that are counted.
    """
    conditions = list(request.objects("filter", required=False))
    numbers = _numbers([one for one in conditions if one.text("field") == "id"])
    query = items.listing(conn).where(table.c.labels > 0)
    if request.has("datasetId"):
        query = query.where(table.c.dataset_id == datasets.get(conn, request.number("datasetId"))["id"])
    elif request.has("projectId"):
        query = query.where(table.c.project_id == projects.get(conn, request.number("projectId"))["id"])
    columns = {"entityId": table.c.id, "imageId": table.c.id, "datasetId": table.c.dataset_id}
    query = apply_filter(query, columns, [one for one in conditions if one.text("field") != "id"])
    if numbers is not None:
        query = query.where(table.c.id.in_(sorted({image_of(number) for number in numbers})))
    picked = filters.conditions(conn, request)
    query = filters.narrowed(query, picked)
    size = per_page(request)
    start = page_offset(request, size)
    if numbers is None and not picked:
        total, pairs = _window(conn, query, start, size)
    else:
        pairs = [pair for pair in _picked(conn, query, picked) if numbers is None or _number(*pair) in numbers]
        total, pairs = len(pairs), pairs[start : start + size]
    metas = {number: Meta.of(conn, number) for number in {row["project_id"] for row, _ in pairs}}
    wish = _Wish(request)
    found = [wish.of(_shape(row, stored, metas[row["project_id"]])) for row, stored in pairs]
    return {"entities": found, **page_totals(total, size)}


Pair = tuple[RowMapping, dict[str, Any]]


def _number(row: RowMapping, stored: Mapping[str, Any]) -> int:
    return int(row["id"] * FIGURES + stored["id"])


def _objects(conn: Connection, query: Any) -> list[Pair]:
    """All objects of the images a query gives, each with its image's row."""
    found = conn.execute(query.order_by(table.c.id)).mappings().all()
    held = stored_documents(conn, found)
    return [(row, stored) for row in found for stored in held[row["id"]]["objects"]]


def _picked(conn: Connection, query: Any, picked: Sequence[filters.Condition]) -> list[Pair]:
    """Of the images a query gives, and that are picked, the objects that were counted for it."""
    found = conn.execute(query.order_by(table.c.id)).mappings().all()
    held = stored_documents(conn, found)
    pairs = []
    for row in found:
        objects, tags = held[row["id"]]["objects"], json_codec.load(row["tags"])
        if all(condition.passes(row["id"], tags, objects) for condition in picked):
            pairs += [(row, one) for one in objects if all(condition.counted(one) for condition in picked)]
    return pairs


def _window(conn: Connection, query: Any, start: int, size: int) -> tuple[int, list[Pair]]:
    """How many objects there are, and those of one page: only its images' documents are read."""
    before = func.coalesce(func.sum(table.c.labels).over(order_by=table.c.id), 0) - table.c.labels
    counted = query.with_only_columns(table.c.id, table.c.labels, before.label("before")).subquery()
    total = conn.execute(select(func.coalesce(func.sum(counted.c.labels), 0))).scalar_one()
    inside = select(counted.c.id, counted.c.before).where(
        counted.c.before < start + size, counted.c.before + counted.c.labels > start
    )
    places = {row.id: int(row.before) for row in conn.execute(inside)}
    if not places:
        return int(total), []
    first = min(places.values())
    pairs = [
        pair for part in chunks(sorted(places)) for pair in _objects(conn, select(table).where(table.c.id.in_(part)))
    ]
    return int(total), pairs[start - first : start - first + size]


READS: Mapping[str, Operation] = {"figures.list": list_figures, "figures.info": figure, "figures.tags.list": list_tags}
WRITES: Mapping[str, Operation] = {}
