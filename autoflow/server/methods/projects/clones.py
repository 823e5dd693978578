"""``projects.clone``: a project of its own with what another has, as much of it as is asked for.

Classes and tags keep their numbers, as annotations name them by these; bytes are not copied. The source is read in one
transaction, so that the clone is one state of it; the clone is written in many short ones, and hidden until it is
complete (`store.hidden`). It is there when the request is answered, and the task that the wire's clients wait for is
over by then.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from autoflow.server import timestamps
from autoflow.server.db import counters, hidden_projects, items, json_codec, projects, tasks
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
GAP = 0.002  # seconds between two transactions: who waits for the write lock only looks now and then
SWEPT = 1000  # rows of projects that were given up, removed before a new one
_PROJECT = ("description", "readme", "type", "settings", "import_settings")
_ITEM = ("name", "hash", "link", "mime", "size", "width", "height", "meta", "description")


def clone(context: OperationContext, request: RequestParser) -> dict[str, Any]:
    """``projects.clone`` of a project (``id``) into a workspace, under a name; ``include`` says what of it, or all.

    Raises:
        ServerRefused: 404, the project or the workspace is unknown; 409, the name is taken there.
    """
    include = RequestParser(request.mapping("include"), "include.")
    wanted = {
        name: include.flag(name, default=True)
        for name in ("classes", "datasets", "images", "imagesTags", "annotationObjects")
    }
    number, workspace_id, name = request.number("id"), request.number("workspaceId"), request.text("name")
    with _reading(context.store) as source_conn:
        source = projects.get(source_conn, number)
        with context.store.write() as conn:
            purge.release_expired(conn, SWEPT)
            values = {column: source[column] for column in _PROJECT}
            made = projects.add(conn, workspace_id, name, **values, state=hidden_projects.STATE)
            hidden_projects.renew(conn, made)
        try:
            _Copy(context.store, source_conn, source["id"], made).run(wanted)
            with context.store.write() as conn:
                hidden_projects.publish(conn, made, custom_data=source["custom_data"])
                return {"taskId": _done(conn, projects.get(conn, made)), "projectId": made}
        except BaseException:
            with context.store.write() as conn:
                hidden_projects.abandon(conn, made)
            raise


def _reading(store: Store | CallerStore) -> Any:
    return store.read(seconds=SECONDS) if isinstance(store, CallerStore) else store.read()


class _Copy:
    """One project being copied.

    Args:
        store: what it is written to.
        source_conn: the transaction it is read in.
        source: the project's number.
        made: the clone's, hidden still.
    """

    def __init__(self, store: Store | CallerStore, source_conn: Connection, source: int, made: int) -> None:
        self._store = store
        self._source_conn = source_conn
        self._source = source
        self._made = made

    def run(self, wanted: Mapping[str, bool]) -> None:
        """Copy what is wanted."""
        if wanted["classes"]:
            meta = projects.meta(self._source_conn, self._source)
            self._write(lambda edit: projects.set_meta(edit, meta))
        places = self._datasets() if wanted["datasets"] else {}
        if wanted["images"] and places:
            self._items(places, tagged=wanted["imagesTags"], drawn=wanted["annotationObjects"])

    def _write(self, change: Callable[[ProjectEdit], Any]) -> Any:
        """Change the clone in a transaction of its own."""
        with self._store.write() as conn:
            with edit_hidden_project(conn, self._made) as edit:
                result = change(edit)
            hidden_projects.renew(conn, self._made)
        time.sleep(GAP)
        return result

    def _datasets(self) -> dict[int, int]:
        """Copy the datasets, level by level; gives the new ones' numbers by those they are copies of."""
        places: dict[int, int] = {}
        query = select(dataset_table).where(dataset_table.c.project_id == self._source).order_by(dataset_table.c.id)
        left = list(self._source_conn.execute(query).mappings())
        while left:
            level = [row for row in left if row["parent_id"] is None or row["parent_id"] in places]
            for part in chunks(level):
                numbers = self._write(functools.partial(_add_datasets, part=part, places=places))
                places.update(zip((row["id"] for row in part), numbers, strict=True))
            left = [row for row in left if row["id"] not in places]
        return places

    def _items(self, places: Mapping[int, int], *, tagged: bool, drawn: bool) -> None:
        names = (*_ITEM, "annotation", "labels") if drawn else _ITEM

        def add(edit: ProjectEdit, part: Sequence[RowMapping]) -> None:
            new: dict[int, list[dict[str, Any]]] = {}
            for row, tags in zip(part, _tags(edit.conn, part) if tagged else ["[]"] * len(part), strict=True):
                values = {name: row[name] for name in names}
                new.setdefault(places[row["dataset_id"]], []).append({**values, "tags": tags})
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


def _add_datasets(edit: ProjectEdit, part: Sequence[RowMapping], places: Mapping[int, int]) -> list[int]:
    moment = timestamps.now()
    stamps = {"created_by": caller(edit.conn).user, "created_at": moment, "updated_at": moment}
    return edit.insert_many(
        dataset_table,
        [
            {
                "project_id": edit.project["id"],
                "parent_id": None if row["parent_id"] is None else places[row["parent_id"]],
                **{name: row[name] for name in ("name", "description", "custom_data")},
                **stamps,
            }
            for row in part
        ],
    )


def _tags(conn: Connection, part: Sequence[RowMapping]) -> list[str]:
    """The tags of some images, each with a number of its own."""
    lists = [json_codec.load(row["tags"]) for row in part]
    numbers = counters.reserve(conn, counters.TAG, sum(map(len, lists)))
    return [json_codec.dump([{**tag, "id": next(numbers)} for tag in tags]) for tags in lists]


def _done(conn: Connection, project: Mapping[str, Any] | RowMapping) -> int:
    """A task that says so."""
    task_id = tasks.add(conn, team=project["team_id"], workspace=project["workspace_id"])
    tasks.set_name(conn, task_id, "Clone project")
    tasks.finish(conn, task_id, "finished", None, timestamps.now())
    return task_id


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = {}
BATCHES: Mapping[str, Batch] = {"projects.clone": clone}
