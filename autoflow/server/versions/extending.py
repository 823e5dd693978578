"""Applies the changes that a transfer brought to the project that it continues, in one transaction.

A transfer that continues a project has the datasets of the new version in its hidden project, and of the items those
that changed: new and changed ones as they are, removed ones as rows of a media type of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select

from autoflow.server.db import datasets as dataset_rows
from autoflow.server.db import items as item_rows
from autoflow.server.db import projects
from autoflow.server.db.access import caller, visible
from autoflow.server.db.change_tracking import ProjectEdit, edit_project
from autoflow.server.db.item_content import original_id
from autoflow.server.db.schema import datasets, items, project_meta, versions
from autoflow.server.db.schema import projects as project_table
from autoflow.server.errors import Conflict
from autoflow.server.paging import CHUNK
from autoflow.server.versions.versions import COMMITTED
from autoflow.wire.contract.transfers import TransferPutRequest

_REMOVED = "application/x-autoflow-removed"  # media type of the rows that name removed items
_DATASET = ("name", "description", "custom_data")
_ITEM = tuple(
    column.name
    for column in items.c
    if column.name not in {"id", "project_id", "dataset_id", "created_by", "valid_from"}
)


def find_unchanged(conn: Connection, version_ids: Sequence[int]) -> int | None:
    """Return the first of some versions that is the present state of its project and its last version."""
    later = versions.alias("later")
    is_last = (
        ~select(later.c.id)
        .where(
            later.c.project_id == versions.c.project_id, later.c.epoch > versions.c.epoch, later.c.status != "deleted"
        )
        .exists()
    )
    query = select(versions.c.id).join(project_table, project_table.c.id == versions.c.project_id)
    query = query.where(
        COMMITTED, is_last, projects.ACTIVE, versions.c.digest == project_table.c.digest, visible(conn, versions)
    )
    for version_id in version_ids:
        if conn.execute(query.where(versions.c.id == version_id)).first() is not None:
            return version_id
    return None


def stage_removed(edit: ProjectEdit, request: TransferPutRequest, dataset_ids: Mapping[int, int]) -> None:
    """Add rows for the removed items of a request, and delete those for items that it adds."""
    added: dict[int, list[str]] = {}
    for entry in request.items:
        added.setdefault(dataset_ids.get(entry.dataset, 0), []).append(entry.name)
    for dataset_id, names in added.items():
        edit.delete_many(items, _by_name(edit.conn, dataset_id, names))
    removed: dict[int, list[str]] = {}
    for gone in request.removed:  # those of a dataset that is gone are removed with it
        if gone.dataset in dataset_ids:
            removed.setdefault(dataset_ids[gone.dataset], []).append(gone.name)
    for dataset_id, names in removed.items():
        present = item_rows.ids_by_name(edit.conn, dataset_id, names)
        new = [name for name in dict.fromkeys(names) if name not in present and name not in added.get(dataset_id, ())]
        item_rows.add_many(edit, dataset_id, [{"name": name, "mime": _REMOVED} for name in new])


def _by_name(conn: Connection, dataset_id: int, names: Sequence[str]) -> list[RowMapping]:
    ids = list(item_rows.ids_by_name(conn, dataset_id, names).values())
    rows: list[RowMapping] = []
    for start in range(0, len(ids), CHUNK):
        rows += conn.execute(select(items).where(items.c.id.in_(ids[start : start + CHUNK]))).mappings()
    return rows


def apply(conn: Connection, staged: RowMapping, version_id: int) -> RowMapping:
    """Apply the changes in a hidden project to the project of a version; return that project's row.

    Raises:
        Conflict: that project has changed since the version.
    """
    query = select(versions.c.project_id).where(versions.c.id == version_id)
    project_id = int(conn.execute(query).scalar_one())
    with edit_project(conn, project_id) as edit:
        if find_unchanged(conn, [version_id]) is None:
            raise Conflict(f"project {project_id} was changed meanwhile: copy the version again, as a new project")
        copies = _Copies(edit, staged["id"])
        copies.remove_items()
        copies.change_datasets()
        copies.put_items()
        copies.set_meta()
    return conn.execute(select(project_table).where(project_table.c.id == project_id)).mappings().one()


class _Copies:
    """The rows of a hidden project on their way into another one.

    Args:
        edit: the changes of the other project.
        staged: the hidden project's id.
    """

    def __init__(self, edit: ProjectEdit, staged: int) -> None:
        self._edit = edit
        self._conn = edit.conn
        self._staged = staged
        self._new = self._datasets(staged)
        self._own = self._datasets(edit.project["id"])
        # the ids of the other project's datasets, by those of the hidden one
        self._ids: dict[int, int] = {
            row["id"]: self._own[original]["id"] for original, row in self._new.items() if original in self._own
        }

    def _datasets(self, project_id: int) -> dict[int, RowMapping]:
        """Return the datasets of a project by their original ids, parents first."""
        query = select(datasets).where(datasets.c.project_id == project_id)
        by_id = {row["id"]: row for row in self._conn.execute(query).mappings()}
        ordered = dataset_rows.in_tree_order(self._conn, project_id)
        return {original_id(by_id[number]): by_id[number] for number in ordered}

    def _pages(self, query: Select[Any]) -> Any:
        last = 0
        query = query.where(items.c.project_id == self._staged).order_by(items.c.id).limit(CHUNK)
        while page := self._conn.execute(query.where(items.c.id > last)).mappings().all():
            yield page
            last = page[-1]["id"]

    def remove_items(self) -> None:
        """Remove items that the version does not have, and datasets with theirs."""
        for page in self._pages(select(items).where(items.c.mime == _REMOVED)):
            names: dict[int, list[str]] = {}
            for row in page:
                if row["dataset_id"] in self._ids:
                    names.setdefault(self._ids[row["dataset_id"]], []).append(row["name"])
            for dataset_id, several in names.items():
                self._edit.delete_many(items, _by_name(self._conn, dataset_id, several))
        dataset_rows.remove(self._edit, [row["id"] for original, row in self._own.items() if original not in self._new])

    def change_datasets(self) -> None:
        """Add and change datasets, parents first."""
        for original, row in self._new.items():
            parent = None if row["parent_id"] is None else self._ids[row["parent_id"]]
            values = {**{name: row[name] for name in _DATASET}, "parent_id": parent}
            times = {name: row[name] for name in ("created_at", "updated_at")}
            if original in self._own:
                if any(self._own[original][name] != value for name, value in values.items()):
                    self._edit.update(datasets, self._own[original], {**values, **times})
                continue
            added = {"project_id": self._edit.project["id"], "original_id": original, "created_by": row["created_by"]}
            self._ids[row["id"]] = self._edit.insert(datasets, {**values, **times, **added})

    def put_items(self) -> None:
        """Add and change items."""
        for page in self._pages(select(items).where(items.c.mime.is_distinct_from(_REMOVED))):
            by_dataset: dict[int, list[RowMapping]] = {}
            for row in page:
                by_dataset.setdefault(self._ids[row["dataset_id"]], []).append(row)
            for dataset_id, several in by_dataset.items():
                present = {
                    row["name"]: row for row in _by_name(self._conn, dataset_id, [row["name"] for row in several])
                }
                changed = [(present[row["name"]], self._values(row)) for row in several if row["name"] in present]
                self._edit.update_many(items, changed)
                added = {"project_id": self._edit.project["id"], "dataset_id": dataset_id}
                new = [row for row in several if row["name"] not in present]
                author = {"created_by": caller(self._conn).user}
                self._edit.insert_many(items, [{**self._values(row), **added, **author} for row in new])

    @staticmethod
    def _values(row: RowMapping) -> dict[str, Any]:
        return {name: row[name] for name in _ITEM}

    def set_meta(self) -> None:
        """Replace classes and tags by those of the version."""
        query = select(project_meta).where(project_meta.c.project_id.in_((self._staged, self._edit.project["id"])))
        rows = {row["project_id"]: row for row in self._conn.execute(query).mappings()}
        new, own = rows.get(self._staged), rows.get(self._edit.project["id"])
        if new is None:
            if own is not None:
                self._edit.delete(project_meta, own)
        elif own is None:
            self._edit.insert(project_meta, {"project_id": self._edit.project["id"], "document": new["document"]})
        else:
            self._edit.update(project_meta, own, {"document": new["document"]})
