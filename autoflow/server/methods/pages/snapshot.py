"""Images of a version: their labels at that version, and thumbnails, also of images that were removed since."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from autoflow.server.blobs.composite_content import CompositeContent
from autoflow.server.db import projects, tombstones
from autoflow.server.db.schema import blobs
from autoflow.server.errors import Invalid
from autoflow.server.methods.images.labels import stored_documents
from autoflow.server.methods.images.previews import picture_of
from autoflow.server.methods.pages.images import MAX_LISTED_MASK, summary
from autoflow.server.methods.pages.links import MAX_SIZE
from autoflow.server.operations import Download, Operation, OperationContext, by_name, implements, implements_download
from autoflow.server.project_types import registry
from autoflow.server.validation import required
from autoflow.server.versions import diff, snapshot, versions
from autoflow.server.versions.snapshot import SnapshotRef
from autoflow.wire.contract import data_pages as contract

THUMBNAIL_SIDE = 480  # pixels of the longer side


def _snapshot_ref(conn: Connection, request: contract.DrawnImagesRequest) -> SnapshotRef:
    """Return the version that a request names, or its project's current state."""
    if request.version is not None:
        return SnapshotRef.of(versions.get(conn, request.version))
    project = projects.get(conn, required(request.project, "project"))
    return SnapshotRef(project["id"], project["epoch"])


@implements(contract.DRAWN)
def images_at_version(conn: Connection, request: contract.DrawnImagesRequest) -> contract.DrawnImages:
    """``autoflow.overview.drawn``: ``images`` of a ``version``, or of a ``project`` now; missing ones are left out."""
    image_ids = list(dict.fromkeys(request.images))
    if len(image_ids) > MAX_SIZE:
        raise Invalid(f'"images" has {len(image_ids)} entries; at most {MAX_SIZE} are allowed')
    ref = _snapshot_ref(conn, request)
    rows = diff.items_by_id(conn, ref, image_ids)
    ordered = [row for image_id in image_ids if (row := rows.get(image_id)) and not tombstones.is_tombstone(row)]
    documents = stored_documents(conn, ordered)
    images = [summary(row, documents[row["id"]], MAX_LISTED_MASK) for row in ordered]
    return {"images": images, **snapshot.meta_at(conn, ref)}


@implements_download(contract.VERSION_PICTURE)
def thumbnail(context: OperationContext, request: contract.VersionPictureRequest) -> CompositeContent:
    """``autoflow.versions.picture`` of an image by ``id`` in a ``version``: its thumbnail.

    Raises:
        NotFound: there is no such version or image in it, or no thumbnail can be made of it.
    """
    image_id = request.id
    with context.store.read() as conn:
        ref = SnapshotRef.of(versions.get(conn, request.version))
        project_type = registry.of_project(conn, ref.project)
        row = diff.items_by_id(conn, ref, [image_id]).get(image_id)
        content = row["hash"] if row is not None else None
        # A caller who sees the version may see its content.
        blob_row = conn.execute(blobs.select().where(blobs.c.hash == content)).mappings().one_or_none()
    return picture_of(context, project_type, blob_row, THUMBNAIL_SIDE, image_id)


READS: Mapping[str, Operation] = by_name(images_at_version)
DOWNLOADS: Mapping[str, Download] = by_name(thumbnail)
