"""Statements that are executed for each record: compiled once, and sent as text.

SQLAlchemy finds the text of a statement in its cache by a key that it computes from all parts of the statement, which
for the queries of this server takes longer than their execution.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ClauseElement, Connection, CursorResult, Dialect


class _Text(NamedTuple):
    """The text of a statement.

    Args:
        sql: with the placeholders of the driver.
        values: the parameters that the statement itself has.
        order: of the parameters, for a driver whose placeholders have no names.
    """

    sql: str
    values: Mapping[str, Any]
    order: Sequence[str] | None


@functools.lru_cache(maxsize=1024)
def _text(statement: ClauseElement, dialect: Dialect) -> _Text:
    compiled: Any = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    return _Text(str(compiled), compiled.params, compiled.positiontup if compiled.positional else None)


def execute(conn: Connection, statement: ClauseElement, parameters: Mapping[str, Any]) -> CursorResult[Any]:
    """Execute a statement that the caller keeps, with values that need no conversion."""
    sql, values, order = _text(statement, conn.dialect)
    merged: dict[str, Any] = {**values, **parameters}
    return conn.exec_driver_sql(sql, tuple(merged[name] for name in order) if order is not None else merged)
