"""How often each class and tag of a project is used, counted a stretch of images at a time.

Annotations are documents, so that counting reads them: a page asks for one stretch after the other, and shows how far
it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, or_, select

from autoflow.server.db import items, json_codec, projects
from autoflow.server.db.schema import items as table
from autoflow.server.operations import Operation
from autoflow.server.request_parser import RequestParser

STRETCH = 1000  # images


def counts(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.overview.counts`` of a project, of the images numbered after ``after``.

    Returns:
        ``{"images", "after", "classes": {id: {"objects", "images"}}, "tags": {id: {"objects", "images"}}}``; ``after``
        is null when all are counted. Images without a label or tag are passed over.
    """
    project_id = projects.get(conn, request.number("id"))["id"]
    query = select(table.c.id, table.c.tags, table.c.annotation).where(
        table.c.project_id == project_id,
        table.c.id > (request.optional_number("after") or 0),
        or_(table.c.labels > 0, table.c.tags != "[]"),
    )
    found = conn.execute(query.order_by(table.c.id).limit(STRETCH)).all()
    texts = items.read_documents(conn, sorted({row.annotation for row in found if row.annotation}))
    classes, tags = _Tally(), _Tally()
    for row in found:
        objects = texts.get(row.annotation, {}).get("objects", ())
        classes.add("objects", [one["classId"] for one in objects])
        classes.add("images", {one["classId"] for one in objects})
        tags.add("objects", [tag["tagId"] for one in objects for tag in one["tags"]])
        tags.add("images", {tag["tagId"] for tag in json_codec.load(row.tags)})
    after = found[-1].id if len(found) == STRETCH else None
    return {"images": len(found), "after": after, "classes": classes.told(), "tags": tags.told()}


class _Tally:
    """Counts by number, of objects and of images."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[int]] = {"objects": Counter(), "images": Counter()}

    def add(self, of: str, numbers: Any) -> None:
        self._counts[of].update(numbers)

    def told(self) -> dict[str, dict[str, int]]:
        numbers = {number for counter in self._counts.values() for number in counter}
        return {str(number): {of: counter[number] for of, counter in self._counts.items()} for number in numbers}


READS: Mapping[str, Operation] = {"autoflow.overview.counts": counts}
