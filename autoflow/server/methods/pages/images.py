"""Images as a page shows them: a stretch of a project's or dataset's with their labels, and one with its neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, func, select

from autoflow.server import limits
from autoflow.server.db import datasets, items, jobs, json_codec, projects
from autoflow.server.db.schema import datasets as dataset_table
from autoflow.server.db.schema import items as table
from autoflow.server.methods.images.labels import stored_documents
from autoflow.server.methods.pages.links import limit
from autoflow.server.operations import Operation
from autoflow.server.paging import chunks
from autoflow.server.request_parser import RequestParser

STRETCH = 60
_DRAWN = ("points", "bitmap", "geometryType", "shape", "classId", "nodes", "vertices", "tags", "mask")
LARGEST_DRAWN = 200_000  # characters of a label's geometry that a list of images carries


def _drawn(stored: Mapping[str, Any], largest: int | None = None) -> dict[str, Any] | None:
    """What is drawn of an object; None for a mask too large to send with a list."""
    mask = stored.get("bitmap")
    if largest is not None and isinstance(mask, Mapping) and len(str(mask.get("data", ""))) > largest:
        return None
    return {"id": stored["id"], **{name: stored[name] for name in _DRAWN if name in stored}}


def line(row: RowMapping, document: Mapping[str, Any], largest: int | None) -> dict[str, Any]:
    """An image and what is drawn of it; masks of more characters than `largest` are left out."""
    objects = [_drawn(stored, largest) for stored in document["objects"]]
    return {
        "id": row["id"],
        "name": row["name"],
        "datasetId": row["dataset_id"],
        "width": row["width"],
        "height": row["height"],
        "kept": row["hash"] is not None,
        "labels": row["labels"],
        "tags": json_codec.load(row["tags"]),
        "objects": [one for one in objects if one is not None],
    }


def _within(conn: Connection, request: RequestParser) -> list[int]:
    """The datasets a list is of: one with those in it, or all of a project."""
    if request.has("dataset"):
        return datasets.descendants(conn, datasets.get(conn, request.number("dataset")))
    project_id = projects.get(conn, request.number("project"))["id"]
    query = select(dataset_table.c.id).where(dataset_table.c.project_id == project_id)
    return sorted(conn.execute(query).scalars())


def images(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.overview.images`` of a ``project`` or a ``dataset``: ``{"images", "start", "total"}``.

    By dataset and name, from position ``start`` on; ``q`` is a part of the name, ``labeled`` true or false those with
    or without labels.
    """
    start = max(request.optional_number("start") or 0, 0)
    within = table.c.dataset_id.in_(_within(conn, request))
    conditions: list[ColumnElement[bool]] = [within]
    if text := request.text("q", "", max_length=limits.QUERY).strip():
        conditions.append(table.c.name.icontains(text, autoescape=True))
    if request.has("labeled"):
        wanted = request.flag("labeled", default=True)
        conditions.append(table.c.labels > 0 if wanted else table.c.labels == 0)
    of = table.c.dataset_id
    counted = conn.execute(select(of, func.count()).where(*conditions).group_by(of).order_by(of)).all()
    total = sum(count for _, count in counted)
    stretch = list(_stretch(conn, conditions, counted, start, limit(request, STRETCH)))
    found = items.find(conn, stretch)
    ordered = [found[number] for number in stretch]
    held = stored_documents(conn, ordered)
    return {
        "images": [line(row, held[row["id"]], LARGEST_DRAWN) for row in ordered],
        "start": start,
        "total": total,
    }


def _stretch(
    conn: Connection, conditions: list[ColumnElement[bool]], counted: Sequence[Any], start: int, size: int
) -> Iterator[int]:
    """The numbers of images from a place on: datasets before it are passed over by their counts alone."""
    for number, count in counted:
        if start < count and size > 0:
            # numbers first: an index is walked to the place, and only the stretch's rows are read
            query = select(table.c.id).where(table.c.dataset_id == number, *conditions)
            found = conn.execute(query.order_by(table.c.name).limit(size).offset(start)).scalars().all()
            yield from found
            size -= len(found)
        start = max(start - count, 0)


def _path(conn: Connection, row: RowMapping) -> list[dict[str, Any]]:
    """A dataset and those it stands in, the outermost first."""
    query = select(dataset_table.c.id, dataset_table.c.parent_id, dataset_table.c.name)
    by_number = {one.id: one for one in conn.execute(query.where(dataset_table.c.project_id == row["project_id"]))}
    path: list[dict[str, Any]] = []
    number = row["dataset_id"]
    while number in by_number:
        one = by_number.pop(number)
        path.insert(0, {"id": one.id, "name": one.name})
        number = one.parent_id
    return path


def _beside(conn: Connection, row: RowMapping) -> dict[str, Any]:
    """The image before and the one after, by name, and where it stands in its dataset."""
    here = table.c.dataset_id == row["dataset_id"]
    before, after = table.c.name < row["name"], table.c.name > row["name"]
    numbers = select(table.c.id)
    return {
        "previous": conn.execute(numbers.where(here, before).order_by(table.c.name.desc()).limit(1)).scalar(),
        "next": conn.execute(numbers.where(here, after).order_by(table.c.name).limit(1)).scalar(),
        "position": conn.execute(select(func.count()).select_from(table).where(here, before)).scalar_one() + 1,
        "total": conn.execute(select(func.count()).select_from(table).where(here)).scalar_one(),
    }


def image(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.overview.image`` by id, with all of its labels, its project's classes and tags, and its neighbours."""
    number = request.number("id")
    row = items.find(conn, [number])[number]
    document = stored_documents(conn, [row])[number]
    project = projects.get(conn, row["project_id"])
    return {
        **line(row, document, None),
        **_beside(conn, row),
        "hash": row["hash"],
        "link": row["link"],
        "mime": row["mime"],
        "size": row["size"],
        "description": row["description"],
        "meta": json_codec.load(row["meta"]),
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "createdBy": jobs.logins(conn).get(row["created_by"]),
        "project": {"id": project["id"], "name": project["name"]},
        "datasets": _path(conn, row),
        "classes": projects.meta(conn, project["id"]),
    }


def named(conn: Connection, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Images as links, ``{"id", "name", "kept"}``, by their numbers; those that are there no more are left out."""
    found: dict[int, RowMapping] = {}
    for part in chunks(numbers):
        query = items.listing(conn).where(table.c.id.in_(part))
        found.update({row["id"]: row for row in conn.execute(query).mappings()})
    shown = [found[number] for number in numbers if number in found]
    return [{"id": row["id"], "name": row["name"], "kept": row["hash"] is not None} for row in shown]


READS: Mapping[str, Operation] = {"autoflow.overview.images": images, "autoflow.overview.image": image}
