"""Objects of annotations one by one, as the SDK's figures: ``figures.*``.

A figure is an object of its image's document (`operations.labels`): what the wire has as a figure's ``geometry`` are
the members of the object that are not its facts. The geometry of an alpha mask, its ``bitmap``, is uploaded and
downloaded apart; a list does not have it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from autoflow.platform import composed, documents
from autoflow.platform.body import Body, as_number
from autoflow.platform.composed import Composed
from autoflow.platform.measures import measured
from autoflow.platform.operations import Download, Operation, Place, Upload
from autoflow.platform.operations.labels import FIGURES, keep, stored_documents, stored_object
from autoflow.platform.operations.tags import Meta
from autoflow.platform.paging import LARGEST_PAGE, PAGE, chunks, selected
from autoflow.platform.refusals import bad, unknown
from autoflow.platform.store import datasets, items, projects
from autoflow.platform.store.edits import Edit, editing
from autoflow.platform.store.schema import items as table
from autoflow.wire.parts import Part

ALPHA = "alpha_mask"
BITMAP = "bitmap"
LARGEST_GEOMETRY = 64 * 1024 * 1024

# What of an object is no part of its geometry.
_FACTS = frozenset(
    {
        *("id", "entityId", "imageId", "objectId", "datasetId", "projectId", "classId", "classTitle", "labelerLogin"),
        *("createdAt", "updatedAt", "geometryType", "shape", "geometry", "geometryMeta", "area", "tags", "meta"),
        *("customData", "description", "priority", "nnCreated", "nnUpdated", "trackId", "instance", "status"),
    }
)
# What the place of a figure says, not the figure.
_PLACE = frozenset({"id", "geometry", "entityId", "imageId", "objectId", "datasetId", "projectId"})


def image_of(number: int) -> int:
    """The image that a figure's number names.

    Raises:
        ServerRefused: 404, it can be no figure's number.
    """
    if number <= FIGURES or number % FIGURES == 0:
        raise unknown("figure", number)
    return number // FIGURES


def geometry_of(stored: Mapping[str, Any]) -> dict[str, Any] | None:
    """The geometry of a stored object as a list shows it."""
    if stored.get("geometryType") == ALPHA:
        return None
    return {key: value for key, value in stored.items() if key not in _FACTS}


def _given_geometry(geometry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in geometry.items() if key not in _FACTS}


# -- reading


def _shape(row: RowMapping, stored: Mapping[str, Any], meta: Meta, fields: frozenset[str]) -> dict[str, Any]:
    geometry = geometry_of(stored)
    box, area = measured(geometry or {}, stored.get("geometryType"))
    tags = [{**tag, "name": meta.tag_name(tag["tagId"])} for tag in stored["tags"]]
    whole = {
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
    return {key: value for key, value in whole.items() if key in fields} if fields else whole


def _numbers(conditions: Sequence[Body]) -> set[int] | None:
    """The figures' numbers that a filter allows, None for any."""
    allowed: set[int] | None = None
    for condition in conditions:
        one = [condition.number("value")] if condition.text("operator", "=") != "in" else condition.numbers("value")
        allowed = set(one) if allowed is None else allowed & set(one)
    return allowed


