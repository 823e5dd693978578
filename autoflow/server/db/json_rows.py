"""Sets of values and rows as one parameter of a statement: a JSON array that the database takes apart.

A statement then has the same text and the same number of parameters for any number of rows, and SQLite applies it in
one step, during which no thread waits for the interpreter lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Select,
    Text,
    any_,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql.expression import column as named_column
from sqlalchemy.types import TypeEngine

SQLITE = "sqlite"

_encode = msgspec.json.Encoder().encode


def encode(rows: Iterable[Any]) -> str:
    """Return values, or rows as sequences of values, as the parameter of `values` or `rows`."""
    return _encode(list(rows)).decode()


def values(dialect: str, parameter: str, value_type: TypeEngine[Any]) -> Select[Any]:
    """Return a query for the values of the array that a parameter holds."""
    array = bindparam(parameter, type_=Text, required=False)
    if dialect == SQLITE:
        return select(func.json_each(array).table_valued("value").c.value)
    elements = (
        func.jsonb_array_elements_text(cast(array, JSONB)).table_valued(named_column("value", Text)).render_derived()
    )
    return select(cast(elements.c.value, value_type))


def among(conn: Connection, column: ColumnElement[Any], numbers_or_texts: Iterable[int] | Iterable[str]) -> Any:
    """Return the condition that a column has one of many values, as one parameter.

    An ``IN`` of a thousand parameters takes longer to render and to send than the database takes to answer it.
    """
    listed = list(numbers_or_texts)
    if conn.dialect.name == SQLITE:
        each = func.json_each(literal(encode(listed), Text)).table_valued("value")
        return column.in_(select(each.c.value))
    of_text = bool(listed) and isinstance(listed[0], str)
    return column == any_(literal(listed, ARRAY(Text if of_text else BigInteger)))


def rows(dialect: str, parameter: str, columns: Sequence[Column[Any]]) -> Select[Any]:
    """Return a query for the rows of the array that a parameter holds, each an array of values for these columns."""
    array = bindparam(parameter, type_=Text, required=False)
    if dialect == SQLITE:
        each = func.json_each(array).table_valued("value")
        parts = [func.json_extract(each.c.value, literal_column(f"'$[{i}]'")) for i in range(len(columns))]
        # an upsert from a SELECT needs a WHERE, or SQLite reads its ON as that of a join
        return select(*_named(parts, columns)).where(text("1 = 1"))
    elements = func.jsonb_array_elements(cast(array, JSONB)).table_valued(named_column("value", JSONB)).render_derived()
    fields = [cast(elements.c.value.op("->>")(literal_column(str(i))), part.type) for i, part in enumerate(columns)]
    return select(*_named(fields, columns))


def _named(parts: Sequence[ColumnElement[Any]], columns: Sequence[Column[Any]]) -> list[ColumnElement[Any]]:
    return [part.label(column_.name) for part, column_ in zip(parts, columns, strict=True)]


def array(dialect: str, parts: Sequence[ColumnElement[Any]]) -> ColumnElement[str]:
    """Return SQL for a JSON array of columns, as text."""
    return cast(func.json_array(*parts) if dialect == SQLITE else func.json_build_array(*parts), Text)
