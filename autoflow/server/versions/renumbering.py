"""Numbers of tags in a copy: each tag on an item has a number of its own, so a copied item's tags get new ones.

All of a batch are moved by the same distance, in the database: no row comes to Python. The text stays as
`documents.dump` writes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, BigInteger, ColumnElement, Connection, Text, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from autoflow.server.db import counters

_NUMBER = re.compile(r'\{"id":(\d+),')


def tag_id_range(texts: Iterable[str]) -> tuple[int, int] | None:
    """The lowest and the highest number in the texts of items' tags, None when there is none."""
    numbers = [int(number) for text in texts for number in _NUMBER.findall(text)]
    return (min(numbers), max(numbers)) if numbers else None


def reserve_shift(conn: Connection, these: tuple[int, int] | None) -> int:
    """How far numbers of a span must be moved to be new ones, which nobody else is given from now on."""
    if these is None:
        return 0
    low, high = these
    return counters.advance(conn, counters.TAG, high - low + 1) - high


def shift_tag_ids(tags: ColumnElement[str], by: ColumnElement[int], dialect: str) -> ColumnElement[Any]:
    """The text of tags whose numbers are moved, in the words of a database."""
    return case((tags == "[]", tags), else_=_MOVED[dialect](tags, by))


def _of_sqlite(tags: ColumnElement[str], by: ColumnElement[int]) -> ColumnElement[Any]:
    tag = func.json_each(tags).table_valued("value").c.value
    number = func.json_extract(tag, "$.id")
    return select(func.json_group_array(func.json_set(tag, "$.id", number + by))).scalar_subquery()


def _of_postgresql(tags: ColumnElement[str], by: ColumnElement[int]) -> ColumnElement[Any]:
    tag = func.json_array_elements(cast(tags, JSON)).table_valued("value", with_ordinality="place").render_derived()
    text = cast(tag.c.value, Text)
    number = cast(func.substring(text, r'"id":(\d+)'), BigInteger)
    # its own number comes first, and a quote inside a value has a backslash
    replaced = func.regexp_replace(text, r'"id":\d+', func.concat('"id":', number + by))
    joined = func.string_agg(replaced, aggregate_order_by(literal(",", Text), tag.c.place))
    return select(func.concat("[", joined, "]")).scalar_subquery()


_MOVED = {"sqlite": _of_sqlite, "postgresql": _of_postgresql}
