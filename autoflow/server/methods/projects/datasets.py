"""Datasets: ``datasets.*``, in the SDK's shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, select

from autoflow.server.db import datasets, json_codec, projects
from autoflow.server.db.items import first
from autoflow.server.db.schema import datasets as table
from autoflow.server.db.schema import items
from autoflow.server.methods import Operation
from autoflow.server.methods.images.images import reference
from autoflow.server.paging import page
from autoflow.server.request_parser import Body
from autoflow.server.versions.change_tracking import editing
from autoflow.wire import methods

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


def _shaped(rows: Connection, found: Sequence[RowMapping]) -> list[dict[str, Any]]:
    of = items.c.dataset_id
    query = select(of, func.count(), func.coalesce(func.sum(items.c.size), 0))
    query = query.where(of.in_([row["id"] for row in found])).group_by(of)
    counts = {number: (count, size) for number, count, size in rows.execute(query)}
    pictured = first(rows, table, list(counts))
    shaped = []
    for row in found:
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
                "referenceImageUrl": reference(rows, pictured.get(row["id"])),
                "teamId": row["team_id"],
                "workspaceId": row["workspace_id"],
                "parentId": row["parent_id"],
                "createdBy": row["created_by"],
            }
        )
    return shaped


def _whole(rows: Connection, number: int) -> dict[str, Any]:
    found = datasets.get(rows, number)
    return {**_shaped(rows, [found])[0], "customData": json_codec.load(found["custom_data"])}


def list_datasets(rows: Connection, body: Body) -> dict[str, Any]:
    """``datasets.list`` of a project: those at its top, or all with ``recursive``.

    ``customData`` comes only when asked for: the SDK keys a dict by what it gets, and a dict is no key.
    """
    project_id = projects.get(rows, body.number("projectId"))["id"]
    query = datasets.listing(rows).where(table.c.project_id == project_id)
    if not body.flag("recursive", default=False):
        query = query.where(table.c.parent_id == body.maybe_number("parentId"))
    return _page(rows, query, body)


def _page(rows: Connection, query: Select[Any], body: Body) -> dict[str, Any]:
    custom = "customData" in body.array("extraFields", required=False)

    def shape(found: Sequence[RowMapping]) -> list[dict[str, Any]]:
        shown = _shaped(rows, found)
        if custom:
            for entry, row in zip(shown, found, strict=True):
                entry["customData"] = json_codec.load(row["custom_data"])
        return shown

    return page(rows, query, _COLUMNS, body, shape)


def dataset(rows: Connection, body: Body) -> dict[str, Any]:
    """``datasets.info`` by id."""
    return _whole(rows, body.number("id"))


def add(rows: Connection, body: Body) -> dict[str, Any]:
    """``datasets.add``: 409 when the place has one of that name."""
    with editing(rows, body.number("projectId")) as edit:
        parent_id = body.maybe_number("parentId")
        datasets.check_depth(edit, parent_id)
        number = datasets.add(
            edit,
            body.text("name"),
            parent_id,
            body.text("description", ""),
            json_codec.dump(body.mapping("customData")),
        )
    return _whole(rows, number)


def edit_dataset(rows: Connection, body: Body) -> dict[str, Any]:
    """``datasets.editInfo``: name, description, customData.

    Raises:
        ServerRefused: 409, the place has one of that name.
    """
    found = datasets.get(rows, body.number("id"))
    values: dict[str, Any] = {}
    if body.given("name"):
        values["name"] = body.text("name")
    if body.given("description"):
        values["description"] = body.text("description", "")
    if body.given("customData"):
        values["custom_data"] = json_codec.dump(body.mapping("customData"))
    with editing(rows, found["project_id"]) as edit:
        datasets.change(edit, found, values)
    return _whole(rows, found["id"])


def list_all(rows: Connection, body: Body) -> dict[str, Any]:
    """``datasets.list.all``: of all projects."""
    return _page(rows, datasets.listing(rows), body)


def remove(rows: Connection, body: Body) -> dict[str, Any]:
    """``datasets.archive`` and ``datasets.remove`` by id, with the datasets and images in it."""
    _remove(rows, [body.number("id")])
    return {"success": True}


def remove_many(rows: Connection, body: Body) -> dict[str, Any]:
    """``datasets.remove.permanently`` by ``datasets``, each with its ``id``; what a version has stays in it."""
    _remove(rows, [entry.number("id") for entry in body.bodies("datasets")])
    return {"success": True}


def _remove(rows: Connection, numbers: Sequence[int]) -> None:
    for project_id, found in sorted(datasets.by_project(rows, numbers).items()):
        with editing(rows, project_id) as edit:
            datasets.remove(edit, found)


def move(rows: Connection, body: Body) -> dict[str, Any]:
    """``datasets.move``: a dataset (``srcId``), with all in it, into another of its project (``destId``).

    Raises:
        ServerRefused: 400, it is another project's, or stands in the one that is moved; 409, the name is taken there.
    """
    number, place = body.number("srcId"), body.number("destId")
    with editing(rows, datasets.get(rows, number)["project_id"]) as edit:
        datasets.move(edit, datasets.get(rows, number), datasets.get(rows, place))
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
