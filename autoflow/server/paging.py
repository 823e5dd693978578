"""List requests of the wire: filters, order, and pages by number or by token.

A list is a SELECT and the columns that a request may filter and sort by, under their names on the wire.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypedDict, TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, func, select
from sqlalchemy.sql import operators

from autoflow.model.json_object import JsonObject
from autoflow.server.errors import Invalid
from autoflow.server.request_parser import MAX_SAFE_INTEGER, RequestParser, as_number, as_text

PAGE = 500
LARGEST_PAGE = 20_000
# Values of an IN list; below every database's limit on parameters.
CHUNK = 500

T = TypeVar("T")
Columns = Mapping[str, ColumnElement[Any]]
Shape = Callable[[Sequence[RowMapping]], Sequence[Mapping[str, Any]]]


class _NumberedPage(TypedDict):
    entities: Sequence[Mapping[str, Any]]
    total: int
    perPage: int
    pagesCount: int


class ListPage(_NumberedPage, total=False):
    """A page of a list, as Supervisely's methods answer.

    Args:
        entities: entries of the page.
        total: number of all entries.
        perPage: most entries of a page.
        pagesCount: number of pages.
        after: position of the next page, null after the last; only for a request that pages by token.
    """

    after: int | None


_OPERATORS: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "=": operators.eq,
    "==": operators.eq,
    "eq": operators.eq,
    "!=": operators.ne,
    ">": operators.gt,
    ">=": operators.ge,
    "<": operators.lt,
    "<=": operators.le,
}


def chunks(values: Sequence[Any], size: int = CHUNK) -> list[Sequence[Any]]:
    """Split a sequence into parts of at most `size` values."""
    return [values[start : start + size] for start in range(0, len(values), size)]


def _column(columns: Columns, name: str, request: RequestParser) -> ColumnElement[Any]:
    if name not in columns:
        raise Invalid(f'"{request.path}field": there is no field "{name}" here; there are {", ".join(sorted(columns))}')
    return columns[name]


def _operand(column: ColumnElement[Any], value: Any, request: RequestParser) -> Any:
    numeric = column.type.python_type is int
    operand = as_number(value) if numeric else as_text(value)
    if operand is None and value is not None:
        raise Invalid(f'"{request.path}value" must be {"a whole number" if numeric else "text"}')
    return operand


def _condition(columns: Columns, request: RequestParser) -> ColumnElement[bool]:
    column = _column(columns, request.text("field"), request)
    operator = request.text("operator", "=")
    if operator in {"in", "!in"}:
        within = column.in_(list(dict.fromkeys(_operand(column, value, request) for value in request.array("value"))))
        return within if operator == "in" else ~within
    if operator not in _OPERATORS:
        raise Invalid(f'"{request.path}operator" must be one of {", ".join(_OPERATORS)}, in, !in')
    return _OPERATORS[operator](column, _operand(column, request.fields.get("value"), request))


def apply_filter(query: Select[Any], columns: Columns, conditions: Iterable[RequestParser]) -> Select[Any]:
    """Return a query with the conditions of a filter.

    Raises:
        Invalid: a field or operator is unknown, or a value of the wrong type.
    """
    return query.where(*(_condition(columns, condition) for condition in conditions))


def per_page(request: RequestParser) -> int:
    """Return the page size of a request, within limits."""
    return min(max(request.optional_number("per_page") or PAGE, 1), LARGEST_PAGE)


def page_offset(request: RequestParser, size: int) -> int:
    """Return the offset of the requested page."""
    return min((max(request.optional_number("page") or 1, 1) - 1) * size, MAX_SAFE_INTEGER)


def list_page(entities: Sequence[Mapping[str, Any]], total: int, size: int) -> ListPage:
    """Return a page of at most `size` entries of a list of `total` ones."""
    return {"entities": entities, "total": total, "perPage": size, "pagesCount": max(-(-total // size), 1)}


def by_token(request: RequestParser) -> bool:
    """Return whether a request pages by token, in the order of ids."""
    return request.fields.get("pagination_mode") == "token" or request.has("after")


def apply_order(query: Select[Any], columns: Columns, request: RequestParser) -> Select[Any]:
    """Return a query in the order of a request, with ``id`` as the last criterion.

    Raises:
        Invalid: the field is unknown.
    """
    order = _column(columns, request.text("sort", "id"), request)
    return query.order_by(order.desc() if descending(request) else order.asc(), columns["id"])


def descending(request: RequestParser) -> bool:
    """Return whether a request sorts in descending order."""
    return request.text("sort_order", "asc").lower() == "desc"


def page(conn: Connection, query: Select[Any], columns: Columns, request: RequestParser, shape: Shape) -> ListPage:
    """Answer a list request.

    Args:
        conn: the transaction.
        query: all rows that may be listed, before filters.
        columns: must have ``id``.
        request: the request's filter, order and page.
        shape: converts a page of rows to objects of the wire.
    """
    query = apply_filter(query, columns, request.objects("filter", required=False))
    total = conn.execute(select(func.count()).select_from(query.order_by(None).subquery())).scalar_one()
    size = per_page(request)
    if by_token(request):
        after = request.optional_number("after") or 0
        rows = conn.execute(query.where(columns["id"] > after).order_by(columns["id"]).limit(size + 1)).mappings().all()
        answer = list_page(shape(rows[:size]), total, size)
        answer["after"] = rows[size - 1]["id"] if len(rows) > size else None
        return answer
    query = apply_order(query, columns, request)
    rows = conn.execute(query.limit(size).offset(page_offset(request, size))).mappings().all()
    return list_page(shape(rows), total, size)


def page_of_values(
    values: Sequence[T],
    request: RequestParser,
    shape: Callable[[Sequence[T]], Sequence[Mapping[str, Any]]],
    number: Callable[[T], int],
) -> ListPage:
    """Answer a list request from filtered and ordered values; in token mode they are ordered by `number`."""
    size = per_page(request)
    if not by_token(request):
        start = page_offset(request, size)
        return list_page(shape(values[start : start + size]), len(values), size)
    start = bisect.bisect_right(values, request.optional_number("after") or 0, key=number)
    part = values[start : start + size]
    answer = list_page(shape(part), len(values), size)
    answer["after"] = number(part[-1]) if start + size < len(values) else None
    return answer


def _passes(entry: Mapping[str, Any], condition: RequestParser) -> bool:
    name, operator = condition.text("field"), condition.text("operator", "=")
    if name not in entry:
        raise Invalid(f'"{condition.path}field": there is no field "{name}" here; there are {", ".join(sorted(entry))}')
    if operator in {"in", "!in"}:
        return (entry[name] in condition.array("value")) == (operator == "in")
    if operator not in _OPERATORS:
        raise Invalid(f'"{condition.path}operator" must be one of {", ".join(_OPERATORS)}, in, !in')
    try:
        return bool(_OPERATORS[operator](entry[name], condition.fields.get("value")))
    except TypeError:
        raise Invalid(f'"{condition.path}value" does not have the type of "{name}"') from None


def page_of_entities(entries: Iterable[JsonObject], request: RequestParser) -> ListPage:
    """Answer a list request from objects of the wire, each with an ``id``."""
    conditions = list(request.objects("filter", required=False))
    selected = [entry for entry in entries if all(_passes(entry, condition) for condition in conditions)]
    name = "id" if by_token(request) else request.text("sort", "id")
    if any(not isinstance(entry.get(name), (str, int)) for entry in selected):
        raise Invalid(f'"{request.path}sort": entries cannot be sorted by "{name}"')
    selected.sort(key=lambda entry: (entry[name], entry["id"]), reverse=not by_token(request) and descending(request))
    return page_of_values(selected, request, list, lambda entry: int(entry["id"]))
