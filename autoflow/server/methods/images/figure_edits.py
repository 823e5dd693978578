"""Changes of single figures (see `images.figures`): adding, redrawing, tagging, removing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server import limits
from autoflow.server.db import datasets, items
from autoflow.server.db.change_tracking import ProjectEdit, edit_project
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.methods.annotated.documents import DocumentEditor
from autoflow.server.methods.images.figures import ALPHA, BITMAP, FACTS, image_of
from autoflow.server.methods.images.labels import AnnotationWriter, stored_documents
from autoflow.server.operations import Operation
from autoflow.server.project_types import registry
from autoflow.server.project_types.images import FIGURES, stored_object
from autoflow.server.project_types.meta import Meta, object_tag_id
from autoflow.server.project_types.object_annotations import ObjectAnnotations
from autoflow.server.request_parser import RequestParser
from autoflow.wire.contract.method import Success

# Members that say where a figure belongs.
_LOCATION = frozenset({"id", "geometry", "entityId", "imageId", "objectId", "datasetId", "projectId"})


def stored_geometry(geometry: JsonObject) -> JsonObject:
    """Return the members of a sent geometry that are stored."""
    return {key: value for key, value in geometry.items() if key not in FACTS}


class FigureEditor:
    """Edits figures in the documents of some images of one project."""

    def __init__(self, edit: ProjectEdit, rows: Mapping[int, RowMapping]) -> None:
        self.meta = Meta.of(edit.conn, edit.project["id"])
        self._edit = edit
        self._rows = rows
        self._highest: dict[int, int] = {}
        self._documents = stored_documents(edit.conn, list(rows.values()))
        # an image's objects by their k, in drawing order
        self._objects = {
            number: {stored["id"]: stored for stored in document["objects"]}
            for number, document in self._documents.items()
        }

    def add(self, request: RequestParser, image_id: int) -> int:
        """Add a figure to an image; return its number."""
        geometry = request.mapping("geometry")
        plain = {key: value for key, value in request.fields.items() if key not in _LOCATION}
        stored = {**stored_object(RequestParser(plain, request.path), self.meta), **stored_geometry(geometry)}
        objects = self._objects[image_id]
        k = self._highest.setdefault(image_id, max(objects, default=0)) + 1
        if k >= FIGURES or len(objects) >= limits.FIGURES:
            raise Invalid(f"image {image_id} has no room for another object; {limits.FIGURES} are the most")
        self._highest[image_id] = k
        objects[k] = {**stored, "id": k}
        return image_id * FIGURES + k

    def change(self, number: int, values: Mapping[str, Any], *, geometry: JsonObject | None = None) -> None:
        """Change members of a figure, and replace its geometry if one is given."""
        stored = self.figure(number)
        if geometry is not None:
            for key in [key for key in stored if key not in FACTS]:
                del stored[key]
            stored.update(geometry)
        stored.update(values)

    def stored_geometry(self, geometry: JsonObject) -> JsonObject:
        """Return the members of a sent geometry that are stored."""
        return stored_geometry(geometry)

    def set_separate_geometry(self, number: int, geometry: JsonObject | bytes) -> None:
        """Replace a geometry that is transferred separately, as those of alpha masks are.

        Raises:
            Invalid: it is not a JSON object.
        """
        if isinstance(geometry, bytes):
            raise Invalid(f"the geometry of figure {number} is not a JSON object")
        alpha = self.figure(number).get("geometryType") == ALPHA
        self.change(number, {}, geometry={BITMAP: geometry} if alpha else stored_geometry(geometry))

    def remove(self, number: int) -> None:
        """Remove a figure."""
        self.figure(number)
        del self._objects[image_of(number)][number % FIGURES]

    def figure(self, number: int) -> JsonObject:
        """Return the stored object of a figure.

        Raises:
            NotFound: its image has no such figure.
        """
        stored: JsonObject | None = self._objects[image_of(number)].get(number % FIGURES)
        if stored is None:
            raise NotFound("figure", number)
        return stored

    def close(self) -> None:
        """Write the documents."""
        writer = AnnotationWriter(self._edit)
        for number, row in self._rows.items():
            writer.keep(row, {**self._documents[number], "objects": list(self._objects[number].values())})
        writer.close()


def figure_editor(edit: ProjectEdit, rows: Mapping[int, RowMapping]) -> FigureEditor | DocumentEditor:
    """Return an editor of the figures of some items of a project, by its type."""
    of_objects = isinstance(registry.find(edit.project["type"]), ObjectAnnotations)
    return (DocumentEditor if of_objects else FigureEditor)(edit, rows)


def each_project(conn: Connection, images: Iterable[int]) -> Iterator[tuple[int, dict[int, RowMapping]]]:
    """Yield images by project, in the order of project ids: each project's row is locked."""
    grouped: dict[int, dict[int, RowMapping]] = {}
    for number, row in items.find(conn, sorted(set(images))).items():
        grouped.setdefault(row["project_id"], {})[number] = row
    yield from sorted(grouped.items())


