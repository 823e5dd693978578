"""Datasets of projects, which may be nested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select

from autoflow.server import limits, timestamps
from autoflow.server.db.access import caller, get_row, visible
from autoflow.server.db.app_tables import removed_datasets
from autoflow.server.db.change_tracking import ProjectEdit
from autoflow.server.db.schema import datasets, items, projects, workspaces
from autoflow.server.db.upsert import insert_or_ignore_many
from autoflow.server.errors import Conflict, Invalid, NotFound
from autoflow.server.paging import CHUNK, chunks


def listing(conn: Connection) -> Select[Any]:
    """Return a query for all datasets of active projects, each with its workspace and team."""
    query = select(datasets, projects.c.workspace_id, workspaces.c.team_id).join_from(datasets, projects)
    return query.join(workspaces).where(projects.c.state == "active", visible(conn, datasets))


def get(conn: Connection, number: int) -> RowMapping:
    """Return a dataset of an active project.

    Raises:
        NotFound: there is none.
    """
    return get_row(conn, listing(conn).where(datasets.c.id == number), "dataset", number)


def counterparts(conn: Connection, project_id: int, other_id: int) -> dict[int, int]:
    """Return the datasets of another project that have the names and parents of a project's, by the latter's ids."""
    own, others = _paths(conn, project_id), _paths(conn, other_id)
    numbers = {path: number for number, path in others.items()}
    return {number: numbers[path] for number, path in own.items() if path in numbers}


def _paths(conn: Connection, project_id: int) -> dict[int, str]:
    """Return the paths of a project's datasets, by their ids."""
    query = select(datasets.c.id, datasets.c.parent_id, datasets.c.name).where(datasets.c.project_id == project_id)
    rows = {row.id: row for row in conn.execute(query)}
    paths = {}
    for number, row in rows.items():
        steps = [row.name]
        while row.parent_id in rows:
            row = rows[row.parent_id]
            steps.append(row.name)
        paths[number] = "/".join(reversed(steps))
    return paths


def by_project(conn: Connection, numbers: Sequence[int]) -> dict[int, list[int]]:
    """Return the ids of datasets, without duplicates, by their project's id.

    Raises:
        NotFound: there is none of a number.
    """
    project_ids: dict[int, int] = {}
    for part in chunks(list(dict.fromkeys(numbers))):
        project_ids.update(
            (row.id, row.project_id) for row in conn.execute(listing(conn).where(datasets.c.id.in_(part)))
        )
    grouped: dict[int, list[int]] = {}
    for number in dict.fromkeys(numbers):
        if number not in project_ids:
            raise NotFound("dataset", number)
        grouped.setdefault(project_ids[number], []).append(number)
    return grouped


def _check_name_is_free(edit: ProjectEdit, parent_id: int | None, name: str, but: int = 0) -> None:
    query = select(datasets.c.id).where(
        datasets.c.project_id == edit.project["id"],
        datasets.c.parent_id == parent_id,
        datasets.c.name == name,
        datasets.c.id != but,
    )
    if edit.conn.execute(query).first():
        raise Conflict(f"project {edit.project['id']} already has a dataset named {name!r} there")


def change(edit: ProjectEdit, row: RowMapping, values: dict[str, Any]) -> None:
    """Update a dataset if any of the values differ.

    Raises:
        Conflict: its parent has another of that name.
    """
    _check_name_is_free(edit, row["parent_id"], values.get("name", row["name"]), but=row["id"])
    if any(row[name] != value for name, value in values.items()):
        edit.update(datasets, row, {**values, "updated_at": timestamps.now()})


def add(edit: ProjectEdit, name: str, parent_id: int | None, description: str, custom_data: str) -> int:
    """Insert a dataset; return its id.

    Raises:
        Invalid: its parent is in another project, or it would be nested too deeply.
        Conflict: its parent, or the project, has a dataset of that name.
    """
    project_id = edit.project["id"]
    if parent_id is not None and get(edit.conn, parent_id)["project_id"] != project_id:
        raise Invalid(f"dataset {parent_id} is not of project {project_id}")
    _check_name_is_free(edit, parent_id, name)
    now = timestamps.now()
    values: dict[str, Any] = {
        "project_id": project_id,
        "parent_id": parent_id,
        "name": name,
        "description": description,
        "custom_data": custom_data,
        "created_by": caller(edit.conn).user,
        "created_at": now,
        "updated_at": now,
    }
    while _has_original(edit, dataset_id := edit.insert(datasets, values)):
        edit.delete(datasets, {**dict.fromkeys(datasets.c.keys()), **values, "id": dataset_id})
    return dataset_id


def _has_original(edit: ProjectEdit, number: int) -> bool:
    """Return whether a dataset of the project, copied from another store, is identified by a number in digests."""
    query = select(datasets.c.id).where(datasets.c.project_id == edit.project["id"], datasets.c.original_id == number)
    return edit.conn.execute(query.where(datasets.c.id != number).limit(1)).first() is not None


