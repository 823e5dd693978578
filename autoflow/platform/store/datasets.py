"""Datasets of a project, which may stand in one another."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select

from autoflow.platform import times
from autoflow.platform.paging import CHUNK
from autoflow.platform.refusals import bad, taken, unknown
from autoflow.platform.store.access import caller, visible
from autoflow.platform.store.edits import Edit
from autoflow.platform.store.schema import datasets, items, projects, workspaces


def listing(rows: Connection) -> Select[Any]:
    """All datasets of active projects, each with its workspace and team."""
    query = select(datasets, projects.c.workspace_id, workspaces.c.team_id).join_from(datasets, projects)
    return query.join(workspaces).where(projects.c.state == "active", visible(rows, datasets))


def get(rows: Connection, number: int) -> RowMapping:
    """A dataset of an active project.

    Raises:
        ServerRefused: 404, there is none.
    """
    found = rows.execute(listing(rows).where(datasets.c.id == number)).mappings().one_or_none()
    if found is None:
        raise unknown("dataset", number)
    return found


def _free_name(edit: Edit, parent_id: int | None, name: str, but: int = 0) -> None:
    query = select(datasets.c.id).where(
        datasets.c.project_id == edit.project["id"],
        datasets.c.parent_id == parent_id,
        datasets.c.name == name,
        datasets.c.id != but,
    )
    if edit.rows.execute(query).first():
        raise taken(f"project {edit.project['id']} has a dataset named {name!r} there already")


def change(edit: Edit, row: RowMapping, values: dict[str, Any]) -> None:
    """Change a dataset; values that are the same leave it as it was.

    Raises:
        ServerRefused: 409, its place has another of that name.
    """
    _free_name(edit, row["parent_id"], values.get("name", row["name"]), but=row["id"])
    if any(row[name] != value for name, value in values.items()):
        edit.update(datasets, row, {**values, "updated_at": times.now()})


def add(edit: Edit, name: str, parent_id: int | None, description: str, custom_data: str) -> int:
    """Make a dataset; gives its id.

    Raises:
        ServerRefused: its parent is of another project, or has one of that name.
    """
    project_id = edit.project["id"]
    if parent_id is not None and get(edit.rows, parent_id)["project_id"] != project_id:
        raise bad(f"dataset {parent_id} is not of project {project_id}")
    _free_name(edit, parent_id, name)
    moment = times.now()
    values: dict[str, Any] = {
        "project_id": project_id,
        "parent_id": parent_id,
        "name": name,
        "description": description,
        "custom_data": custom_data,
        "created_by": caller(edit.rows).user,
        "created_at": moment,
        "updated_at": moment,
    }
    return edit.insert(datasets, values)


def remove(edit: Edit, row: RowMapping) -> None:
    """Take a dataset away, with the datasets and items in it; what a version sees of them stays in the version."""
    numbers = within(edit.rows, row)
    for number in numbers:
        query = select(items).where(items.c.dataset_id == number).order_by(items.c.id).limit(CHUNK)
        last = 0
        while part := edit.rows.execute(query.where(items.c.id > last)).mappings().all():
            edit.delete_many(items, part)
            last = part[-1]["id"]
    for number in reversed(numbers):  # a dataset stands before those in it
        edit.delete(datasets, get(edit.rows, number))


def move(edit: Edit, row: RowMapping, place: RowMapping) -> None:
    """Put a dataset, with all in it, into another of the same project.

    Raises:
        ServerRefused: the place is another project's or in the dataset itself, or has one of that name.
    """
    if place["project_id"] != row["project_id"]:
        raise bad(f"dataset {place['id']} is not of project {row['project_id']}")
    if place["id"] in within(edit.rows, row):
        raise bad(f"dataset {place['id']} stands in dataset {row['id']} itself")
    _free_name(edit, place["id"], row["name"], but=row["id"])
    edit.update(datasets, row, {"parent_id": place["id"], "updated_at": times.now()})


def within(rows: Connection, dataset: RowMapping) -> list[int]:
    """The ids of a dataset and of all that stand in it, however deep."""
    query = select(datasets.c.id, datasets.c.parent_id).where(datasets.c.project_id == dataset["project_id"])
    children: dict[int | None, list[int]] = {}
    for row in rows.execute(query):
        children.setdefault(row.parent_id, []).append(row.id)
    found = [dataset["id"]]
    for number in found:
        found.extend(children.get(number, ()))
    return found