def add(conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``figures.bulk.add`` to the images ``entityId`` names, of the figure or the request; answered in order."""
    entries = list(request.objects("figures"))
    images = [entry.number("entityId") if entry.has("entityId") else request.number("entityId") for entry in entries]
    numbers: dict[int, int] = {}
    for project_id, image_rows in each_project(conn, images):
        if request.has("datasetId"):
            _check_dataset(conn, request.number("datasetId"), image_rows.values())
        with edit_project(conn, project_id) as edit:
            editor = figure_editor(edit, image_rows)
            for position, (entry, image_id) in enumerate(zip(entries, images, strict=True)):
                if image_id in image_rows:
                    numbers[position] = editor.add(entry, image_id)
            editor.close()
    return [{"id": numbers[position]} for position in range(len(entries))]


def _check_dataset(conn: Connection, dataset_id: int, image_rows: Iterable[RowMapping]) -> None:
    dataset = datasets.get(conn, dataset_id)
    for row in image_rows:
        if row["dataset_id"] != dataset["id"]:
            raise Invalid(f"image {row['id']} is not of dataset {dataset_id}")


def edit_figure(conn: Connection, request: RequestParser) -> Success:
    """``figures.editInfo``: replace geometry, tags and other members of a figure."""
    number = request.number("id")
    with edit_one_figure(conn, number) as editor:
        names = ("meta", "customData", "priority", "nnCreated", "nnUpdated", "description")
        values = {name: request.fields[name] for name in names if name in request.fields}
        if request.has("tags"):
            values["tags"] = [editor.meta.tag(tag) for tag in request.objects("tags")]
        geometry = editor.stored_geometry(request.mapping("geometry")) if request.has("geometry") else None
        editor.change(number, values, geometry=geometry)
    return {"success": True}


def remove(conn: Connection, request: RequestParser) -> Success:
    """``figures.bulk.remove`` by ``figureIds``."""
    numbers = request.unique_numbers("figureIds")
    for project_id, image_rows in each_project(conn, map(image_of, numbers)):
        with edit_project(conn, project_id) as edit:
            editor = figure_editor(edit, image_rows)
            for number in numbers:
                if image_of(number) in image_rows:
                    editor.remove(number)
            editor.close()
    return {"success": True}


def add_tags(conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``figures.tags.bulk.add``: many tags on many figures of a project, answered in the order sent."""
    entries = list(request.objects("tags"))
    numbers = [entry.number("figureId") for entry in entries]
    answers = []
    with edit_project(conn, request.number("projectId")) as edit:
        image_rows = items.find(conn, sorted({image_of(number) for number in numbers}))
        for row in image_rows.values():
            if row["project_id"] != edit.project["id"]:
                raise Invalid(f"image {row['id']} is not of project {edit.project['id']}")
        editor = figure_editor(edit, image_rows)
        for entry, number in zip(entries, numbers, strict=True):
            tag = editor.meta.valued(entry, entry.number("tagId"))
            before = editor.figure(number)["tags"]
            editor.change(number, {"tags": before if tag in before else [*before, tag]})
            answers.append({**tag, "id": object_tag_id(number, tag), "figureId": number})
        editor.close()
    return answers


@contextlib.contextmanager
def edit_one_figure(conn: Connection, number: int) -> Iterator[FigureEditor | DocumentEditor]:
    """Yield an editor for one figure, and write its changes at the end."""
    row = items.find(conn, [image_of(number)])[image_of(number)]
    with edit_project(conn, row["project_id"]) as edit:
        editor = figure_editor(edit, items.find(conn, [row["id"]]))
        yield editor
        editor.close()


def set_priority(conn: Connection, request: RequestParser) -> Success:
    """``figures.priority.update``: the order in which figures are drawn."""
    number = request.number("id")
    with edit_one_figure(conn, number) as editor:
        editor.change(number, {"priority": request.number("priority")})
    return {"success": True}


def set_custom_data(conn: Connection, request: RequestParser) -> Success:
    """``figures.custom-data.update``: merge the ``customData`` of a figure, or ``replace`` it by `updateStrategy`."""
    number, sent = request.number("id"), request.mapping("customData")
    replaced = request.text("updateStrategy", "merge") == "replace"
    with edit_one_figure(conn, number) as editor:
        before = editor.figure(number).get("customData")
        merged = {**before, **sent} if isinstance(before, dict) and not replaced else sent
        editor.change(number, {"customData": merged})
    return {"success": True}


def add_tag(conn: Connection, request: RequestParser) -> JsonObject:
    """``object-tags.add-to-object``: one tag on one figure."""
    number = request.number("figureId")
    with edit_one_figure(conn, number) as editor:
        tag = editor.meta.valued(request, request.number("tagId"))
        before = editor.figure(number)["tags"]
        editor.change(number, {"tags": before if tag in before else [*before, tag]})
    return {**tag, "id": object_tag_id(number, tag), "figureId": number}


def remove_tag(conn: Connection, request: RequestParser) -> Success:
    """``object-tags.remove-from-figure``: remove one tag, by its own id, from a figure.

    Raises:
        Invalid: the id is missing; a tag's other values must not be removed with it.
        NotFound: the figure does not have the tag.
    """
    number, tag_id, own_id = request.number("figureId"), request.number("tagId"), request.number("id")
    with edit_one_figure(conn, number) as editor:
        before = editor.figure(number)["tags"]
        remaining = [tag for tag in before if tag["tagId"] != tag_id or object_tag_id(number, tag) != own_id]
        if len(remaining) == len(before):
            raise NotFound(f"on figure {number}, tag", own_id)
        editor.change(number, {"tags": remaining})
    return {"success": True}


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = {
    "figures.bulk.add": add,
    "figures.bulk.remove": remove,
    "figures.editInfo": edit_figure,
    "figures.priority.update": set_priority,
    "figures.custom-data.update": set_custom_data,
    "figures.tags.bulk.add": add_tags,
    "object-tags.add-to-object": add_tag,
    "object-tags.remove-from-figure": remove_tag,
}
