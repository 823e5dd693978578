"""New ids for the tags of copied items: each tag on an item has an id of its own.

The ids of a batch are shifted by the same number, in the database, so that no row is loaded into Python. The text keeps
the form that `json_codec.dump` writes.
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
    """Return the lowest and the highest tag id in the JSON of items' tags, None if there is none."""
    numbers = [int(number) for text in texts for number in _NUMBER.findall(text)]
    return (min(numbers), max(numbers)) if numbers else None


def reserve_shift(conn: Connection, id_range: tuple[int, int] | None) -> int:
    """Reserve new ids for a range of tag ids; return the number to add to each."""
    if id_range is None:
        return 0
    low, high = id_range
    return counters.advance(conn, counters.TAG, high - low + 1) - high


def shift_tag_ids(tags: ColumnElement[str], by: ColumnElement[int], dialect: str) -> ColumnElement[Any]:
    """Return the SQL expression, in a database's dialect, that adds a number to all ids in the JSON of tags."""
    return case((tags == "[]", tags), else_=_SHIFT[dialect](tags, by))


def _of_sqlite(tags: ColumnElement[str], by: ColumnElement[int]) -> ColumnElement[Any]:
    tag = func.json_each(tags).table_valued("value").c.value
    number = func.json_extract(tag, "$.id")
    return select(func.json_group_array(func.json_set(tag, "$.id", number + by))).scalar_subquery()


def _of_postgresql(tags: ColumnElement[str], by: ColumnElement[int]) -> ColumnElement[Any]:
    tag = func.json_array_elements(cast(tags, JSON)).table_valued("value", with_ordinality="position").render_derived()
    text = cast(tag.c.value, Text)
    number = cast(func.substring(text, r'"id":(\d+)'), BigInteger)
    # the tag's id comes first, and a quote inside a value has a backslash
    replaced = func.regexp_replace(text, r'"id":\d+', func.concat('"id":', number + by))
    joined = func.string_agg(replaced, aggregate_order_by(literal(",", Text), tag.c.position))
    return select(func.concat("[", joined, "]")).scalar_subquery()


_SHIFT = {"sqlite": _of_sqlite, "postgresql": _of_postgresql}
