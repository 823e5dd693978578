"""``projects.clone``: a project of its own with what another has, as much of it as is asked for.

Classes and tags keep their numbers, as annotations name them by these; bytes are not copied. One transaction: it is
there whole when it is answered, and the task that the wire's clients wait for is over by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from autoflow.platform import documents, times
from autoflow.platform.body import Body
from autoflow.platform.operations import Operation
from autoflow.platform.paging import CHUNK
from autoflow.platform.store import counters, datasets, items, projects, tasks
from autoflow.platform.store.edits import Edit, editing
from autoflow.platform.store.schema import datasets as dataset_table
from autoflow.platform.store.schema import items as table

_PROJECT = ("description", "readme", "type", "custom_data", "settings", "import_settings")
_ITEM = ("name", "hash", "link", "mime", "size", "width", "height", "meta", "description")


def clone(rows: Connection, body: Body) -> dict[str, Any]:
    """``projects.clone`` of a project (``id``) into a workspace, under a name; ``include`` says what of it, or all.

    Raises:
        ServerRefused: 404, the project or the workspace is unknown; 409, the name is taken there.
    """
    source = projects.get(rows, body.number("id"))
    include = Body(body.mapping("include"), "include.")

    def wanted(name: str) -> bool:
        return include.flag(name, default=True)

    values = {name: source[name] for name in _PROJECT}
    number = projects.add(rows, body.number("workspaceId"), body.text("name"), **values)
    with editing(rows, number) as edit:
        if wanted("classes"):
            projects.set_meta(edit, projects.meta(rows, source["id"]))
        places = _copy_datasets(edit, source["id"]) if wanted("datasets") else {}
        if wanted("images"):
            _copy_items(edit, source["id"], places, tagged=wanted("imagesTags"), drawn=wanted("annotationObjects"))
    return {"taskId": _done(rows, projects.get(rows, number)), "projectId": number}


def _copy_datasets(edit: Edit, source: int) -> dict[int, int]:
    """The new datasets' numbers, by those they are copies of."""
    places: dict[int, int] = {}
    query = select(dataset_table).where(dataset_table.c.project_id == source).order_by(dataset_table.c.id)
    left = list(edit.rows.execute(query).mappings())
    while left:  # one that was moved may stand in a younger one
        ready = [row for row in left if row["parent_id"] is None or row["parent_id"] in places]
        for row in ready:
            parent = places.get(row["parent_id"])
            places[row["id"]] = datasets.add(edit, row["name"], parent, row["description"], row["custom_data"])
        left = [row for row in left if row["id"] not in places]
    return places


def _copy_items(edit: Edit, source: int, places: Mapping[int, int], *, tagged: bool, drawn: bool) -> None:
    names = (*_ITEM, "annotation", "labels") if drawn else _ITEM
    for part in _parts(edit.rows, source):
        new: dict[int, list[dict[str, Any]]] = {}
        for row, tags in zip(part, _tags(edit.rows, part) if tagged else ["[]"] * len(part), strict=True):
            if row["dataset_id"] in places:
                values = {name: row[name] for name in names}
                new.setdefault(places[row["dataset_id"]], []).append({**values, "tags": tags})
        for dataset_id, several in new.items():
            items.add_many(edit, dataset_id, several)


def _parts(rows: Connection, source: int) -> Iterator[Sequence[RowMapping]]:
    query = select(table).where(table.c.project_id == source).order_by(table.c.id).limit(CHUNK)
    last = 0
    while part := rows.execute(query.where(table.c.id > last)).mappings().all():
        yield part
        last = part[-1]["id"]


def _tags(rows: Connection, part: Sequence[RowMapping]) -> list[str]:
    """The tags of some images, each with a number of its own."""
    lists = [documents.load(row["tags"]) for row in part]
    count = sum(map(len, lists))
    numbers = iter(range(counters.advance(rows, counters.TAG, count) - count + 1, 2**63) if count else ())
    return [documents.dump([{**tag, "id": next(numbers)} for tag in tags]) for tags in lists]


def _done(rows: Connection, project: Mapping[str, Any] | RowMapping) -> int:
    """A task that says so."""
    task_id = tasks.add(rows, team=project["team_id"], workspace=project["workspace_id"])
    tasks.name(rows, task_id, "Clone project")
    tasks.finish(rows, task_id, "finished", None, times.now())
    return task_id


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = {"projects.clone": clone}
