"""Counts of how often each class and tag of a project is used, a batch of images at a time.

Annotations are stored as documents that must be read to be counted: a page requests one batch after the other, and
shows its progress.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import Connection, or_, select

from autoflow.server.db import items, json_codec, projects
from autoflow.server.db.schema import items as table
from autoflow.server.operations import Operation, by_name, implements
from autoflow.wire.contract import data_pages as contract

BATCH_IMAGES = 1000


@implements(contract.COUNTS)
def counts(conn: Connection, request: contract.LabelCountsRequest) -> contract.LabelCounts:
    """``autoflow.overview.counts`` of a project, of the images with ids above ``after``.

    Images without labels and tags are skipped.
    """
    project_id = projects.get(conn, request.id)["id"]
    query = select(table.c.id, table.c.tags, table.c.annotation).where(
        table.c.project_id == project_id,
        table.c.id > (request.after or 0),
        or_(table.c.labels > 0, table.c.tags != "[]"),
    )
    rows = conn.execute(query.order_by(table.c.id).limit(BATCH_IMAGES)).all()
    documents = items.read_documents(conn, sorted({row.annotation for row in rows if row.annotation}))
    classes, tags = _Tally(), _Tally()
    for row in rows:
        objects = documents.get(row.annotation, {}).get("objects", ())
        classes.objects.update(stored["classId"] for stored in objects)
        classes.images.update({stored["classId"] for stored in objects})
        tags.objects.update(tag["tagId"] for stored in objects for tag in stored["tags"])
        tags.images.update({tag["tagId"] for tag in json_codec.load(row.tags)})
    after = rows[-1].id if len(rows) == BATCH_IMAGES else None
    return {"images": len(rows), "after": after, "classes": classes.to_json(), "tags": tags.to_json()}


class _Tally:
    """Counts of objects and of images by id of a class or tag."""

    def __init__(self) -> None:
        self.objects: Counter[int] = Counter()
        self.images: Counter[int] = Counter()

    def to_json(self) -> dict[str, contract.UseCounts]:
        ids = self.objects.keys() | self.images.keys()
        return {str(ident): {"objects": self.objects[ident], "images": self.images[ident]} for ident in ids}


READS: Mapping[str, Operation] = by_name(counts)
