"""Rows of items that belong to a dataset or to an item, and that are not items themselves.

They are rows of the same table so that versions, clones, restores and the garbage collector have them: the objects that
the items of a dataset share, and the photographs that belong to a point cloud. Their names begin with `PREFIX`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, func, select

from autoflow.server import limits
from autoflow.server.db.schema import items
from autoflow.server.errors import Invalid

PREFIX = "//autoflow/"
OBJECTS = f"{PREFIX}objects"  # the row of a dataset with the objects that its items share
_IMAGES = f"{PREFIX}images/"


def is_item(table: Table = items) -> ColumnElement[bool]:
    """Return the condition that a row of `items`, or of their history, is an item."""
    return ~table.c.name.startswith(PREFIX, autoescape=True)


def is_attachment(name: str) -> bool:
    """Return whether a row of this name is an attachment."""
    return name.startswith(PREFIX)


def check_name(name: str) -> None:
    """Check that an item may have a name.

    Raises:
        Invalid: the name is one of attachments.
    """
    if is_attachment(name):
        raise Invalid(f"names that begin with {PREFIX!r} are reserved")


def image_name(item_name: str, name: str) -> str:
    """Return the name of an image that belongs to an item.

    Raises:
        Invalid: it is too long.
    """
    full_name = f"{images_of(item_name)}{name}"
    if len(full_name.encode()) > limits.NAME:
        raise Invalid(f"the name of the image {name!r} is too long for one of {item_name!r}")
    return full_name


def images_of(item_name: str) -> str:
    """Return the start of the names of the images that belong to an item."""
    return f"{_IMAGES}{item_name.replace('%', '%25').replace('/', '%2F')}/"


def images(conn: Connection, item_rows: Collection[RowMapping]) -> dict[int, list[RowMapping]]:
    """Return the images that belong to items, by the items' ids, in the order of their names."""
    by_prefix = {(row["dataset_id"], images_of(row["name"])): row["id"] for row in item_rows}
    belonging: dict[int, list[RowMapping]] = {row["id"]: [] for row in item_rows}
    for dataset_id in sorted({row["dataset_id"] for row in item_rows}):
        query = select(items).where(items.c.dataset_id == dataset_id, items.c.name.startswith(_IMAGES))
        if len(item_rows) == 1:  # of one item an index range is read, and not those of the whole dataset
            query = query.where(items.c.name.startswith(next(iter(by_prefix))[1], autoescape=True))
        for row in conn.execute(query.order_by(items.c.name)).mappings():
            owner = by_prefix.get((dataset_id, row["name"][: row["name"].index("/", len(_IMAGES)) + 1]))
            if owner is not None:
                belonging[owner].append(row)
    return belonging


def count(conn: Connection, project_ids: Sequence[int]) -> dict[int, int]:
    """Return the number of the attachments of projects, by project; those that have none are left out.

    The column `items_count` of projects and versions counts them, as it is compared with the rows of a version.
    """
    query = select(items.c.project_id, func.count()).where(items.c.project_id.in_(project_ids), ~is_item())
    return dict(conn.execute(query.group_by(items.c.project_id)).all()) if project_ids else {}


def shared_objects(conn: Connection, dataset_ids: Sequence[int]) -> dict[int, RowMapping]:
    """Return the rows with the objects that items of datasets share, by dataset."""
    query = select(items).where(items.c.name == OBJECTS, items.c.dataset_id.in_(dataset_ids))
    return {row["dataset_id"]: row for row in conn.execute(query).mappings()}
