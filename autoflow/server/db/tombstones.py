"""Tombstones: rows of `items_history` whose content was erased.

A tombstone has the row's id, epochs, sizes and the hash of its former content, so that the digests and counts of
versions stay true. What made the item recognizable is replaced by numbers: items of one name keep one number, so that
comparisons of versions still see which aspects changed. Its name begins as those of attachments do, so that no list of
items has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, RowMapping

from autoflow.server.db.attachments import PREFIX

NAME = "(erased)"  # as comparisons show it
_NAME_PREFIX = f"{PREFIX}erased/"
_HASH_PREFIX = "erased/"
Row = Mapping[str, Any] | RowMapping


def is_tombstone(row: Row) -> bool:
    """Return whether the content of an item's row was erased."""
    return str(row["name"]).startswith(_NAME_PREFIX)


def has_content(table: FromClause) -> ColumnElement[bool]:
    """Return the condition that the content of a row of `items`, or of their history, was not erased."""
    condition: ColumnElement[bool] = ~table.c.name.startswith(_NAME_PREFIX, autoescape=True)
    return condition


def row_hash(row: Row) -> int:
    """Return the hash of the content that a tombstone had."""
    return int(str(row["mime"]).removeprefix(_HASH_PREFIX), 16)


def tombstones_of(rows: Sequence[Row], hashes: Sequence[int]) -> list[dict[str, Any]]:
    """Return the columns that turn the rows of one item into tombstones, in their order.

    Args:
        rows: rows of the item.
        hashes: the hash of the content of each (`db.item_content`).
    """
    numbers: dict[tuple[str, Any], int] = {}

    def number(aspect: str, value: Any) -> int:
        return numbers.setdefault((aspect, value), 1 + sum(key[0] == aspect for key in numbers))

    return [
        {
            "name": f"{_NAME_PREFIX}{row['id']}.{number('name', row['name'])}",
            "hash": None,
            "blob_id": None,
            "link": f"erased:{number('bytes', (row['hash'], row['link']))}",
            "mime": f"{_HASH_PREFIX}{content_hash:x}",
            "width": None,
            "height": None,
            "meta": _numbered(row["meta"], "{}", f'{{"erased":{number("meta", row["meta"])}}}'),
            "tags": _numbered(row["tags"], "[]", f'[{{"id":1,"tagId":1,"value":{number("tags", row["tags"])}}}]'),
            "annotation": row["annotation"] and f"erased:{number('labels', row['annotation'])}",
            "document_id": None,
            "description": _numbered(row["description"], "", f"erased:{number('description', row['description'])}"),
        }
        for row, content_hash in zip(rows, hashes, strict=True)
    ]


def _numbered(value: str, empty: str, replacement: str) -> str:
    return empty if value == empty else replacement
