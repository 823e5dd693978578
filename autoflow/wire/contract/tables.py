"""Items that are tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

from autoflow.wire.contract.method import Constraint, Count, Id, Method


@dataclass(frozen=True, kw_only=True)
class ItemTableRequest:
    """Return columns, number of rows and first rows of an item that is a table: CSV, TSV, Parquet or Arrow.

    Args:
        id: number of the item.
        version: number of a version that has it; the current state of its project without it.
        rows: most rows to return.
    """

    id: Id
    version: Id | None = None
    rows: Annotated[int, Constraint(0, 200)] = 20


class TableColumn(TypedDict):
    """A column of a table.

    Args:
        type: type of its values; empty in a CSV, which has none.
    """

    name: str
    type: str


class ItemTable(TypedDict):
    """A table.

    Args:
        columns: its columns, at most 1000.
        rows: number of its rows.
        sample: values of the first rows, as texts.
    """

    columns: list[TableColumn]
    rows: Count
    sample: list[list[str]]


ITEM_TABLE = Method("autoflow.items.table", ItemTableRequest, ItemTable, (404,))
