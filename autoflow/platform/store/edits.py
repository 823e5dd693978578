"""Changes of a project's versioned rows, and what every such change keeps right: epoch, sequence, digest.

The digest is the sum, modulo 2**256, of sha256 over the content of the rows: adding, changing and taking back a row
costs the same however large the project is, and equal content gives an equal digest whatever happened between.
It tells equal from changed; it is no signature.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, delete, insert, select, update

from autoflow.platform import times
from autoflow.platform.refusals import unknown
from autoflow.platform.store.access import visible
from autoflow.platform.store.schema import datasets, items, project_meta, projects

_MODULUS = 2**256

Row = Mapping[str, Any] | RowMapping

# What counts as content: ids, times and who it was do not.
_CONTENT: dict[Table, Callable[[Row], list[Any]]] = {
    datasets: lambda row: [row["id"], row["parent_id"], row["name"], row["description"], row["custom_data"]],
    items: lambda row: [
        row["dataset_id"],
        row["name"],
        row["hash"],
        row["link"],
        row["meta"],
        sorted([tag["tagId"], json.dumps(tag["value"])] for tag in json.loads(row["tags"])),
        row["annotation"],
        row["description"],
    ],
    project_meta: lambda row: [row["document"]],
}
_KEY = {datasets: "id", items: "id", project_meta: "project_id"}


def _hash(table: Table, row: Row) -> int:
    content = json.dumps([table.name, *_CONTENT[table](row)], separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(content.encode()).digest(), "big")


class Edit:
    """The changes one transaction makes to one project."""

    def __init__(self, rows: Connection, project: Mapping[str, Any]) -> None:
        self.rows = rows
        self.project = project
        self._sum = self._items = self._size = 0
        self._changed = False

    def insert(self, table: Table, values: Mapping[str, Any]) -> int:
        """Add a row; gives its key."""
        row = {**values, "f": self.project["epoch"]}
        made = self.rows.execute(insert(table).values(**row)).inserted_primary_key
        key = int(made[0]) if made is not None else 0
        self._count(_hash(table, self._whole(table, {**row, _KEY[table]: key})))
        self._weigh(table, 1, row)
        return key

    def update(self, table: Table, row: Row, values: Mapping[str, Any]) -> None:
        """Change a row given as it is stored now; values that are the same leave all as it was."""
        if all(row[name] == value for name, value in values.items()):
            return
        key = _KEY[table]
        self.rows.execute(update(table).where(table.c[key] == row[key]).values(**values, f=self.project["epoch"]))
        self._count(_hash(table, {**row, **values}) - _hash(table, row))

    def delete(self, table: Table, row: Row) -> None:
        """Take a row away, given as it is stored now."""
        self.rows.execute(delete(table).where(table.c[_KEY[table]] == row[_KEY[table]]))
        self._count(-_hash(table, row))
        self._weigh(table, -1, row)

    def close(self) -> None:
        """Write down what changed: the sequence, the digest and the time."""
        if not self._changed:
            return
        digest = (int(self.project["digest"], 16) + self._sum) % _MODULUS
        self.rows.execute(
            update(projects)
            .where(projects.c.id == self.project["id"])
            .values(
                digest=f"{digest:x}",
                change_seq=projects.c.change_seq + 1,
                items_count=projects.c.items_count + self._items,
                size=projects.c.size + self._size,
                updated_at=times.now(),
            )
        )

    def _count(self, by: int) -> None:
        self._sum += by
        self._changed = True

    def _weigh(self, table: Table, sign: int, row: Row) -> None:
        if table is items:
            self._items += sign
            self._size += sign * (row.get("size") or 0)

    def _whole(self, table: Table, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """A new row with the defaults the database gives what was left out."""
        return {column.name: row.get(column.name, _default(column.name)) for column in table.c}


_DEFAULTS = {"custom_data": "{}", "meta": "{}", "tags": "[]", "description": "", "name": ""}


def _default(column: str) -> Any:
    return _DEFAULTS.get(column)


@contextlib.contextmanager
def editing(rows: Connection, project_id: int) -> Iterator[Edit]:
    """Change a project's rows inside a write transaction; the project's row is locked until it ends.

    Raises:
        ServerRefused: the project is unknown, or not one that can be changed.
    """
    project = locked(rows, project_id)
    edit = Edit(rows, project)
    yield edit
    edit.close()


def locked(rows: Connection, project_id: int) -> Mapping[str, Any]:
    """An active project's row, locked against other writers until the transaction ends."""
    query = select(projects).where(projects.c.id == project_id, projects.c.state == "active", visible(rows, projects))
    found = rows.execute(query.with_for_update()).mappings().one_or_none()
    if found is None:
        raise unknown("project", project_id)
    return dict(found)


def digest_of(rows: Connection, project_id: int) -> str:
    """The digest computed afresh from all rows, to check the running one against."""
    total = 0
    for table in _CONTENT:
        query = select(table).where(table.c.project_id == project_id)
        for row in rows.execute(query).mappings():
            total += _hash(table, row)
    return f"{total % _MODULUS:x}"
