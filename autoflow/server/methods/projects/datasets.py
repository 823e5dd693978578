"""Datasets: ``datasets.*``, in the SDK's shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, select

from autoflow.model.json_object import JsonObject
from autoflow.server.db import attachments, audit, datasets, json_codec, projects
from autoflow.server.db.change_tracking import edit_project
from autoflow.server.db.items import first_item_ids
from autoflow.server.db.schema import datasets as table
from autoflow.server.db.schema import items
from autoflow.server.methods.images.images import reference
from autoflow.server.operations import Operation
from autoflow.server.paging import ListPage, page
from autoflow.server.request_parser import RequestParser
from autoflow.wire import methods
from autoflow.wire.contract.method import Success

_COLUMNS = {
    "id": table.c.id,
    "name": table.c.name,
    "parentId": table.c.parent_id,
    "projectId": table.c.project_id,
    "description": table.c.description,
    "createdBy": table.c.created_by,
    "createdAt": table.c.created_at,
    "updatedAt": table.c.updated_at,
}


def _shaped(conn: Connection, dataset_rows: Sequence[RowMapping]) -> list[JsonObject]:
    of = items.c.dataset_id
    query = select(of, func.count(), func.coalesce(func.sum(items.c.size), 0))
    query = query.where(of.in_([row["id"] for row in dataset_rows]), attachments.is_item()).group_by(of)
    counts = {number: (count, size) for number, count, size in conn.execute(query)}
    pictured = first_item_ids(conn, table, list(counts))
    shaped = []
    for row in dataset_rows:
        count, size = counts.get(row["id"], (0, 0))
        shaped.append(
            {
                "id": row["id"],
                "name": row["name"],
                "description": row["description"],
                "size": str(size),
                "projectId": row["project_id"],
                "imagesCount": count,
                "itemsCount": count,
                "createdAt": row["created_at"],
                "updatedAt": row["updated_at"],
                "referenceImageUrl": reference(conn, pictured.get(row["id"])),
                "teamId": row["team_id"],
                "workspaceId": row["workspace_id"],
                "parentId": row["parent_id"],
                "createdBy": row["created_by"],
            }
        )
    return shaped


def _with_custom_data(conn: Connection, number: int) -> JsonObject:
    row = datasets.get(conn, number)
    return {**_shaped(conn, [row])[0], "customData": json_codec.load(row["custom_data"])}


def list_datasets(conn: Connection, request: RequestParser) -> ListPage:
    """``datasets.list`` of a project: those at its top, or all with ``recursive``.

    ``customData`` is included on request only: the SDK uses the rows as keys of a dict, and a dict is not hashable.
    """
    project_id = projects.get(conn, request.number("projectId"))["id"]
    query = datasets.listing(conn).where(table.c.project_id == project_id)
    if not request.flag("recursive", default=False):
        query = query.where(table.c.parent_id == request.optional_number("parentId"))
    return _page(conn, query, request)


def _page(conn: Connection, query: Select[Any], request: RequestParser) -> ListPage:
    custom = "customData" in request.array("extraFields", required=False)

    def shape(dataset_rows: Sequence[RowMapping]) -> list[JsonObject]:
        shown = _shaped(conn, dataset_rows)
        if custom:
            for entry, row in zip(shown, dataset_rows, strict=True):
                entry["customData"] = json_codec.load(row["custom_data"])
        return shown

    return page(conn, query, _COLUMNS, request, shape)


def dataset(conn: Connection, request: RequestParser) -> JsonObject:
    """``datasets.info`` by id."""
    return _with_custom_data(conn, request.number("id"))


def add(conn: Connection, request: RequestParser) -> JsonObject:
    """``datasets.add``: 409 if the project or parent dataset has one of that name."""
    with edit_project(conn, request.number("projectId")) as edit:
        parent_id = request.optional_number("parentId")
        datasets.check_depth(edit, parent_id)
        number = datasets.add(
            edit,
            request.text("name"),
            parent_id,
            request.text("description", ""),
            json_codec.dump(request.mapping("customData")),
        )
    return _with_custom_data(conn, number)


def edit_dataset(conn: Connection, request: RequestParser) -> JsonObject:
    """``datasets.editInfo``: name, description, customData.

    Raises:
        Conflict: the project or parent dataset has one of that name.
    """
    row = datasets.get(conn, request.number("id"))
    values: dict[str, Any] = {}
    if request.has("name"):
        values["name"] = request.text("name")
    if request.has("description"):
        values["description"] = request.text("description", "")
    if request.has("customData"):
        values["custom_data"] = json_codec.dump(request.mapping("customData"))
    with edit_project(conn, row["project_id"]) as edit:
        datasets.change(edit, row, values)
    return _with_custom_data(conn, row["id"])


def list_all(conn: Connection, request: RequestParser) -> ListPage:
    """``datasets.list.all``: of all projects."""
    return _page(conn, datasets.listing(conn), request)


def remove(conn: Connection, request: RequestParser) -> Success:
    """``datasets.archive`` and ``datasets.remove`` by id, with the datasets and images in it."""
    _remove(conn, [request.number("id")])
    return {"success": True}


def remove_many(conn: Connection, request: RequestParser) -> Success:
    """``datasets.remove.permanently`` by ``datasets``, each with its ``id``; versions keep them.

    Those that were removed before stay removed: clients remove in two steps.
    """
    numbers = [entry.number("id") for entry in request.objects("datasets")]
    removed = datasets.find_removed(conn, numbers)
    _remove(conn, [number for number in numbers if number not in removed])
    return {"success": True}


def _remove(conn: Connection, numbers: Sequence[int]) -> None:
    for project_id, dataset_rows in sorted(datasets.by_project(conn, numbers).items()):
        query = select(table.c.id, table.c.name).where(table.c.id.in_(dataset_rows)).order_by(table.c.id)
        names = {f"dataset:{row.id}": row.name for row in conn.execute(query)}
        with edit_project(conn, project_id) as edit:
            datasets.remove(edit, dataset_rows)
        audit.record_each(conn, "dataset.delete", names, team_id=projects.team_of(conn, project_id))


def move(conn: Connection, request: RequestParser) -> Success:
    """``datasets.move``: a dataset (``srcId``), with all in it, into another of its project (``destId``).

    Raises:
        ServerRefused: 400, the target is in another project, or inside the moved dataset; 409, the name is taken there.
    """
    number, parent_id = request.number("srcId"), request.number("destId")
    with edit_project(conn, datasets.get(conn, number)["project_id"]) as edit:
        datasets.move(edit, datasets.get(conn, number), datasets.get(conn, parent_id))
    return {"success": True}


READS: Mapping[str, Operation] = {
    "datasets.list.all": list_all,
    methods.DATASET_LIST: list_datasets,
    methods.DATASET_INFO: dataset,
}
WRITES: Mapping[str, Operation] = {
    "datasets.add": add,
    "datasets.editInfo": edit_dataset,
    "datasets.move": move,
    "datasets.archive": remove,
    "datasets.remove": remove,
    "datasets.remove.permanently": remove_many,
}
