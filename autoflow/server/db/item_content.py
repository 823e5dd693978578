"""What of a versioned row counts as content, and the digest of it.

A project's digest is the sum, modulo 2**256, of sha256 over the content of its rows: adding, changing and taking back
a row costs the same however large the project is, and equal content gives an equal digest whatever happened between.
It tells equal from changed; it is no signature.

Ids, times and who it was are no content. A dataset is told by the one it was restored from, so that a restored project
has the digest of the version.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import RowMapping, Table

from autoflow.server.db.schema import datasets, items, project_meta

MODULUS = 2**256

Row = Mapping[str, Any] | RowMapping
Originals = Mapping[int, int]  # what a dataset is told by, by its id


def original(row: Row) -> int:
    """What a dataset is told by."""
    return int(row["original_id"] or row["id"])


def tags(text: str) -> list[list[Any]]:
    """The content of an item's tags: what they are and their values, in an order of its own."""
    return [] if text == "[]" else sorted([tag["tagId"], json.dumps(tag["value"])] for tag in json.loads(text))


def _dataset(row: Row, originals: Originals) -> list[Any]:
    parent = row["parent_id"]
    return [
        original(row),
        parent if parent is None else originals[parent],
        row["name"],
        row["description"],
        row["custom_data"],
    ]


def _item(row: Row, originals: Originals) -> list[Any]:
    return [
        originals[row["dataset_id"]],
        row["name"],
        row["hash"],
        row["link"],
        row["meta"],
        tags(row["tags"]),
        row["annotation"],
        row["description"],
    ]


CONTENT: Mapping[Table, Callable[[Row, Originals], list[Any]]] = {
    datasets: _dataset,
    items: _item,
    project_meta: lambda row, _: [row["document"]],
}

_encode = json.JSONEncoder(separators=(",", ":")).encode


def summed(table: Table, rows: Iterable[Row], originals: Originals) -> int:
    """The sum of the hashes of rows, given as `table` has them (or its history)."""
    read, name = CONTENT[table], table.name
    return sum(
        int.from_bytes(hashlib.sha256(_encode([name, *read(row, originals)]).encode()).digest(), "big") for row in rows
    )


def written(total: int) -> str:
    """A sum as a project's digest is kept."""
    return f"{total % MODULUS:x}"
