"""``projects.clone``: copy the requested parts of a project into a new one.

Classes and tags keep their numbers, by which annotations name them; bytes are not copied. The source is read in one
transaction, so that the clone is one state of it; the clone is written in many short ones and hidden until it is
complete (`db.hidden_projects`). It is complete when the request is answered, and the task that clients of the wire
wait for is finished by then.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from autoflow.model.json_object import JsonObject
from autoflow.server import timestamps
from autoflow.server.db import counters, hidden_projects, items, json_codec, projects, scopes, tasks
from autoflow.server.db.access import caller
from autoflow.server.db.change_tracking import ProjectEdit, edit_hidden_project
from autoflow.server.db.engine import CallerStore, Store
from autoflow.server.db.schema import datasets as dataset_table
from autoflow.server.db.schema import items as table
from autoflow.server.maintenance import purge
from autoflow.server.operations import Batch, Operation, OperationContext
from autoflow.server.paging import CHUNK, chunks
from autoflow.server.request_parser import RequestParser

SECONDS = 15 * 60.0  # that the source may be read for
GAP = 0.002  # seconds between two transactions: other writers poll for the write lock
SWEPT = 1000  # rows of abandoned projects that are removed before a new one is begun
_PROJECT = ("description", "readme", "type", "settings", "import_settings")
_ITEM = ("name", "hash", "link", "mime", "size", "width", "height", "meta", "description")


def clone(context: OperationContext, request: RequestParser) -> JsonObject:
    """``projects.clone`` of a project (``id``) into a workspace, under a name; ``include`` selects parts.

    Raises:
        ServerRefused: 404, the project or the workspace is unknown; 409, the name is taken there.
    """
    include = RequestParser(request.mapping("include"), "include.")
    parts = {
        name: include.flag(name, default=True)
        for name in ("classes", "datasets", "images", "imagesTags", "annotationObjects")
    }
    number, workspace_id, name = request.number("id"), request.number("workspaceId"), request.text("name")
    with _reading(context.store) as source_conn:
        source = projects.get(source_conn, number)
        with context.store.write() as conn:
            purge.release_expired(conn, SWEPT)
            values = {column: source[column] for column in _PROJECT}
            project_id = projects.add(conn, workspace_id, name, **values, state=hidden_projects.STATE)
            hidden_projects.renew(conn, project_id)
        try:
            _Copy(context.store, source_conn, source["id"], project_id).run(parts)
            with context.store.write() as conn:
                hidden_projects.publish(conn, project_id, custom_data=source["custom_data"])
                return {"taskId": _add_finished_task(conn, projects.get(conn, project_id)), "projectId": project_id}
        except BaseException:
            with context.store.write() as conn:
                hidden_projects.abandon(conn, project_id)
            raise


def _reading(store: Store | CallerStore) -> Any:
    return store.read(seconds=SECONDS) if isinstance(store, CallerStore) else store.read()


class _Copy:
    """Copies the contents of a project.

    Args:
        store: the store that the clone is written to.
        source_conn: the transaction that the source is read in.
        source: the source's id.
        made: the clone's id; it is hidden.
    """

    def __init__(self, store: Store | CallerStore, source_conn: Connection, source: int, made: int) -> None:
        self._store = store
        self._source_conn = source_conn
        self._source = source
        self._made = made

    def run(self, parts: Mapping[str, bool]) -> None:
        """Copy the selected parts."""
        if parts["classes"]:
            meta = projects.meta(self._source_conn, self._source)
            self._write(lambda edit: projects.set_meta(edit, meta))
        copies = self._datasets() if parts["datasets"] else {}
        if parts["images"] and copies:
            self._items(copies, tagged=parts["imagesTags"], drawn=parts["annotationObjects"])

    def _write(self, change: Callable[[ProjectEdit], Any]) -> Any:
        """Change the clone in a transaction of its own."""
        with self._store.write(scope=[scopes.project(self._made)]) as conn:
            with edit_hidden_project(conn, self._made) as edit:
                result = change(edit)
            hidden_projects.renew(conn, self._made)
        time.sleep(GAP)
        return result

    def _datasets(self) -> dict[int, int]:
        """Copy the datasets, level by level; return the copies' ids by those of the originals."""
        copies: dict[int, int] = {}
        query = select(dataset_table).where(dataset_table.c.project_id == self._source).order_by(dataset_table.c.id)
        remaining = list(self._source_conn.execute(query).mappings())
        while remaining:
            level = [row for row in remaining if row["parent_id"] is None or row["parent_id"] in copies]
            for part in chunks(level):
                numbers = self._write(functools.partial(_add_datasets, part=part, copies=copies))
                copies.update(zip((row["id"] for row in part), numbers, strict=True))
            remaining = [row for row in remaining if row["id"] not in copies]
        return copies

    def _items(self, copies: Mapping[int, int], *, tagged: bool, drawn: bool) -> None:
        names = (*_ITEM, "annotation", "labels") if drawn else _ITEM

        def add(edit: ProjectEdit, part: Sequence[RowMapping]) -> None:
            new: dict[int, list[dict[str, Any]]] = {}
            for row, tags in zip(part, _tags(edit.conn, part) if tagged else ["[]"] * len(part), strict=True):
                values = {name: row[name] for name in names}
                new.setdefault(copies[row["dataset_id"]], []).append({**values, "tags": tags})
            for dataset_id, several in new.items():
                items.add_many(edit, dataset_id, several)

        for part in self._parts():
            self._write(functools.partial(add, part=part))

    def _parts(self) -> Iterator[Sequence[RowMapping]]:
        query = select(table).where(table.c.project_id == self._source).order_by(table.c.id).limit(CHUNK)
        last = 0
        while part := self._source_conn.execute(query.where(table.c.id > last)).mappings().all():
            yield part
            last = part[-1]["id"]


def _add_datasets(edit: ProjectEdit, part: Sequence[RowMapping], copies: Mapping[int, int]) -> list[int]:
    now = timestamps.now()
    stamps = {"created_by": caller(edit.conn).user, "created_at": now, "updated_at": now}
    return edit.insert_many(
        dataset_table,
        [
            {
                "project_id": edit.project["id"],
                "parent_id": None if row["parent_id"] is None else copies[row["parent_id"]],
                **{name: row[name] for name in ("name", "description", "custom_data")},
                **stamps,
            }
            for row in part
        ],
    )


def _tags(conn: Connection, part: Sequence[RowMapping]) -> list[str]:
    """Return the tags of some images as JSON, with new numbers."""
    lists = [json_codec.load(row["tags"]) for row in part]
    numbers = counters.reserve(conn, counters.TAG, sum(map(len, lists)))
    return [json_codec.dump([{**tag, "id": next(numbers)} for tag in tags]) for tags in lists]


def _add_finished_task(conn: Connection, project: Mapping[str, Any] | RowMapping) -> int:
    """Add a finished task whose output is the clone; return its number."""
    task_id, now = tasks.add(conn, team=project["team_id"], workspace=project["workspace_id"]), timestamps.now()
    tasks.set_name(conn, task_id, "Clone project")
    tasks.add_facts(conn, task_id, {"output": {"project": {"id": project["id"], "title": project["name"]}}}, now)
    tasks.finish(conn, task_id, "finished", None, now)
    return task_id


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = {}
BATCHES: Mapping[str, Batch] = {"projects.clone": clone}
