"""Changes of a project's versioned rows, and what every such change keeps right: epoch, sequence, digest, counts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update

from autoflow.server import timestamps
from autoflow.server.db.access import check_own, visible
from autoflow.server.db.content_ids import with_content_ids
from autoflow.server.db.item_content import ContentRow, OriginalIds, format_digest, original_id, sum_row_hashes
from autoflow.server.db.schema import datasets, items, project_meta, projects
from autoflow.server.errors import NotFound
from autoflow.server.paging import chunks

_KEY = {datasets: "id", items: "id", project_meta: "project_id"}
# What the database gives a new row that was left out.
_DEFAULTS = {"custom_data": "{}", "meta": "{}", "tags": "[]", "labels": 0, "description": "", "name": ""}


class ProjectEdit:
    """The changes one transaction makes to one project."""

    def __init__(self, conn: Connection, project: Mapping[str, Any]) -> None:
        self.conn = conn
        self.project = project
        self._originals: dict[int, int] = {}
        self._sum = self._items = self._size = 0
        self._changed = False

    def insert(self, table: Table, values: Mapping[str, Any]) -> int:
        """Add a row; gives its key."""
        return self.insert_many(table, [values])[0]

    def insert_many(self, table: Table, values: Sequence[Mapping[str, Any]]) -> list[int]:
        """Add rows; gives their keys, in order."""
        given = with_content_ids(self.conn, values) if table is items else values
        names = sorted({name for one in given for name in one})
        new = [{name: one.get(name, _DEFAULTS.get(name)) for name in names} for one in given]
        key = table.c[_KEY[table]]
        statement = insert(table).values(valid_from=self.project["epoch"]).returning(key, sort_by_parameter_order=True)
        keys = list(self.conn.execute(statement, new).scalars()) if new else []
        whole = [
            {**dict.fromkeys(table.c.keys()), **_DEFAULTS, **one, key.name: number}
            for one, number in zip(new, keys, strict=True)
        ]
        self._count(table, 1, whole)
        return keys

    def update(self, table: Table, row: ContentRow, values: Mapping[str, Any]) -> None:
        """Change a row given as it is stored now; values that are the same leave all as it was."""
        self.update_many(table, [(row, values)])

    def update_many(self, table: Table, changes: Iterable[tuple[ContentRow, Mapping[str, Any]]]) -> None:
        """Change rows given as they are stored now, none twice; of each the values that are not the same."""
        key = _KEY[table]
        statements: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        found, wanted = zip(*changes, strict=True) if (changes := list(changes)) else ((), ())
        for row, values in zip(found, with_content_ids(self.conn, wanted) if table is items else wanted, strict=True):
            changed = {name: value for name, value in values.items() if row[name] != value}
            if not changed:
                continue
            self._count(table, -1, [row])
            self._count(table, 1, [{**row, **changed}])
            # names of a statement's own: a column's would be taken for a value
            statements.setdefault(tuple(changed), []).append(
                {"the_row": row[key], **{f"new_{name}": value for name, value in changed.items()}}
            )
        for names, parameters in statements.items():
            values = {name: bindparam(f"new_{name}") for name in names}
            statement = update(table).where(table.c[key] == bindparam("the_row"))
            self.conn.execute(statement.values(**values, valid_from=self.project["epoch"]), parameters)

    def delete(self, table: Table, row: ContentRow) -> None:
        """Take a row away, given as it is stored now."""
        self.delete_many(table, [row])

    def delete_many(self, table: Table, gone: Sequence[ContentRow]) -> None:
        """Take rows away, given as they are stored now."""
        key = _KEY[table]
        self._count(table, -1, gone)
        for part in chunks(gone):
            self.conn.execute(delete(table).where(table.c[key].in_([row[key] for row in part])))

    def close(self) -> None:
        """Write down what changed: the sequence, the digest and the time."""
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

    def _count(self, table: Table, sign: int, these: Sequence[ContentRow]) -> None:
        """Count rows into the digest, or out of it."""
        if not these:
            return
        self._changed = True
        self._sum += sign * sum_row_hashes(table, these, self._known(table, these))
        if table is items:
            self._items += sign * len(these)
            self._size += sign * sum(row["size"] or 0 for row in these)

    def _known(self, table: Table, these: Sequence[ContentRow]) -> OriginalIds:
        """What the datasets that rows name are told by; asked of the store once."""
        if table is datasets:
            self._originals.update((row["id"], original_id(row)) for row in these)
        if table is not project_meta:
            place = "parent_id" if table is datasets else "dataset_id"
            missing = {row[place] for row in these} - self._originals.keys() - {None}
            if missing:
                self._originals.update(original_ids_of(self.conn, datasets, sorted(missing)))
        return self._originals


def original_ids_of(conn: Connection, table: Table, numbers: Sequence[int]) -> dict[int, int]:
    """What datasets are told by, as `table` has them (or its history)."""
    found: dict[int, int] = {}
    for part in chunks(numbers):
        query = select(table.c.id, table.c.original_id).where(table.c.id.in_(part))
        found.update((row["id"], original_id(row)) for row in conn.execute(query).mappings())
    return found


@contextlib.contextmanager
def edit_hidden_project(conn: Connection, project_id: int) -> Iterator[ProjectEdit]:
    """As `edit_project`, for a project that is hidden until it is complete (`store.hidden`).

    Raises:
        ServerRefused: the project is not being made, or no longer.
    """
    edit = ProjectEdit(conn, _locked(conn, project_id, "restoring"))
    yield edit
    edit.close()


@contextlib.contextmanager
def edit_project(conn: Connection, project_id: int) -> Iterator[ProjectEdit]:
    """Change a project's rows inside a write transaction; the project's row is locked until it ends.

    Raises:
        ServerRefused: the project is unknown, or not one that can be changed.
    """
    project = lock_project(conn, project_id)
    edit = ProjectEdit(conn, project)
    yield edit
    edit.close()


def lock_project(conn: Connection, project_id: int) -> Mapping[str, Any]:
    """An active project's row, locked against other writers until the transaction ends."""
    return _locked(conn, project_id, "active")


def _locked(conn: Connection, project_id: int, state: str) -> Mapping[str, Any]:
    query = select(projects).where(projects.c.id == project_id, projects.c.state == state, visible(conn, projects))
    found = conn.execute(query.with_for_update()).mappings().one_or_none()
    if found is None:
        raise NotFound("project", project_id)
    check_own(conn, projects, "project", project_id)
    return dict(found)


def compute_digest(conn: Connection, project_id: int) -> str:
    """The digest computed afresh from all rows, to check the running one against."""
    own = select(datasets.c.id, datasets.c.original_id).where(datasets.c.project_id == project_id)
    originals = {row["id"]: original_id(row) for row in conn.execute(own).mappings()}
    total = 0
    for table in _KEY:
        found = conn.execute(select(table).where(table.c.project_id == project_id)).mappings()
        total += sum_row_hashes(table, found, originals)
    return format_digest(total)