def list_figures(rows: Connection, body: Body) -> dict[str, Any]:
    """``figures.list`` of a dataset, or of images of any: by images' numbers, and in an image as they are drawn.

    ``fields`` says which members are wanted; ``id`` and ``entityId`` come always, or a figure could not be placed.
    """
    if body.array("filters", required=False):
        raise bad('"filters" is not known on this platform; use "filter"')
    conditions = list(body.bodies("filter", required=False))
    numbers = _numbers([one for one in conditions if one.text("field") == "id"])
    query = items.listing(rows).where(table.c.labels > 0)
    if body.given("datasetId"):
        query = query.where(table.c.dataset_id == datasets.get(rows, body.number("datasetId"))["id"])
    elif body.given("projectId"):
        query = query.where(table.c.project_id == projects.get(rows, body.number("projectId"))["id"])
    columns = {"entityId": table.c.id, "imageId": table.c.id, "datasetId": table.c.dataset_id}
    query = selected(query, columns, [one for one in conditions if one.text("field") != "id"])
    if numbers is not None:
        query = query.where(table.c.id.in_(sorted({image_of(number) for number in numbers})))
    size = min(max(body.maybe_number("per_page") or PAGE, 1), LARGEST_PAGE)
    start = (max(body.maybe_number("page") or 1, 1) - 1) * size
    fields = frozenset(body.array("fields", required=False))
    wanted = fields | {"id", "entityId"} if fields else fields
    if numbers is None:
        total, pairs = _window(rows, query, start, size)
    else:
        pairs = [pair for pair in _objects(rows, query) if pair[0]["id"] * FIGURES + pair[1]["id"] in numbers]
        total, pairs = len(pairs), pairs[start : start + size]
    metas = {number: Meta.of(rows, number) for number in {row["project_id"] for row, _ in pairs}}
    found = [_shape(row, stored, metas[row["project_id"]], wanted) for row, stored in pairs]
    return {"entities": found, "total": total, "perPage": size, "pagesCount": max(-(-total // size), 1)}


Pair = tuple[RowMapping, dict[str, Any]]


def _objects(rows: Connection, query: Any) -> list[Pair]:
    """All objects of the images a query gives, each with its image's row."""
    found = rows.execute(query.order_by(table.c.id)).mappings().all()
    held = stored_documents(rows, found)
    return [(row, stored) for row in found for stored in held[row["id"]]["objects"]]


def _window(rows: Connection, query: Any, start: int, size: int) -> tuple[int, list[Pair]]:
    """How many objects there are, and those of one page: only its images' documents are read."""
    before = func.coalesce(func.sum(table.c.labels).over(order_by=table.c.id), 0) - table.c.labels
    counted = query.with_only_columns(table.c.id, table.c.labels, before.label("before")).subquery()
    total = rows.execute(select(func.coalesce(func.sum(counted.c.labels), 0))).scalar_one()
    inside = select(counted.c.id, counted.c.before).where(
        counted.c.before < start + size, counted.c.before + counted.c.labels > start
    )
    places = {row.id: int(row.before) for row in rows.execute(inside)}
    if not places:
        return int(total), []
    first = min(places.values())
    pairs = [
        pair for part in chunks(sorted(places)) for pair in _objects(rows, select(table).where(table.c.id.in_(part)))
    ]
    return int(total), pairs[start - first : start - first + size]


# -- changing


class Drawing:
    """The documents of some images of one project, while figures are put into them."""

    def __init__(self, edit: Edit, rows: Mapping[int, RowMapping]) -> None:
        self.meta = Meta.of(edit.rows, edit.project["id"])
        self._edit = edit
        self._rows = rows
        self._documents = stored_documents(edit.rows, list(rows.values()))

    def add(self, body: Body, image_id: int) -> int:
        """Add a figure to an image; gives its number."""
        geometry = body.mapping("geometry")
        plain = {key: value for key, value in body.fields.items() if key not in _PLACE}
        stored = {**stored_object(Body(plain, body.place), self.meta), **_given_geometry(geometry)}
        objects = self._documents[image_id]["objects"]
        k = max((one["id"] for one in objects), default=0) + 1
        if k >= FIGURES:
            raise bad(f"image {image_id} has no room for another object; {FIGURES - 1} are the most")
        objects.append({**stored, "id": k})
        return image_id * FIGURES + k

    def change(self, number: int, values: Mapping[str, Any], *, geometry: Mapping[str, Any] | None = None) -> None:
        """Change members of a figure, and put another geometry in place of its own when one is given."""
        stored = self.figure(number)
        if geometry is not None:
            for key in [key for key in stored if key not in _FACTS]:
                del stored[key]
            stored.update(geometry)
        stored.update(values)

    def remove(self, number: int) -> None:
        """Take a figure away."""
        self._documents[image_of(number)]["objects"].remove(self.figure(number))

    def figure(self, number: int) -> dict[str, Any]:
        """The stored object of a figure's number.

        Raises:
            ServerRefused: 404, its image has none of that number.
        """
        objects: list[dict[str, Any]] = self._documents[image_of(number)]["objects"]
        for one in objects:
            if one["id"] == number % FIGURES:
                return one
        raise unknown("figure", number)

    def close(self) -> None:
        """Keep the documents."""
        for number, row in self._rows.items():
            keep(self._edit, row, self._documents[number])


def _each_project(rows: Connection, images: Iterable[int]) -> Iterator[tuple[int, dict[int, RowMapping]]]:
    """The images by their project, in a steady order: each project's row is locked."""
    grouped: dict[int, dict[int, RowMapping]] = {}
    for number, row in items.find(rows, sorted(set(images))).items():
        grouped.setdefault(row["project_id"], {})[number] = row
    yield from sorted(grouped.items())


def add(rows: Connection, body: Body) -> list[dict[str, Any]]:
    """``figures.bulk.add`` to the images ``entityId`` names, each figure's or the request's; numbers in their order."""
    wanted = list(body.bodies("figures"))
    images = [one.number("entityId") if one.given("entityId") else body.number("entityId") for one in wanted]
    numbers: dict[int, int] = {}
    for project_id, found in _each_project(rows, images):
        if body.given("datasetId"):
            _check_dataset(rows, body.number("datasetId"), found.values())
        with editing(rows, project_id) as edit:
            drawing = Drawing(edit, found)
            for position, (one, image_id) in enumerate(zip(wanted, images, strict=True)):
                if image_id in found:
                    numbers[position] = drawing.add(one, image_id)
            drawing.close()
    return [{"id": numbers[position]} for position in range(len(wanted))]


def _check_dataset(rows: Connection, dataset_id: int, found: Iterable[RowMapping]) -> None:
    dataset = datasets.get(rows, dataset_id)
    for row in found:
        if row["dataset_id"] != dataset["id"]:
            raise bad(f"image {row['id']} is not of dataset {dataset_id}")


def edit_figure(rows: Connection, body: Body) -> dict[str, Any]:
    """``figures.editInfo``: another geometry, tags, and what else is known of a figure."""
    number = body.number("id")
    for project_id, found in _each_project(rows, [image_of(number)]):
        with editing(rows, project_id) as edit:
            drawing = Drawing(edit, found)
            names = ("meta", "customData", "priority", "nnCreated", "nnUpdated", "description")
            values = {name: body.fields[name] for name in names if name in body.fields}
            if body.given("tags"):
                values["tags"] = [drawing.meta.tag(tag) for tag in body.bodies("tags")]
            geometry = _given_geometry(body.mapping("geometry")) if body.given("geometry") else None
            drawing.change(number, values, geometry=geometry)
            drawing.close()
    return {"success": True}


def remove(rows: Connection, body: Body) -> dict[str, Any]:
    """``figures.bulk.remove`` by ``figureIds``."""
    numbers = body.numbers("figureIds")
    for project_id, found in _each_project(rows, map(image_of, numbers)):
        with editing(rows, project_id) as edit:
            drawing = Drawing(edit, found)
            for number in numbers:
                if image_of(number) in found:
                    drawing.remove(number)
            drawing.close()
    return {"success": True}


def add_tags(rows: Connection, body: Body) -> list[dict[str, Any]]:
    """``figures.tags.bulk.add``: many tags on many figures of a project, answered in the order sent."""
    wanted = list(body.bodies("tags"))
    numbers = [one.number("figureId") for one in wanted]
    answers = []
    with editing(rows, body.number("projectId")) as edit:
        found = items.find(rows, sorted({image_of(number) for number in numbers}))
        for row in found.values():
            if row["project_id"] != edit.project["id"]:
                raise bad(f"image {row['id']} is not of project {edit.project['id']}")
        drawing = Drawing(edit, found)
        for one, number in zip(wanted, numbers, strict=True):
            tag = drawing.meta.valued(one, one.number("tagId"))
            before = drawing.figure(number)["tags"]
            drawing.change(number, {"tags": before if tag in before else [*before, tag]})
            answers.append({**tag, "figureId": number})
        drawing.close()
    return answers


# -- geometries that go apart


def upload_geometries(place: Place, parts: Iterable[Part], _query: Mapping[str, Any]) -> dict[str, Any]:
    """``figures.bulk.upload.geometry``: pairs of ``figureId`` and ``geometry``, a file of JSON; all of them or none."""
    sent = list(_geometries(parts))
    with place.store.write() as rows:
        for project_id, found in _each_project(rows, (image_of(number) for number, _ in sent)):
            with editing(rows, project_id) as edit:
                drawing = Drawing(edit, found)
                for number, geometry in sent:
                    if image_of(number) in found:
                        alpha = drawing.figure(number).get("geometryType") == ALPHA
                        drawing.change(number, {}, geometry={BITMAP: geometry} if alpha else _given_geometry(geometry))
                drawing.close()
    return {"success": True}


def _geometries(parts: Iterable[Part]) -> Iterator[tuple[int, dict[str, Any]]]:
    number: int | None = None
    for part in parts:
        if isinstance(part.value, str):
            number = as_number(part.value) if part.field == "figureId" else number
            continue
        if number is None:
            raise bad(f"part {part.field!r} must come after its figureId, a whole number")
        text = part.value.read(LARGEST_GEOMETRY + 1)
        try:
            geometry = json.loads(text) if len(text) <= LARGEST_GEOMETRY else None
        except (ValueError, RecursionError):
            geometry = None
        if not isinstance(geometry, dict):
            raise bad(f"the geometry of figure {number} is no JSON object of at most {LARGEST_GEOMETRY} bytes")
        yield number, geometry
        number = None


def download_geometries(place: Place, body: Body) -> Composed:
    """``figures.bulk.download.geometry`` by ``ids``: a form with a part for each, of its number's name, in order."""
    numbers = body.numbers("ids")
    with place.store.read() as rows:
        found = items.find(rows, sorted({image_of(number) for number in numbers}))
        held = stored_documents(rows, list(found.values()))
    by_number = {
        image * FIGURES + stored["id"]: stored for image, document in held.items() for stored in document["objects"]
    }
    for number in numbers:
        if number not in by_number:
            raise unknown("figure", number)
    parts = ((str(number), documents.dump(_apart(by_number[number])).encode()) for number in numbers)
    return composed.form(parts, "geometries")


def _apart(stored: Mapping[str, Any]) -> Any:
    return stored.get(BITMAP) if stored.get("geometryType") == ALPHA else geometry_of(stored)


READS: Mapping[str, Operation] = {"figures.list": list_figures}
WRITES: Mapping[str, Operation] = {
    "figures.bulk.add": add,
    "figures.bulk.remove": remove,
    "figures.editInfo": edit_figure,
    "figures.tags.bulk.add": add_tags,
}
UPLOADS: Mapping[str, Upload] = {"figures.bulk.upload.geometry": upload_geometries}
DOWNLOADS: Mapping[str, Download] = {"figures.bulk.download.geometry": download_geometries}
