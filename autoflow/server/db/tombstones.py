"""Tombstones: rows of `items_history` whose content was erased.

A tombstone has the row's id, epochs, sizes and the hash of its former content, so that the digests and counts of
versions stay true. What made the item recognizable is replaced by tokens, equal ones for equal values, so that
comparisons of versions still see which aspects changed. Its name begins as those of attachments do, so that no list of
items has it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, FromClause, RowMapping

from autoflow.server.db.attachments import PREFIX

NAME = "(erased)"  # as comparisons show it
_NAME_PREFIX = f"{PREFIX}erased/"
_HASH_PREFIX = "erased/"
_TOKEN_DIGITS = 24
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


def tombstone_of(row: Row, content_hash: int, key: str) -> dict[str, Any]:
    """Return the columns that turn a row into a tombstone.

    Args:
        row: the row.
        content_hash: the hash of its content (`db.item_content`).
        key: a secret of the erasure, which is deleted with it: equal values have equal tokens, which nobody can compute
            afterwards.
    """

    def token(aspect: str, value: Any) -> str:
        return hmac.digest(key.encode(), repr((aspect, value)).encode(), "sha256").hex()[:_TOKEN_DIGITS]

    return {
        "name": f"{_NAME_PREFIX}{token('name', row['name'])}",
        "hash": None,
        "blob_id": None,
        "link": f"erased:{token('bytes', (row['hash'], row['link']))}",
        "mime": f"{_HASH_PREFIX}{content_hash:x}",
        "width": None,
        "height": None,
        "meta": _replaced(row["meta"], "{}", f'{{"erased":"{token("meta", row["meta"])}"}}'),
        "tags": _replaced(row["tags"], "[]", f'[{{"id":1,"tagId":1,"value":"{token("tags", row["tags"])}"}}]'),
        "annotation": row["annotation"] and f"erased:{token('labels', row['annotation'])}",
        "document_id": None,
        "description": _replaced(row["description"], "", f"erased:{token('description', row['description'])}"),
    }


def _replaced(value: str, empty: str, replacement: str) -> str:
    return empty if value == empty else replacement
