"""Changes of figures one by one: added, drawn anew, tagged, removed (`operations.figures` says what a figure is)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping

from autoflow.server import limits
from autoflow.server.db import datasets, items
from autoflow.server.db.change_tracking import ProjectEdit, edit_project
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.methods.images.figures import FACTS, image_of
from autoflow.server.methods.images.labels import FIGURES, Annotating, stored_documents, stored_object
from autoflow.server.methods.images.tags import Meta
from autoflow.server.operations import Operation
from autoflow.server.request_parser import RequestParser

# What the place of a figure says, not the figure.
_PLACE = frozenset({"id", "geometry", "entityId", "imageId", "objectId", "datasetId", "projectId"})


def given_geometry(geometry: Mapping[str, Any]) -> dict[str, Any]:
    """What of a geometry as it was sent is kept."""
    return {key: value for key, value in geometry.items() if key not in FACTS}


class Drawing:
    """The documents of some images of one project, while figures are put into them."""

    def __init__(self, edit: ProjectEdit, rows: Mapping[int, RowMapping]) -> None:
        self.meta = Meta.of(edit.conn, edit.project["id"])
        self._edit = edit
        self._conn = rows
        self._highest: dict[int, int] = {}
        self._documents = stored_documents(edit.conn, list(rows.values()))
        # an image's objects by their k, in the order they are drawn
        self._objects = {
            number: {one["id"]: one for one in document["objects"]} for number, document in self._documents.items()
        }

    def add(self, request: RequestParser, image_id: int) -> int:
        """Add a figure to an image; gives its number."""
        geometry = request.mapping("geometry")
        plain = {key: value for key, value in request.fields.items() if key not in _PLACE}
        stored = {**stored_object(RequestParser(plain, request.path), self.meta), **given_geometry(geometry)}
        objects = self._objects[image_id]
        k = self._highest.setdefault(image_id, max(objects, default=0)) + 1
        if k >= FIGURES or len(objects) >= limits.FIGURES:
            raise Invalid(f"image {image_id} has no room for another object; {limits.FIGURES} are the most")
        self._highest[image_id] = k
        objects[k] = {**stored, "id": k}
        return image_id * FIGURES + k

    def change(self, number: int, values: Mapping[str, Any], *, geometry: Mapping[str, Any] | None = None) -> None:
        """Change members of a figure, and put another geometry in place of its own when one is given."""
        stored = self.figure(number)
        if geometry is not None:
            for key in [key for key in stored if key not in FACTS]:
                del stored[key]
            stored.update(geometry)
        stored.update(values)

    def remove(self, number: int) -> None:
        """Take a figure away."""
        self.figure(number)
        del self._objects[image_of(number)][number % FIGURES]

    def figure(self, number: int) -> dict[str, Any]:
        """The stored object of a figure's number.

        Raises:
            NotFound: its image has none of that number.
        """
        stored: dict[str, Any] | None = self._objects[image_of(number)].get(number % FIGURES)
        if stored is None:
            raise NotFound("figure", number)
        return stored

    def close(self) -> None:
        """Keep the documents."""
        annotating = Annotating(self._edit)
        for number, row in self._conn.items():
            annotating.keep(row, {**self._documents[number], "objects": list(self._objects[number].values())})
        annotating.close()


def each_project(conn: Connection, images: Iterable[int]) -> Iterator[tuple[int, dict[int, RowMapping]]]:
    """The images by their project, in a steady order: each project's row is locked."""
    grouped: dict[int, dict[int, RowMapping]] = {}
    for number, row in items.find(conn, sorted(set(images))).items():
        grouped.setdefault(row["project_id"], {})[number] = row
    yield from sorted(grouped.items())


def add(conn: Connection, request: RequestParser) -> list[dict[str, Any]]:
    """``figures.bulk.add`` to the images ``entityId`` names, each figure's or the request's; numbers in their order."""
    wanted = list(request.objects("figures"))
    images = [one.number("entityId") if one.has("entityId") else request.number("entityId") for one in wanted]
    numbers: dict[int, int] = {}
    for project_id, found in each_project(conn, images):
        if request.has("datasetId"):
            _check_dataset(conn, request.number("datasetId"), found.values())
        with edit_project(conn, project_id) as edit:
            drawn = Drawing(edit, found)
            for position, (one, image_id) in enumerate(zip(wanted, images, strict=True)):
                if image_id in found:
                    numbers[position] = drawn.add(one, image_id)
            drawn.close()
    return [{"id": numbers[position]} for position in range(len(wanted))]