def remove(edit: ProjectEdit, numbers: Sequence[int]) -> None:
    """Delete datasets with the datasets and items in them; versions still see them.

    Raises:
        NotFound: the project has none of a number.
    """
    by_id, children = _tree(edit.conn, edit.project["id"])
    for number in numbers:
        if number not in by_id:
            raise NotFound("dataset", number)
    removed = _with_descendants(numbers, children)
    for part in chunks(removed):
        _delete_items(edit, part)
    for part in chunks(removed[::-1]):  # children first
        edit.delete_many(datasets, [by_id[number] for number in part])
    values = [{"dataset_id": number, "project_id": edit.project["id"]} for number in removed]
    insert_or_ignore_many(edit.conn, removed_datasets, values)


def find_removed(conn: Connection, numbers: Sequence[int]) -> set[int]:
    """Return those of some ids that removed datasets had which the caller saw."""
    removed: set[int] = set()
    for part in chunks(numbers):
        query = select(removed_datasets.c.dataset_id).where(removed_datasets.c.dataset_id.in_(part))
        removed.update(conn.execute(query.where(visible(conn, removed_datasets))).scalars())
    return removed


def _delete_items(edit: ProjectEdit, numbers: Sequence[int]) -> None:
    query = select(items).where(items.c.dataset_id.in_(numbers)).order_by(items.c.dataset_id, items.c.id).limit(CHUNK)
    while part := edit.conn.execute(query).mappings().all():
        edit.delete_many(items, part)


def move(edit: ProjectEdit, row: RowMapping, parent: RowMapping) -> None:
    """Move a dataset with its content into another dataset of the same project.

    Raises:
        Invalid: the new parent is in another project or inside the dataset itself, or it would be nested too deeply.
        Conflict: the new parent has a dataset of that name.
    """
    if parent["project_id"] != row["project_id"]:
        raise Invalid(f"dataset {parent['id']} is not of project {row['project_id']}")
    if parent["id"] in descendants(edit.conn, row):
        raise Invalid(f"dataset {parent['id']} is inside dataset {row['id']}, so it cannot become its parent")
    _check_name_is_free(edit, parent["id"], row["name"], but=row["id"])
    check_depth(edit, parent["id"], _height(edit, row["id"]))
    edit.update(datasets, row, {"parent_id": parent["id"], "updated_at": timestamps.now()})


def descendants(conn: Connection, dataset: RowMapping) -> list[int]:
    """Return the ids of a dataset and all datasets nested in it."""
    return _with_descendants([dataset["id"]], _tree(conn, dataset["project_id"])[1])


def in_tree_order(conn: Connection, project_id: int) -> list[int]:
    """Return the ids of a project's datasets, parents first."""
    children = _tree(conn, project_id)[1]
    return _with_descendants(children.get(None, ()), children)


Children = Mapping[int | None, Sequence[int]]


def _tree(conn: Connection, project_id: int) -> tuple[dict[int, RowMapping], Children]:
    """Return a project's datasets by id, and the ids of each one's children."""
    query = select(datasets).where(datasets.c.project_id == project_id)
    by_id = {row["id"]: row for row in conn.execute(query).mappings()}
    children: dict[int | None, list[int]] = {}
    for row in by_id.values():
        children.setdefault(row["parent_id"], []).append(row["id"])
    return by_id, children


def _with_descendants(numbers: Sequence[int], children: Children) -> list[int]:
    """Return datasets with all that are nested in them, without duplicates, parents first."""
    ordered = dict.fromkeys(numbers)
    queue = list(ordered)
    for number in queue:
        queue.extend(children.get(number, ()))
    # of several occurrences of a dataset the last one counts, as it comes after all ancestors
    return list(dict.fromkeys(reversed(queue)))[::-1]


def check_depth(edit: ProjectEdit, parent_id: int | None, height: int = 1) -> None:
    """Check that datasets are not nested deeper than `limits.DATASET_DEPTH`.

    Raises:
        Invalid: they would.
    """
    depth = height
    while parent_id is not None and depth <= limits.DATASET_DEPTH:
        query = select(datasets.c.parent_id).where(datasets.c.id == parent_id)
        parent_id, depth = edit.conn.execute(query).scalar(), depth + 1
    if depth > limits.DATASET_DEPTH:
        raise Invalid(f"datasets can be nested at most {limits.DATASET_DEPTH} deep")


def _height(edit: ProjectEdit, number: int) -> int:
    """Return the number of levels of a dataset's tree, itself included."""
    _, children = _tree(edit.conn, edit.project["id"])
    level, height = [number], 0
    while level and height <= limits.DATASET_DEPTH:
        level, height = [child for parent in level for child in children.get(parent, ())], height + 1
    return height
