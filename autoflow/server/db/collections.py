"""Collections of entities: named sets of a project's images, such as the split that a training used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, delete, func, select, update

from autoflow.model.json_object import JsonObject
from autoflow.server import timestamps
from autoflow.server.db import json_codec
from autoflow.server.db.access import check_own, get_row, visible
from autoflow.server.db.app_tables import collection_items, collections
from autoflow.server.db.insertion import insert_row
from autoflow.server.db.projects import ACTIVE
from autoflow.server.db.schema import items, projects, workspaces
from autoflow.server.db.upsert import insert_or_ignore_many
from autoflow.server.errors import Conflict, NotFound
from autoflow.server.paging import chunks


def listing(conn: Connection) -> Select[Any]:
    """Return a query for all collections of projects that are not removed, each with its team."""
    query = select(collections, workspaces.c.team_id)
    query = query.join_from(collections, projects, projects.c.id == collections.c.project_id).join(workspaces)
    return query.where(visible(conn, collections), ACTIVE)


def get(conn: Connection, number: int) -> RowMapping:
    """Return a collection by id.

    Raises:
        NotFound: there is none.
    """
    return get_row(conn, listing(conn).where(collections.c.id == number), "collection", number)


def get_own(conn: Connection, number: int) -> RowMapping:
    """Return a collection by id, to change it.

    Raises:
        NotFound: there is none.
        Forbidden: the caller's token is for a reproduction that did not create it.
    """
    row = get(conn, number)
    check_own(conn, collections, "collection", number)
    return row


def add(conn: Connection, project_id: int, name: str, values: Mapping[str, Any]) -> int:
    """Insert a collection; return its id.

    Raises:
        Conflict: the project has a collection of that name.
    """
    same_name = select(collections.c.id).where(collections.c.project_id == project_id, collections.c.name == name)
    if conn.execute(same_name).first() is not None:
        raise Conflict(f"project {project_id} has a collection named {name!r} already")
    return insert_row(conn, collections, {"project_id": project_id, "name": name, **values})


def edit(conn: Connection, number: int, values: Mapping[str, Any]) -> None:
    """Change columns of a collection."""
    changed = update(collections).where(collections.c.id == number)
    conn.execute(changed.values(**values, updated_at=timestamps.now()))


def remove(conn: Connection, number: int) -> None:
    """Delete a collection; its images stay."""
    conn.execute(delete(collection_items).where(collection_items.c.collection_id == number))
    conn.execute(delete(collections).where(collections.c.id == number))


def add_items(conn: Connection, collection: RowMapping, meta_by_id: Mapping[int, JsonObject]) -> None:
    """Add images of its project to a collection; those that are in it keep their meta.

    Raises:
        NotFound: an image is not in the project.
    """
    for ids in chunks(list(meta_by_id)):
        query = select(items.c.id).where(items.c.id.in_(ids), items.c.project_id == collection["project_id"])
        known = set(conn.execute(query).scalars())
        for number in ids:
            if number not in known:
                raise NotFound("image", number)
        rows = [
            {"collection_id": collection["id"], "item_id": number, "meta": json_codec.dump(meta_by_id[number])}
            for number in ids
        ]
        insert_or_ignore_many(conn, collection_items, rows)
    edit(conn, collection["id"], {})


def remove_items(conn: Connection, number: int, ids: Sequence[int]) -> None:
    """Take images out of a collection."""
    for part in chunks(ids):
        within = collection_items.c.item_id.in_(part)
        conn.execute(delete(collection_items).where(collection_items.c.collection_id == number, within))
    edit(conn, number, {})


def count_items(conn: Connection, numbers: Sequence[int]) -> dict[int, int]:
    """Return the number of current images of each collection."""
    counted: dict[int, int] = {}
    for part in chunks(numbers):
        query = select(collection_items.c.collection_id, func.count()).join(
            items, items.c.id == collection_items.c.item_id
        )
        query = query.where(collection_items.c.collection_id.in_(part)).group_by(collection_items.c.collection_id)
        counted.update((number, count) for number, count in conn.execute(query))
    return counted


def state(conn: Connection, number: int) -> tuple[str, int]:
    """Return what changes when a collection's images do: when it was changed last, and their number."""
    return get(conn, number)["updated_at"], count_items(conn, [number]).get(number, 0)


def contains(conn: Connection, number: int) -> ColumnElement[bool]:
    """Return the condition that an item is in a collection.

    Raises:
        NotFound: there is no such collection.
    """
    query = select(collection_items.c.item_id).where(collection_items.c.collection_id == get(conn, number)["id"])
    return items.c.id.in_(query)
