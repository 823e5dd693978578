"""Changes of a project's versioned rows, and the columns derived from them: epoch, sequence number, digest, counts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update

from autoflow.server import timestamps
from autoflow.server.db import erased_contents, scopes
from autoflow.server.db.access import check_own, get_row, visible
from autoflow.server.db.content_ids import with_content_ids
from autoflow.server.db.item_content import ContentRow, OriginalIds, format_digest, original_id, sum_row_hashes
from autoflow.server.db.schema import datasets, items, project_meta, projects
from autoflow.server.paging import chunks

_KEY = {datasets: "id", items: "id", project_meta: "project_id"}
# The database's default values, which a digest needs, too.
_DEFAULTS = {"custom_data": "{}", "meta": "{}", "tags": "[]", "labels": 0, "description": "", "name": ""}


class ProjectEdit:
    """The changes of one project in one transaction."""

    def __init__(self, conn: Connection, project: Mapping[str, Any]) -> None:
        self.conn = conn
        self.project = project
        self._originals: dict[int, int] = {}
        self._sum = self._items = self._size = 0
        self._changed = False

    def insert(self, table: Table, values: Mapping[str, Any]) -> int:
        """Insert a row; return its key."""
        return self.insert_many(table, [values])[0]

    def insert_many(self, table: Table, values: Sequence[Mapping[str, Any]]) -> list[int]:
        """Insert rows; return their keys in order."""
        if table is items:
            self._check_not_erased(values)
            values = with_content_ids(self.conn, values)
        names = sorted({name for row in values for name in row})
        new = [{name: row.get(name, _DEFAULTS.get(name)) for name in names} for row in values]
        key = table.c[_KEY[table]]
        statement = insert(table).values(valid_from=self.project["epoch"]).returning(key, sort_by_parameter_order=True)
        keys = list(self.conn.execute(statement, new).scalars()) if new else []
        rows = [
            {**dict.fromkeys(table.c.keys()), **_DEFAULTS, **row, key.name: row_key}
            for row, row_key in zip(new, keys, strict=True)
        ]
        self._count(table, 1, rows)
        return keys

    def update(self, table: Table, row: ContentRow, values: Mapping[str, Any]) -> None:
        """Update a row, given as currently stored, if any of the values differ."""
        self.update_many(table, [(row, values)])

    def update_many(self, table: Table, changes: Iterable[tuple[ContentRow, Mapping[str, Any]]]) -> None:
        """Update the differing values of rows, given as currently stored, each at most once."""
        key = _KEY[table]
        statements: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        rows, new_values = zip(*changes, strict=True) if (changes := list(changes)) else ((), ())
        if table is items:
            self._check_not_erased(new_values)
            new_values = tuple(with_content_ids(self.conn, new_values))
        for row, values in zip(rows, new_values, strict=True):
            changed = {name: value for name, value in values.items() if row[name] != value}
            if not changed:
                continue
            self._count(table, -1, [row])
            self._count(table, 1, [{**row, **changed}])
            # names that differ from the columns', which SQLAlchemy would take for values
            statements.setdefault(tuple(changed), []).append(
                {"row_key": row[key], **{f"new_{name}": value for name, value in changed.items()}}
            )
        for names, parameters in statements.items():
            values = {name: bindparam(f"new_{name}") for name in names}
            statement = update(table).where(table.c[key] == bindparam("row_key"))
            self.conn.execute(statement.values(**values, valid_from=self.project["epoch"]), parameters)

    def delete(self, table: Table, row: ContentRow) -> None:
        """Delete a row, given as currently stored."""
        self.delete_many(table, [row])

    def delete_many(self, table: Table, rows: Sequence[ContentRow]) -> None:
        """Delete rows, given as currently stored."""
        key = _KEY[table]
        self._count(table, -1, rows)
        for part in chunks(rows):
            self.conn.execute(delete(table).where(table.c[key].in_([row[key] for row in part])))

    def _check_not_erased(self, values: Sequence[Mapping[str, Any]]) -> None:
        hashes = {row["hash"] for row in values if row.get("hash") is not None}
        erased_contents.check_of_workspace(self.conn, self.project["workspace_id"], hashes)

    def close(self) -> None:
        """Update the project's digest, counts and timestamp, if anything changed."""
        if not self._changed:
            return
        self.conn.execute(
            update(projects)
            .where(projects.c.id == self.project["id"])
            .values(
                digest=format_digest(int(self.project["digest"], 16) + self._sum),
                change_seq=projects.c.change_seq + 1,
                items_count=projects.c.items_count + self._items,
                size=projects.c.size + self._size,
                updated_at=timestamps.now(),
            )
        )

    def _count(self, table: Table, sign: int, rows: Sequence[ContentRow]) -> None:
        """Add rows to the digest and the counts (sign 1), or subtract them (sign -1)."""
        if not rows:
            return
        self._changed = True
        self._sum += sign * sum_row_hashes(table, rows, self._original_ids(table, rows))
        if table is items:
            self._items += sign * len(rows)
            self._size += sign * sum(row["size"] or 0 for row in rows)

    def _original_ids(self, table: Table, rows: Sequence[ContentRow]) -> OriginalIds:
        """Return the original ids of the datasets that rows refer to, loading each once."""
        if table is datasets:
            self._originals.update((row["id"], original_id(row)) for row in rows)
        if table is not project_meta:
            column = "parent_id" if table is datasets else "dataset_id"
            missing = {row[column] for row in rows} - self._originals.keys() - {None}
            if missing:
                self._originals.update(original_ids_of(self.conn, datasets, sorted(missing)))
        return self._originals


def original_ids_of(conn: Connection, table: Table, numbers: Sequence[int]) -> dict[int, int]:
    """Return the original ids of datasets in a table or its history, by id."""
    originals: dict[int, int] = {}
    for part in chunks(numbers):
        query = select(table.c.id, table.c.original_id).where(table.c.id.in_(part))
        originals.update((row["id"], original_id(row)) for row in conn.execute(query).mappings())
    return originals


@contextlib.contextmanager
def edit_hidden_project(conn: Connection, project_id: int) -> Iterator[ProjectEdit]:
    """Edit a project that is hidden until it is complete (`db.hidden_projects`); see `edit_project`.

    Raises:
        NotFound: there is no project of that id that is still hidden.
    """
    edit = ProjectEdit(conn, _locked(conn, project_id, "restoring"))
    yield edit
    edit.close()


@contextlib.contextmanager
def edit_project(conn: Connection, project_id: int) -> Iterator[ProjectEdit]:
    """Edit a project's rows in a write transaction; the project's row is locked until it ends.

    Raises:
        NotFound: the project is unknown or not active.
        Forbidden: the caller's token is for a reproduction that has not created the project.
    """
    project = lock_project(conn, project_id)
    edit = ProjectEdit(conn, project)
    yield edit
    edit.close()


def lock_project(conn: Connection, project_id: int) -> Mapping[str, Any]:
    """Return an active project's row, locked against other writers until the transaction ends.

    Raises:
        Busy: the transaction does not hold the lock of the project's scope.
    """
    return _locked(conn, project_id, "active")


def _locked(conn: Connection, project_id: int, state: str) -> Mapping[str, Any]:
    query = select(projects).where(projects.c.id == project_id, projects.c.state == state, visible(conn, projects))
    project = get_row(conn, query.with_for_update(key_share=True), "project", project_id)
    scopes.require(conn, scopes.project(project_id))
    check_own(conn, projects, "project", project_id)
    return dict(project)
