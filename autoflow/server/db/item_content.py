"""The content of versioned rows, and its digest.

A project's digest is the sum, modulo 2**256, of the sha256 of each row's content. So updating it takes the same time
for a project of any size, and projects with equal content have equal digests, whatever their history. It detects
changes; it is not a signature.

Ids, timestamps and authors are not content. A dataset is identified by its original id, that of the dataset it was
restored from, so that a restored project has the digest of its version.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import RowMapping, Table

from autoflow.server.db import tombstones
from autoflow.server.db.schema import datasets, items, project_meta

MODULUS = 2**256

ContentRow = Mapping[str, Any] | RowMapping
OriginalIds = Mapping[int, int]  # by a dataset's id


def original_id(row: ContentRow) -> int:
    """Return the id that a dataset has in digests: that of the dataset it was restored from, or its own."""
    return int(row["original_id"] or row["id"])


def tags_content(text: str) -> list[list[Any]]:
    """Return the content of an item's tags: their classes and values, and their frames if they have any, sorted."""
    return [] if text == "[]" else sorted(_tag_content(tag) for tag in json.loads(text))


def _tag_content(tag: Mapping[str, Any]) -> list[Any]:
    content = [tag["tagId"], json.dumps(tag["value"])]
    more = {name: value for name, value in tag.items() if name not in {"id", "tagId", "value"}}
    return [*content, json.dumps(more, sort_keys=True)] if more else content


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
    """Return the sum of the content hashes of rows of a table or its history."""
    return sum(row_hash(table, row, originals) for row in rows)


def row_hash(table: Table, row: ContentRow, originals: OriginalIds) -> int:
    """Return the hash of a row's content; that of an erased item is stored with its tombstone."""
    if table is items and tombstones.is_tombstone(row):
        return tombstones.row_hash(row)
    content = _encode([table.name, *CONTENT[table](row, originals)]).encode()
    return int.from_bytes(hashlib.sha256(content).digest(), "big")


def format_digest(total: int) -> str:
    """Return a sum of hashes as a project's digest."""
    return f"{total % MODULUS:x}"
