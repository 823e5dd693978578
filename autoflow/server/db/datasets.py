"""Datasets of a project, which may stand in one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select

from autoflow.server import limits, timestamps
from autoflow.server.db.access import caller, visible
from autoflow.server.db.change_tracking import ProjectEdit
from autoflow.server.db.schema import datasets, items, projects, workspaces
from autoflow.server.errors import Conflict, Invalid, NotFound
from autoflow.server.paging import CHUNK, chunks


def listing(conn: Connection) -> Select[Any]:
    """All datasets of active projects, each with its workspace and team."""
    query = select(datasets, projects.c.workspace_id, workspaces.c.team_id).join_from(datasets, projects)
    return query.join(workspaces).where(projects.c.state == "active", visible(conn, datasets))


def get(conn: Connection, number: int) -> RowMapping:
    """A dataset of an active project.

    Raises:
        NotFound: there is none.
    """
    found = conn.execute(listing(conn).where(datasets.c.id == number)).mappings().one_or_none()
    if found is None:
        raise NotFound("dataset", number)
    return found


def by_project(conn: Connection, numbers: Sequence[int]) -> dict[int, list[int]]:
    """The numbers of datasets, each once, by their project's.

    Raises:
        NotFound: there is none of a number.
    """
    found: dict[int, int] = {}
    for part in chunks(list(dict.fromkeys(numbers))):
        found.update((row.id, row.project_id) for row in conn.execute(listing(conn).where(datasets.c.id.in_(part))))
    grouped: dict[int, list[int]] = {}
    for number in dict.fromkeys(numbers):
        if number not in found:
            raise NotFound("dataset", number)
        grouped.setdefault(found[number], []).append(number)
    return grouped


def _free_name(edit: ProjectEdit, parent_id: int | None, name: str, but: int = 0) -> None:
    query = select(datasets.c.id).where(
        datasets.c.project_id == edit.project["id"],
        datasets.c.parent_id == parent_id,
        datasets.c.name == name,
        datasets.c.id != but,
    )
    if edit.conn.execute(query).first():
        raise Conflict(f"project {edit.project['id']} has a dataset named {name!r} there already")


def change(edit: ProjectEdit, row: RowMapping, values: dict[str, Any]) -> None:
    """Change a dataset; values that are the same leave it as it was.

    Raises:
        Conflict: its place has another of that name.
    """
    _free_name(edit, row["parent_id"], values.get("name", row["name"]), but=row["id"])
    if any(row[name] != value for name, value in values.items()):
        edit.update(datasets, row, {**values, "updated_at": timestamps.now()})


def add(edit: ProjectEdit, name: str, parent_id: int | None, description: str, custom_data: str) -> int:
    """Make a dataset; gives its id.

    Raises:
        ServerRefused: its parent is of another project, or has one of that name.
    """
    project_id = edit.project["id"]
    if parent_id is not None and get(edit.conn, parent_id)["project_id"] != project_id:
        raise Invalid(f"dataset {parent_id} is not of project {project_id}")
    _free_name(edit, parent_id, name)
    moment = timestamps.now()
    values: dict[str, Any] = {
        "project_id": project_id,
        "parent_id": parent_id,
        "name": name,
        "description": description,
        "custom_data": custom_data,
        "created_by": caller(edit.conn).user,
        "created_at": moment,
        "updated_at": moment,
    }
    return edit.insert(datasets, values)


def remove(edit: ProjectEdit, numbers: Sequence[int]) -> None:
    """Take datasets away, with the datasets and items in them; what a version sees of them stays in the version.

    Raises:
        NotFound: the project has none of a number.
    """
    found, children = _tree(edit.conn, edit.project["id"])
    for number in numbers:
        if number not in found:
            raise NotFound("dataset", number)
    gone = _below(numbers, children)
    for part in chunks(gone):
        _empty(edit, part)
    for part in chunks(gone[::-1]):  # a dataset stands before those in it
        edit.delete_many(datasets, [found[number] for number in part])


def _empty(edit: ProjectEdit, numbers: Sequence[int]) -> None:
    query = select(items).where(items.c.dataset_id.in_(numbers)).order_by(items.c.dataset_id, items.c.id).limit(CHUNK)
    while part := edit.conn.execute(query).mappings().all():
        edit.delete_many(items, part)


def move(edit: ProjectEdit, row: RowMapping, place: RowMapping) -> None:
    """Put a dataset, with all in it, into another of the same project.

    Raises:
        ServerRefused: the place is another project's or in the dataset itself, or has one of that name.
    """
    if place["project_id"] != row["project_id"]:
        raise Invalid(f"dataset {place['id']} is not of project {row['project_id']}")
    if place["id"] in descendants(edit.conn, row):
        raise Invalid(f"dataset {place['id']} stands in dataset {row['id']} itself")
    _free_name(edit, place["id"], row["name"], but=row["id"])
    check_depth(edit, place["id"], _height(edit, row["id"]))
    edit.update(datasets, row, {"parent_id": place["id"], "updated_at": timestamps.now()})


def descendants(conn: Connection, dataset: RowMapping) -> list[int]:
    """The ids of a dataset and of all that stand in it, however deep."""
    return _below([dataset["id"]], _tree(conn, dataset["project_id"])[1])


def in_tree_order(conn: Connection, project_id: int) -> list[int]:
    """The ids of a project's datasets, each after the one it stands in."""
    children = _tree(conn, project_id)[1]
    return _below(children.get(None, ()), children)


Children = Mapping[int | None, Sequence[int]]


def _tree(conn: Connection, project_id: int) -> tuple[dict[int, RowMapping], Children]:
    """A project's datasets by number, and the numbers of those in each."""
    query = select(datasets).where(datasets.c.project_id == project_id)
    found = {row["id"]: row for row in conn.execute(query).mappings()}
    children: dict[int | None, list[int]] = {}
    for row in found.values():
        children.setdefault(row["parent_id"], []).append(row["id"])
    return found, children


def _below(numbers: Sequence[int], children: Children) -> list[int]:
    """Datasets and all that stand in them, each once, one before those in it."""
    ordered = dict.fromkeys(numbers)
    queue = list(ordered)
    for number in queue:
        queue.extend(children.get(number, ()))
    # of several ways to a dataset the longest counts: it comes after all that it stands in
    return list(dict.fromkeys(reversed(queue)))[::-1]


def check_depth(edit: ProjectEdit, parent_id: int | None, height: int = 1) -> None:
    """See that datasets do not stand in one another deeper than `limits.DATASET_DEPTH`.

    Raises:
        Invalid: they would.
    """
    depth = height
    while parent_id is not None and depth <= limits.DATASET_DEPTH:
        query = select(datasets.c.parent_id).where(datasets.c.id == parent_id)
        parent_id, depth = edit.conn.execute(query).scalar(), depth + 1
    if depth > limits.DATASET_DEPTH:
        raise Invalid(f"datasets stand in one another at most {limits.DATASET_DEPTH} deep")


def _height(edit: ProjectEdit, number: int) -> int:
    """How many levels of datasets a dataset is, itself included."""
    _, children = _tree(edit.conn, edit.project["id"])
    level, height = [number], 0
    while level and height <= limits.DATASET_DEPTH:
        level, height = [child for one in level for child in children.get(one, ())], height + 1
    return height
