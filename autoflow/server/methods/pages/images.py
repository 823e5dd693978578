"""Images with their labels: a range of a project's or dataset's images, and one image with its neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, func, select

from autoflow.model.json_object import JsonObject
from autoflow.server.db import attachments, datasets, items, jobs, json_codec, projects
from autoflow.server.db.schema import datasets as dataset_table
from autoflow.server.db.schema import items as table
from autoflow.server.methods.images.labels import stored_documents
from autoflow.server.methods.pages.links import page_size
from autoflow.server.operations import Operation, by_name, implements
from autoflow.server.paging import chunks
from autoflow.server.project_types.item_meta import ItemMeta
from autoflow.server.validation import required
from autoflow.wire.contract import data_pages as contract
from autoflow.wire.contract.labels import Label
from autoflow.wire.contract.pages import JobImage
from autoflow.wire.contract.run_pages import NamedEntity

DEFAULT_SIZE = 60
_FIGURE_FIELDS = ("points", "bitmap", "geometryType", "shape", "classId", "nodes", "vertices", "tags", "mask")
MAX_LISTED_MASK = 200_000  # characters of a label's mask that a list of images carries


def _figure(stored: JsonObject, max_mask: int | None = None) -> Label | None:
    """Return the fields that draw an object, None for a mask of more than `max_mask` characters."""
    mask = stored.get("bitmap")
    if max_mask is not None and isinstance(mask, Mapping) and len(str(mask.get("data", ""))) > max_mask:
        return None
    figure = {"id": stored["id"], **{name: stored[name] for name in _FIGURE_FIELDS if name in stored}}
    return cast("Label", figure)  # its geometry is the client's


def summary(row: RowMapping, document: JsonObject, max_mask: int | None) -> contract.LabeledImage:
    """Return an image with its figures, without masks of more than `max_mask` characters."""
    drawn = document["objects"] if "figures" not in document else []  # those of videos are not on its picture
    figures = [_figure(stored, max_mask) for stored in drawn]
    return {
        "id": row["id"],
        "name": row["name"],
        "datasetId": row["dataset_id"],
        "width": row["width"],
        "height": row["height"],
        "stored": row["hash"] is not None,
        "labels": row["labels"],
        "tags": json_codec.load(row["tags"]),
        "objects": [figure for figure in figures if figure is not None],
    }


def _dataset_ids(conn: Connection, request: contract.ImageListRequest) -> list[int]:
    """Return the datasets that a list is taken from: a dataset and those nested in it, or all of a project."""
    if request.dataset is not None:
        return datasets.descendants(conn, datasets.get(conn, request.dataset))
    project_id = projects.get(conn, required(request.project, "project"))["id"]
    query = select(dataset_table.c.id).where(dataset_table.c.project_id == project_id)
    return sorted(conn.execute(query).scalars())


@implements(contract.IMAGES)
def images(conn: Connection, request: contract.ImageListRequest) -> contract.ImageList:
    """``autoflow.overview.images`` of a ``project`` or a ``dataset``.

    They are sorted by dataset and name, from position ``start`` on. ``q`` filters by a part of the name, ``labeled``
    (true or false) by whether an image has labels.
    """
    start = request.start or 0
    conditions = [table.c.dataset_id.in_(_dataset_ids(conn, request)), attachments.is_item()]
    if text := request.q.strip():
        conditions.append(table.c.name.icontains(text, autoescape=True))
    if request.labeled is not None:
        conditions.append(table.c.labels > 0 if request.labeled else table.c.labels == 0)
    column = table.c.dataset_id
    counts = conn.execute(select(column, func.count()).where(*conditions).group_by(column).order_by(column)).all()
    total = sum(count for _, count in counts)
    image_ids = list(_range(conn, conditions, counts, start, page_size(request.limit, DEFAULT_SIZE)))
    rows = items.find(conn, image_ids)
    ordered = [rows[image_id] for image_id in image_ids]
    documents = stored_documents(conn, ordered)
    return {
        "images": [summary(row, documents[row["id"]], MAX_LISTED_MASK) for row in ordered],
        "start": start,
        "total": total,
    }


def _range(
    conn: Connection, conditions: list[ColumnElement[bool]], counts: Sequence[Any], start: int, size: int
) -> Iterator[int]:
    """Yield the ids of images from a position on; datasets before it are skipped by their counts."""
    for dataset_id, count in counts:
        if start < count and size > 0:
            # Ids alone: the offset is scanned in an index, and only the rows of the range are read afterwards.
            query = select(table.c.id).where(table.c.dataset_id == dataset_id, *conditions)
            image_ids = conn.execute(query.order_by(table.c.name).limit(size).offset(start)).scalars().all()
            yield from image_ids
            size -= len(image_ids)
        start = max(start - count, 0)


def _path(conn: Connection, row: RowMapping) -> list[NamedEntity]:
    """Return the datasets that contain an image, the outermost first."""
    query = select(dataset_table.c.id, dataset_table.c.parent_id, dataset_table.c.name)
    by_id = {
        dataset.id: dataset for dataset in conn.execute(query.where(dataset_table.c.project_id == row["project_id"]))
    }
    path: list[NamedEntity] = []
    dataset_id = row["dataset_id"]
    while dataset_id in by_id:
        dataset = by_id.pop(dataset_id)
        path.insert(0, {"id": dataset.id, "name": dataset.name})
        dataset_id = dataset.parent_id
    return path


def _neighbours(conn: Connection, row: RowMapping) -> contract.ImageNeighbours:
    """Return the previous and next image of its dataset by name, and its position there."""
    in_dataset = and_(table.c.dataset_id == row["dataset_id"], attachments.is_item())
    before, after = table.c.name < row["name"], table.c.name > row["name"]
    image_id = select(table.c.id)
    return {
        "previous": conn.execute(image_id.where(in_dataset, before).order_by(table.c.name.desc()).limit(1)).scalar(),
        "next": conn.execute(image_id.where(in_dataset, after).order_by(table.c.name).limit(1)).scalar(),
        "position": conn.execute(select(func.count()).select_from(table).where(in_dataset, before)).scalar_one() + 1,
        "total": conn.execute(select(func.count()).select_from(table).where(in_dataset)).scalar_one(),
    }


@implements(contract.IMAGE)
def image(conn: Connection, request: contract.ImagePageRequest) -> contract.ImagePage:
    """``autoflow.overview.image`` by id, with all of its labels, its project's classes and tags, and its neighbours."""
    image_id = request.id
    row = items.find(conn, [image_id])[image_id]
    document = stored_documents(conn, [row])[image_id]
    project = projects.get(conn, row["project_id"])
    return {
        **summary(row, document, None),
        **_neighbours(conn, row),
        "hash": row["hash"],
        "link": row["link"],
        "mime": row["mime"],
        "size": row["size"],
        "description": row["description"],
        "meta": ItemMeta.of(row).sent,
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "createdBy": jobs.logins(conn).get(row["created_by"]),
        "project": {"id": project["id"], "name": project["name"]},
        "datasets": _path(conn, row),
        "classes": projects.meta(conn, project["id"]),
    }


def image_links(conn: Connection, image_ids: Sequence[int]) -> list[JobImage]:
    """Return images as links, without those that were removed."""
    rows: dict[int, RowMapping] = {}
    for chunk in chunks(image_ids):
        query = items.listing(conn).where(table.c.id.in_(chunk))
        rows.update({row["id"]: row for row in conn.execute(query).mappings()})
    existing = [rows[image_id] for image_id in image_ids if image_id in rows]
    return [{"id": row["id"], "name": row["name"], "stored": row["hash"] is not None} for row in existing]


READS: Mapping[str, Operation] = by_name(images, image)
