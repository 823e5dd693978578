"""Images as a version has them: their labels as they were, and a picture also of one that is there no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from autoflow.server.blobs.composite_content import CompositeContent
from autoflow.server.db import projects
from autoflow.server.db.schema import blobs
from autoflow.server.errors import Invalid
from autoflow.server.methods.images.labels import stored_documents
from autoflow.server.methods.images.previews import picture_of
from autoflow.server.methods.pages.images import LARGEST_DRAWN, line
from autoflow.server.methods.pages.links import LARGEST
from autoflow.server.operations import Download, Operation, OperationContext
from autoflow.server.request_parser import RequestParser
from autoflow.server.versions import diff, snapshot, versions
from autoflow.server.versions.snapshot import SnapshotRef

SIDE = 480  # pixels of the longer side


def _moment(conn: Connection, request: RequestParser) -> SnapshotRef:
    """The version that is meant, or a project as it is now."""
    if request.has("version"):
        return SnapshotRef.of(versions.get(conn, request.number("version")))
    project = projects.get(conn, request.number("project"))
    return SnapshotRef(project["id"], project["epoch"])


def drawn(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.overview.drawn``: ``images`` of a ``version``, or of a ``project`` now, with what is drawn of them.

    Returns:
        ``{"images", "classes", "tags"}``; images that are not there are left out.
    """
    numbers = request.unique_numbers("images")
    if len(numbers) > LARGEST:
        raise Invalid(f'"images" has {len(numbers)}; {LARGEST} are the most')
    moment = _moment(conn, request)
    found = diff.items_by_id(conn, moment, numbers)
    ordered = [found[number] for number in numbers if number in found]
    held = stored_documents(conn, ordered)
    shown = [line(row, held[row["id"]], LARGEST_DRAWN) for row in ordered]
    return {"images": shown, **snapshot.meta_at(conn, moment)}


def picture(context: OperationContext, request: RequestParser) -> CompositeContent:
    """``autoflow.versions.picture`` of an image by ``id`` in a ``version``: a small one.

    Raises:
        NotFound: there is no such version or image in it, or no picture can be made of it.
    """
    number = request.number("id")
    with context.store.read() as conn:
        moment = SnapshotRef.of(versions.get(conn, request.number("version")))
        row = diff.items_by_id(conn, moment, [number]).get(number)
        content = row["hash"] if row is not None else None
        # who sees the version may see what is in it
        kept = conn.execute(blobs.select().where(blobs.c.hash == content)).mappings().one_or_none()
    return picture_of(context, kept, SIDE, number)


READS: Mapping[str, Operation] = {"autoflow.overview.drawn": drawn}
DOWNLOADS: Mapping[str, Download] = {"autoflow.versions.picture": picture}