def _check_dataset(conn: Connection, dataset_id: int, found: Iterable[RowMapping]) -> None:
    dataset = datasets.get(conn, dataset_id)
    for row in found:
        if row["dataset_id"] != dataset["id"]:
            raise Invalid(f"image {row['id']} is not of dataset {dataset_id}")


def edit_figure(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``figures.editInfo``: another geometry, tags, and what else is known of a figure."""
    number = request.number("id")
    with drawing(conn, number) as drawn:
        names = ("meta", "customData", "priority", "nnCreated", "nnUpdated", "description")
        values = {name: request.fields[name] for name in names if name in request.fields}
        if request.has("tags"):
            values["tags"] = [drawn.meta.tag(tag) for tag in request.objects("tags")]
        geometry = given_geometry(request.mapping("geometry")) if request.has("geometry") else None
        drawn.change(number, values, geometry=geometry)
    return {"success": True}


def remove(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``figures.bulk.remove`` by ``figureIds``."""
    numbers = request.unique_numbers("figureIds")
    for project_id, found in each_project(conn, map(image_of, numbers)):
        with edit_project(conn, project_id) as edit:
            drawn = Drawing(edit, found)
            for number in numbers:
                if image_of(number) in found:
                    drawn.remove(number)
            drawn.close()
    return {"success": True}


def add_tags(conn: Connection, request: RequestParser) -> list[dict[str, Any]]:
    """``figures.tags.bulk.add``: many tags on many figures of a project, answered in the order sent."""
    wanted = list(request.objects("tags"))
    numbers = [one.number("figureId") for one in wanted]
    answers = []
    with edit_project(conn, request.number("projectId")) as edit:
        found = items.find(conn, sorted({image_of(number) for number in numbers}))
        for row in found.values():
            if row["project_id"] != edit.project["id"]:
                raise Invalid(f"image {row['id']} is not of project {edit.project['id']}")
        drawn = Drawing(edit, found)
        for one, number in zip(wanted, numbers, strict=True):
            tag = drawn.meta.valued(one, one.number("tagId"))
            before = drawn.figure(number)["tags"]
            drawn.change(number, {"tags": before if tag in before else [*before, tag]})
            answers.append({**tag, "figureId": number})
        drawn.close()
    return answers


@contextlib.contextmanager
def drawing(conn: Connection, number: int) -> Iterator[Drawing]:
    """Change one figure."""
    row = items.find(conn, [image_of(number)])[image_of(number)]
    with edit_project(conn, row["project_id"]) as edit:
        drawn = Drawing(edit, items.find(conn, [row["id"]]))
        yield drawn
        drawn.close()


def set_priority(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``figures.priority.update``: which figure is drawn over which."""
    number = request.number("id")
    with drawing(conn, number) as drawn:
        drawn.change(number, {"priority": request.number("priority")})
    return {"success": True}


def add_tag(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``object-tags.add-to-object``: one tag on one figure."""
    number = request.number("figureId")
    with drawing(conn, number) as drawn:
        tag = drawn.meta.valued(request, request.number("tagId"))
        before = drawn.figure(number)["tags"]
        drawn.change(number, {"tags": before if tag in before else [*before, tag]})
    return {**tag, "id": tag["tagId"], "figureId": number}


def remove_tag(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``object-tags.remove-from-figure``: all tags of a kind off a figure; a tag on a figure has no number of its own.

    Raises:
        NotFound: the figure has none.
    """
    number, tag_id = request.number("figureId"), request.number("tagId")
    with drawing(conn, number) as drawn:
        before = drawn.figure(number)["tags"]
        kept = [tag for tag in before if tag["tagId"] != tag_id]
        if len(kept) == len(before):
            raise NotFound(f"on figure {number}, tag", tag_id)
        drawn.change(number, {"tags": kept})
    return {"success": True}


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = {
    "figures.bulk.add": add,
    "figures.bulk.remove": remove,
    "figures.editInfo": edit_figure,
    "figures.priority.update": set_priority,
    "figures.tags.bulk.add": add_tags,
    "object-tags.add-to-object": add_tag,
    "object-tags.remove-from-figure": remove_tag,
}
