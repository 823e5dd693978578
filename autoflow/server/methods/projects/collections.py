"""``entities-collections.*``: named sets of a project's images, such as those of a training split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server import limits
from autoflow.server.db import collections, json_codec, projects, teams
from autoflow.server.db.app_tables import collections as table
from autoflow.server.errors import Invalid
from autoflow.server.operations import Operation
from autoflow.server.paging import ListPage, page
from autoflow.server.request_parser import RequestParser, as_number
from autoflow.wire.contract.method import Success

DEFAULT = "default"  # the only type: the other one holds results of a search by a model
ALL = "all"
_COLUMNS = {
    "id": table.c.id,
    "name": table.c.name,
    "type": table.c.type,
    "createdAt": table.c.created_at,
    "updatedAt": table.c.updated_at,
}


def _to_wire(conn: Connection, rows: Sequence[RowMapping]) -> list[JsonObject]:
    counts = collections.count_items(conn, [row["id"] for row in rows])
    return [
        {
            "id": row["id"],
            "name": row["name"],
            "teamId": row["team_id"],
            "projectId": row["project_id"],
            "description": row["description"],
            "type": row["type"],
            "options": {},
            "meta": json_codec.load(row["meta"]),
            "itemsCount": counts.get(row["id"], 0),
            "createdBy": row["created_by"] or teams.FIRST_USER,
            "createdAt": row["created_at"],
            "updatedAt": row["updated_at"],
        }
        for row in rows
    ]


def _meta(request: RequestParser) -> str:
    meta = request.mapping("meta")
    if limits.is_deeper(meta):
        raise Invalid(f'"{request.path}meta" is nested deeper than {limits.JSON_DEPTH}', {"field": "meta"})
    return json_codec.dump(meta)


def add(conn: Connection, request: RequestParser) -> JsonObject:
    """``entities-collections.add``.

    Raises:
        Conflict: the project has a collection of that name.
    """
    project = projects.get(conn, request.number("projectId"))
    kind = request.text("type", DEFAULT)
    if kind != DEFAULT:
        raise Invalid(f'"type" must be "{DEFAULT}": there is no search by a model here', {"field": "type"})
    values = {"type": kind, "description": request.text("description", ""), "meta": _meta(request)}
    number = collections.add(conn, project["id"], request.text("name"), values)
    return _to_wire(conn, [collections.get(conn, number)])[0]


def edit(conn: Connection, request: RequestParser) -> JsonObject:
    """``entities-collections.editInfo``: the name or the description."""
    collection = collections.get_own(conn, request.number("id"))
    changed = {name: request.text(name, "") for name in ("name", "description") if request.has(name)}
    if not changed.get("name", "-").strip():
        raise Invalid('"name" must be text that is not blank', {"field": "name"})
    collections.edit(conn, collection["id"], changed)
    return _to_wire(conn, [collections.get(conn, collection["id"])])[0]


def collection(conn: Connection, request: RequestParser) -> JsonObject:
    """``entities-collections.info`` by id."""
    return _to_wire(conn, [collections.get(conn, request.number("id"))])[0]


def list_collections(conn: Connection, request: RequestParser) -> ListPage:
    """``entities-collections.list`` of a project, of a ``type`` or of all."""
    project = projects.get(conn, request.number("projectId"))
    query = collections.listing(conn).where(table.c.project_id == project["id"])
    kind = request.text("type", ALL)
    if kind != ALL:
        query = query.where(table.c.type == kind)
    return page(conn, query, _COLUMNS, request, lambda rows: _to_wire(conn, rows))


def remove(conn: Connection, request: RequestParser) -> Success:
    """``entities-collections.remove``: the collection, not its images."""
    collections.remove(conn, collections.get_own(conn, request.number("id"))["id"])
    return {"success": True}


def add_items(conn: Connection, request: RequestParser) -> JsonObject:
    """``entities-collections.items.bulk.add``: images by ``entityIds``, or by ``entityItems`` with a meta each."""
    row = collections.get_own(conn, request.number("collectionId"))
    meta_by_id: dict[int, JsonObject] = {}
    if request.has("entityItems"):
        for entry in request.objects("entityItems"):
            _meta(entry)
            meta_by_id.setdefault(entry.number("entityId"), entry.mapping("meta"))
    else:
        meta_by_id = {number: {} for number in request.unique_numbers("entityIds")}
    collections.add_items(conn, row, meta_by_id)
    added = [{"id": number, "entityId": number, "createdBy": row["created_by"]} for number in meta_by_id]
    return {"items": added, "missing": []}


def remove_items(conn: Connection, request: RequestParser) -> JsonObject:
    """``entities-collections.items.bulk.remove``; images that are not in the collection are left out."""
    row = collections.get_own(conn, request.number("collectionId"))
    ids = [number for value in request.array("entityIds") if (number := as_number(value)) is not None]
    collections.remove_items(conn, row["id"], ids)
    return {"items": [{"id": number, "entityId": number} for number in ids], "missing": []}


READS: Mapping[str, Operation] = {
    "entities-collections.info": collection,
    "entities-collections.list": list_collections,
}
WRITES: Mapping[str, Operation] = {
    "entities-collections.add": add,
    "entities-collections.editInfo": edit,
    "entities-collections.remove": remove,
    "entities-collections.items.bulk.add": add_items,
    "entities-collections.items.bulk.remove": remove_items,
}
