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

ContentRow = Mapping[str, Any] | RowMapping
OriginalIds = Mapping[int, int]  # what a dataset is told by, by its id


def original_id(row: ContentRow) -> int:
    """What a dataset is told by."""
    return int(row["original_id"] or row["id"])


def tags_content(text: str) -> list[list[Any]]:
    """The content of an item's tags: what they are and their values, in an order of its own."""
    return [] if text == "[]" else sorted([tag["tagId"], json.dumps(tag["value"])] for tag in json.loads(text))


def _dataset(row: ContentRow, originals: OriginalIds) -> list[Any]:
    parent = row["parent_id"]
    return [
        original_id(row),
        parent if parent is None else originals[parent],
        row["name"],
        row["description"],
        row["custom_data"],
    ]


def _item(row: ContentRow, originals: OriginalIds) -> list[Any]:
    return [
        originals[row["dataset_id"]],
        row["name"],
        row["hash"],
        row["link"],
        row["meta"],
        tags_content(row["tags"]),
        row["annotation"],
        row["description"],
    ]


CONTENT: Mapping[Table, Callable[[ContentRow, OriginalIds], list[Any]]] = {
    datasets: _dataset,
    items: _item,
    project_meta: lambda row, _: [row["document"]],
}

_encode = json.JSONEncoder(separators=(",", ":")).encode


def sum_row_hashes(table: Table, rows: Iterable[ContentRow], originals: OriginalIds) -> int:
    """The sum of the hashes of rows, given as `table` has them (or its history)."""
    read, name = CONTENT[table], table.name
    return sum(
        int.from_bytes(hashlib.sha256(_encode([name, *read(row, originals)]).encode()).digest(), "big") for row in rows
    )


def format_digest(total: int) -> str:
    """A sum as a project's digest is kept."""
    return f"{total % MODULUS:x}"
