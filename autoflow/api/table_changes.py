"""Changed columns and numbers of rows of the tables among the changed items of a comparison."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from autoflow.errors import ServerRefused
from autoflow.transport.base import Transport
from autoflow.transport.typed import call
from autoflow.wire.contract.tables import ITEM_TABLE, ItemTable, ItemTableRequest
from autoflow.wire.contract.versions import VersionDiffResponse

SUFFIXES = (".csv", ".tsv", ".parquet", ".arrow", ".feather")
MAX_TABLES = 20  # of a comparison


class TableChange(NamedTuple):
    """A table before and after a change.

    Args:
        path: of the item.
        before, after: the table, without rows.
    """

    path: str
    before: ItemTable
    after: ItemTable

    @property
    def columns(self) -> tuple[list[str], list[str], list[str]]:
        """The added and the removed columns, and those of which the type has changed, with both types."""
        before, after = ({column["name"]: column["type"] for column in side["columns"]} for side in self[1:])
        retyped = [f"{name} {before[name]} → {kind}" for name, kind in after.items() if before.get(name, kind) != kind]
        added = [name for name in after if name not in before]
        removed = [name for name in before if name not in after]
        return added, removed, retyped

    def __str__(self) -> str:
        rows = [side["rows"] for side in self[1:]]
        parts = [f"{rows[0]:,} → {rows[1]:,} rows" if rows[0] != rows[1] else f"{rows[0]:,} rows"]
        for sign, names in zip("+-~", self.columns, strict=True):
            parts += [f"{sign} column {name}" for name in names]
        return ", ".join(parts)


def table_changes(transport: Transport, differences: VersionDiffResponse) -> Iterator[TableChange]:
    """Yield the first tables of which the bytes have changed; what the server cannot read as a table is left out."""
    start, end = differences["from"]["id"], differences["to"]
    changed = [change for change in differences["changes"] if change["status"] == "changed"]
    for change in [change for change in changed if "bytes" in change["aspects"]][:MAX_TABLES]:
        before, after = change["before"], change["after"]
        if before is None or after is None or not after["name"].lower().endswith(SUFFIXES):
            continue
        try:
            tables = [
                call(transport, ITEM_TABLE, ItemTableRequest(id=item["id"], version=version, rows=0))
                for item, version in ((before, start), (after, end["id"] if end is not None else None))
            ]
        except ServerRefused:
            continue
        yield TableChange("/".join([*after["dataset"], after["name"]]), *tables)
