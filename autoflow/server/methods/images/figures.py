"""Single objects of annotations, which the SDK calls figures: the methods of ``figures.*`` that read them.

A figure is an object of its image's document (`images.labels`). Its ``geometry`` on the wire are the members of the
object that are not in `FACTS`. The geometry of an alpha mask, its ``bitmap``, is uploaded and downloaded separately
(`images.geometries`) and left out of lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from autoflow.model.json_object import JsonObject
from autoflow.server.db import attachments, datasets, items, json_codec, projects
from autoflow.server.db.schema import items as table
from autoflow.server.errors import NotFound
from autoflow.server.geometry import rounding
from autoflow.server.geometry.metrics import measure
from autoflow.server.methods.images import filters
from autoflow.server.methods.images.labels import stored_documents
from autoflow.server.operations import Operation
from autoflow.server.paging import ListPage, apply_filter, chunks, list_page, page_offset, per_page
from autoflow.server.project_types.images import FIGURES
from autoflow.server.project_types.meta import Meta
from autoflow.server.request_parser import RequestParser, as_text

ALPHA = "alpha_mask"
BITMAP = "bitmap"

# Members of an object that do not belong to its geometry.
FACTS = frozenset(
    {
        *("id", "entityId", "imageId", "objectId", "datasetId", "projectId", "classId", "classTitle", "labelerLogin"),
        *("createdAt", "updatedAt", "geometryType", "shape", "geometry", "geometryMeta", "area", "tags", "meta"),
        *("customData", "description", "priority", "nnCreated", "nnUpdated", "trackId", "instance", "status"),
    }
)


def image_of(number: int) -> int:
    """Return the image that a figure's number implies.

    Raises:
        NotFound: no figure can have that number.
    """
    if number <= FIGURES or number % FIGURES == 0:
        raise NotFound("figure", number)
    return number // FIGURES


def geometry_of(stored: JsonObject) -> JsonObject | None:
    """Return the geometry of a stored object as lists show it: None for an alpha mask."""
    if stored.get("geometryType") == ALPHA:
        return None
    return {key: value for key, value in stored.items() if key not in FACTS}


def figures_of(document: JsonObject) -> list[JsonObject]:
    """Return the figures of a document: its objects, or those that its objects have, each with the object's class."""
    if "figures" not in document:
        objects: list[JsonObject] = document["objects"]
        return objects
    classes = {stored["id"]: stored["classId"] for stored in document["objects"]}
    return [{"classId": classes.get(figure["objectId"]), **figure} for figure in document["figures"]]


