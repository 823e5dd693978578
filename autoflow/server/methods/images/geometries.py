"""Geometries that are transferred separately, as they would make lists of figures too long: alpha masks of images,
masks of volumes, the points of a cloud.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterable, Iterator, Mapping

from autoflow.model.json_object import JsonObject
from autoflow.server import bounded_json
from autoflow.server.blobs import composite_content
from autoflow.server.blobs.composite_content import CompositeContent
from autoflow.server.db import items, json_codec
from autoflow.server.db.change_tracking import edit_project
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.methods.images.figure_edits import each_project, figure_editor
from autoflow.server.methods.images.figures import ALPHA, BITMAP, figures_of, geometry_of, image_of
from autoflow.server.methods.images.labels import stored_documents
from autoflow.server.methods.write_scopes import projects_of_figures
from autoflow.server.operations import Download, Operation, OperationContext, Upload, UploadQuery
from autoflow.server.project_types.images import FIGURES
from autoflow.server.project_types.object_annotations import BYTES
from autoflow.server.request_parser import RequestParser, as_number
from autoflow.wire.contract.method import Success
from autoflow.wire.parts import Part

LARGEST_GEOMETRY = 64 * 1024 * 1024  # bytes of all geometries of a request


def upload_geometries(context: OperationContext, parts: Iterable[Part], _query: UploadQuery) -> Success:
    """``figures.bulk.upload.geometry``: pairs of ``figureId`` and ``geometry``, a file of JSON; all of them or none."""
    with contextlib.ExitStack() as held:
        sent = list(_geometries(parts, held))
        _change(context, sent)
    return {"success": True}


def _change(context: OperationContext, sent: list[tuple[int, JsonObject | bytes]]) -> None:
    with context.store.write(scope=lambda conn: projects_of_figures(conn, [number for number, _ in sent])) as conn:
        for project_id, image_rows in each_project(conn, (image_of(number) for number, _ in sent)):
            with edit_project(conn, project_id) as edit:
                editor = figure_editor(edit, image_rows)
                for number, geometry in sent:
                    if image_of(number) in image_rows:
                        editor.set_separate_geometry(number, geometry)
                editor.close()


def _geometries(parts: Iterable[Part], held: contextlib.ExitStack) -> Iterator[tuple[int, JsonObject | bytes]]:
    """Read the pairs of a form, each geometry JSON or other bytes; `held` holds the memory reserved for them."""
    number: int | None = None
    left, needed = LARGEST_GEOMETRY, 0
    for part in parts:
        if isinstance(part.value, str):
            number = as_number(part.value) if part.field == "figureId" else number
            continue
        if number is None:
            raise Invalid(f"part {part.field!r} must come after its figureId, a whole number")
        text = part.value.read(left + 1)
        left -= len(text)
        if left < 0:
            raise Invalid(f"the geometries of a request are longer than {LARGEST_GEOMETRY} bytes: send fewer at once")
        if not _is_json(text):
            yield number, text
            number = None
            continue
        needed += bounded_json.memory_cost(text)
        if needed > bounded_json.MEMORY.share:
            raise Invalid("the geometries of a request have too many values: send fewer at once")
        held.enter_context(bounded_json.reserve_memory("geometries", bounded_json.memory_cost(text)))
        geometry = bounded_json.parse(text) if text.strip() else None
        if not isinstance(geometry, dict):
            raise Invalid(f"the geometry of figure {number} is not a JSON object")
        yield number, geometry
        number = None


def _is_json(text: bytes) -> bool:
    """Return whether a geometry is JSON: other ones are of a binary format, and have zeros."""
    return b"\0" not in text and not text.startswith((b"NRRD", b"solid"))


def download_geometries(context: OperationContext, request: RequestParser) -> CompositeContent:
    """``figures.bulk.download.geometry`` by ``ids``: a multipart form whose parts are named by the ids, in order."""
    numbers = request.numbers("ids")
    with context.store.read() as conn:
        image_rows = items.find(conn, sorted({image_of(number) for number in numbers}))
        documents = stored_documents(conn, list(image_rows.values()))
    by_number = {
        image * FIGURES + stored["id"]: stored
        for image, document in documents.items()
        for stored in figures_of(document)
    }
    for number in numbers:
        if number not in by_number:
            raise NotFound("figure", number)
    parts = ((str(number), _separate(by_number[number])) for number in numbers)
    return composite_content.multipart_content(parts, "geometries")


def _separate(stored: JsonObject) -> bytes:
    """Return a figure's geometry as it was uploaded, or as JSON."""
    if BYTES in stored:
        return base64.b64decode(stored[BYTES])
    if "objectId" in stored:
        return json_codec.dump(stored["geometry"]).encode()
    alpha = stored.get("geometryType") == ALPHA
    return json_codec.dump(stored.get(BITMAP) if alpha else geometry_of(stored)).encode()


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = {}
UPLOADS: Mapping[str, Upload] = {"figures.bulk.upload.geometry": upload_geometries}
DOWNLOADS: Mapping[str, Download] = {"figures.bulk.download.geometry": download_geometries}