def _shape(row: RowMapping, stored: JsonObject, meta: Meta, shared: Mapping[int, RowMapping]) -> JsonObject:
    """Return a figure in the wire's shape; `shared` are rows of shared objects by dataset."""
    of_object = "objectId" in stored  # and not an object itself
    geometry = stored["geometry"] if of_object else geometry_of(stored)
    box, area = measure(geometry or {BITMAP: stored.get(BITMAP)}, stored.get("geometryType"))
    number = _number(row, stored)
    return {
        "id": number,
        "entityId": row["id"],
        "imageId": row["id"],
        "objectId": _object_of(row, stored["objectId"], shared) if of_object else None,
        "classId": stored["classId"],
        "projectId": row["project_id"],
        "datasetId": row["dataset_id"],
        "geometryType": stored.get("geometryType"),
        "geometry": geometry,
        "geometryMeta": {"bbox": box} if box is not None else None,
        "area": area,
        "tags": meta.object_tags(number, stored["tags"]),
        "meta": stored.get("meta") or {},
        "priority": stored.get("priority"),
        "customData": stored.get("customData"),
        "nnCreated": stored.get("nnCreated"),
        "nnUpdated": stored.get("nnUpdated"),
        "trackId": stored.get("trackId"),
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


def _object_of(row: RowMapping, number: int, shared: Mapping[int, RowMapping]) -> int | None:
    """Return the id of a figure's object: one of its item, or of those that the items of the dataset share."""
    if number > 0:
        return int(row["id"] * FIGURES + number)
    owner = shared.get(row["dataset_id"])
    return None if owner is None else int(owner["id"] * FIGURES - number)


class FigureProjection:
    """The members of figures that a request selects, and whether coordinates are rounded to pixels.

    ``id`` and ``entityId`` are always included.
    """

    def __init__(self, request: RequestParser) -> None:
        fields = frozenset(
            name for name_value in request.array("fields", required=False) if (name := as_text(name_value))
        )
        self._fields = fields | {"id", "entityId"} if fields else None
        self._whole = request.flag("integerCoords", default=False)

    def of(self, figure: JsonObject) -> JsonObject:
        """Return the selected members of a figure."""
        if self._whole and figure["geometry"] is not None:
            figure = {**figure, "geometry": rounding.round_to_pixels(figure["geometry"])}
        return figure if self._fields is None else {key: figure[key] for key in figure if key in self._fields}


def figure(conn: Connection, request: RequestParser) -> JsonObject:
    """``figures.info`` by id, with its geometry, also that of an alpha mask."""
    number = request.number("id")
    row = items.find(conn, [image_of(number)])[image_of(number)]
    for stored in figures_of(stored_documents(conn, [row])[row["id"]]):
        if stored["id"] == number % FIGURES:
            shared = attachments.shared_objects(conn, [row["dataset_id"]])
            shown = _shape(row, stored, Meta.of(conn, row["project_id"]), shared)
            return shown if shown["geometry"] is not None else {**shown, "geometry": {BITMAP: stored.get(BITMAP)}}
    raise NotFound("figure", number)


def list_tags(conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``figures.tags.list`` of a figure."""
    tags: list[dict[str, Any]] = figure(conn, request)["tags"]
    return tags


def _numbers(conditions: Sequence[RequestParser]) -> set[int] | None:
    """Return the numbers of figures that conditions allow; None if they allow any."""
    allowed: set[int] | None = None
    for condition in conditions:
        values = [condition.number("value")] if condition.text("operator", "=") != "in" else condition.numbers("value")
        allowed = set(values) if allowed is None else allowed & set(values)
    return allowed


def list_figures(conn: Connection, request: RequestParser) -> ListPage:
    """``figures.list`` of a dataset, or of images of any: ordered by image, and in an image as they are drawn.

    ``filters`` select images as in ``images.list``, and of their figures those that the conditions count.
    """
    conditions = list(request.objects("filter", required=False))
    numbers = _numbers([condition for condition in conditions if condition.text("field") == "id"])
    query = items.listing(conn).where(table.c.labels > 0)
    if request.has("datasetId"):
        query = query.where(table.c.dataset_id == datasets.get(conn, request.number("datasetId"))["id"])
    elif request.has("projectId"):
        query = query.where(table.c.project_id == projects.get(conn, request.number("projectId"))["id"])
    columns = {"entityId": table.c.id, "imageId": table.c.id, "datasetId": table.c.dataset_id}
    query = apply_filter(query, columns, [condition for condition in conditions if condition.text("field") != "id"])
    if numbers is not None:
        query = query.where(table.c.id.in_(sorted({image_of(number) for number in numbers})))
    picked = filters.conditions(conn, request)
    query = filters.narrow(query, picked)
    size = per_page(request)
    start = page_offset(request, size)
    if numbers is None and not picked:
        total, pairs = _window(conn, query, start, size)
    else:
        pairs = [pair for pair in _picked(conn, query, picked) if numbers is None or _number(*pair) in numbers]
        total, pairs = len(pairs), pairs[start : start + size]
    metas = {number: Meta.of(conn, number) for number in {row["project_id"] for row, _ in pairs}}
    projection = FigureProjection(request)
    shared = attachments.shared_objects(conn, sorted({row["dataset_id"] for row, _ in pairs}))
    figures = [projection.of(_shape(row, stored, metas[row["project_id"]], shared)) for row, stored in pairs]
    return list_page(figures, total, size)


Pair = tuple[RowMapping, JsonObject]


def _number(row: RowMapping, stored: JsonObject) -> int:
    return int(row["id"] * FIGURES + stored["id"])


def _objects(conn: Connection, query: Any) -> list[Pair]:
    """Return all objects of the images of a query, each with its image's row."""
    image_rows = conn.execute(query.order_by(table.c.id)).mappings().all()
    documents = stored_documents(conn, image_rows)
    return [(row, stored) for row in image_rows for stored in figures_of(documents[row["id"]])]


def _picked(conn: Connection, query: Any, picked: Sequence[filters.Condition]) -> list[Pair]:
    """Return the objects that conditions count, of the images of a query that pass them."""
    image_rows = conn.execute(query.order_by(table.c.id)).mappings().all()
    documents = stored_documents(conn, image_rows)
    pairs = []
    for row in image_rows:
        objects, tags = figures_of(documents[row["id"]]), json_codec.load(row["tags"])
        if all(condition.passes(row["id"], tags, objects) for condition in picked):
            pairs += [(row, stored) for stored in objects if all(condition.counted(stored) for condition in picked)]
    return pairs


def _window(conn: Connection, query: Any, start: int, size: int) -> tuple[int, list[Pair]]:
    """Return the number of objects, and those of one page; only documents of the page's images are read."""
    before = func.coalesce(func.sum(table.c.labels).over(order_by=table.c.id), 0) - table.c.labels
    counted = query.with_only_columns(table.c.id, table.c.labels, before.label("before")).subquery()
    total = conn.execute(select(func.coalesce(func.sum(counted.c.labels), 0))).scalar_one()
    inside = select(counted.c.id, counted.c.before).where(
        counted.c.before < start + size, counted.c.before + counted.c.labels > start
    )
    starts = {row.id: int(row.before) for row in conn.execute(inside)}
    if not starts:
        return int(total), []
    first = min(starts.values())
    pairs = [
        pair for part in chunks(sorted(starts)) for pair in _objects(conn, select(table).where(table.c.id.in_(part)))
    ]
    return int(total), pairs[start - first : start - first + size]


READS: Mapping[str, Operation] = {"figures.list": list_figures, "figures.info": figure, "figures.tags.list": list_tags}
WRITES: Mapping[str, Operation] = {}
