"""``autoflow.runs.search``: runs by their results, parameters, state, app and times, see `model.run_query`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, func, not_, or_, select
from sqlalchemy.sql import operators

from autoflow.model.run_query import Comparison, Condition, Negated, Operator, parse_condition, parse_order
from autoflow.server.db import jobs, json_codec, run_values, tasks
from autoflow.server.db.schema import apps
from autoflow.server.db.schema import run_values as values
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.errors import Invalid
from autoflow.server.operations import Operation, by_name, implements
from autoflow.wire.contract import runs as contract

DEFAULT_RUNS, MAX_RUNS = 50, 1000

Parsed = TypeVar("Parsed")
_COMPARE: Mapping[Operator, Callable[[Any, Any], ColumnElement[bool]]] = {
    "=": operators.eq,
    "!=": operators.ne,
    ">": operators.gt,
    ">=": operators.ge,
    "<": operators.lt,
    "<=": operators.le,
}
_NAME: ColumnElement[str] = func.coalesce(apps.c.name, task_table.c.name)
_COLUMNS: Mapping[str, ColumnElement[Any]] = {
    "state": task_table.c.state,
    "app": _NAME,
    "id": task_table.c.id,
    "started": task_table.c.started_at,
    "finished": task_table.c.finished_at,
}


def _parse(parse: Callable[[str], Parsed], text: str, field: str) -> Parsed:
    try:
        return parse(text)
    except ValueError as error:
        raise Invalid(f'"{field}": {error}', {"field": field}) from error


def _comparison(condition: Comparison) -> ColumnElement[bool]:
    compare = _COMPARE[condition.operator]
    column = _COLUMNS.get(condition.field)
    if column is None:
        column = values.c.text if isinstance(condition.value, str) else values.c.number
        query = select(values.c.task_id).where(values.c.name == condition.field, compare(column, condition.value))
        return task_table.c.id.in_(query)
    if (condition.field == "id") is isinstance(condition.value, str):
        kind = "a whole number" if condition.field == "id" else "a text in quotes"
        raise Invalid(f'"where": {condition.field} is compared with {kind}, not with {condition.value!r}')
    return compare(column, condition.value)


def sql_condition(condition: Condition) -> ColumnElement[bool]:
    """Return the SQL of a condition over `tasks.listing`; a comparison with a value that a run lacks does not hold.

    Raises:
        Invalid: a field is compared with a value of another type.
    """
    if isinstance(condition, Comparison):
        return _comparison(condition)
    if isinstance(condition, Negated):
        return not_(sql_condition(condition.part))
    join = and_ if condition.operator == "and" else or_
    return join(*(sql_condition(part) for part in condition.parts))


def _ordered(query: Select[Any], sort: str | None) -> Select[Any]:
    if sort is None:
        return query.order_by(task_table.c.id.desc())
    order = _parse(parse_order, sort, "sort")
    columns = [_COLUMNS[order.field]] if order.field in _COLUMNS else [values.c.number, values.c.text]
    if order.field not in _COLUMNS:
        query = query.join(values, and_(values.c.task_id == task_table.c.id, values.c.name == order.field))
    query = query.where(or_(*(column.is_not(None) for column in columns)))
    parts = [column.desc().nulls_last() if order.descending else column.asc().nulls_last() for column in columns]
    return query.order_by(*parts, task_table.c.id.desc())


@implements(contract.RUNS_SEARCH)
def search(conn: Connection, request: contract.SearchRunsRequest) -> contract.SearchRunsResponse:
    """Return the runs that ``where`` holds for, in the order of ``sort``."""
    query = tasks.listing(conn)
    if request.where is not None and request.where.strip():
        query = query.where(sql_condition(_parse(parse_condition, request.where, "where")))
    limit, offset = min(request.limit or DEFAULT_RUNS, MAX_RUNS), request.offset or 0
    query = _ordered(query, request.sort).limit(limit + 1).offset(offset)
    rows = conn.execute(query).mappings().all()
    return {"runs": scored_runs(conn, rows[:limit]), "next": offset + limit if len(rows) > limit else None}


def scored_runs(conn: Connection, rows: Sequence[RowMapping]) -> list[contract.ScoredRun]:
    """Return runs with their results and parameters, from rows of `tasks.listing`."""
    logins = jobs.logins(conn)
    by_task = run_values.values_by_task(conn, [row["id"] for row in rows])
    runs: list[contract.ScoredRun] = []
    for row in rows:
        named = by_task[row["id"]]
        results, parameters = (_without_prefix(named, prefix) for prefix in (run_values.RESULT, "parameters."))
        runs.append(
            {
                "id": row["id"],
                "name": row["app_name"] or row["name"],
                "state": row["state"],
                "startedAt": row["started_at"],
                "finishedAt": row["finished_at"],
                "createdBy": logins.get(row["created_by"]),
                "results": {name: value for name, value in results.items() if isinstance(value, float)},
                "parameters": parameters,
                "links": links_of(json_codec.load(row["facts"])),
            }
        )
    return runs


def _without_prefix(named: Mapping[str, float | str], prefix: str) -> dict[str, float | str]:
    return {name.removeprefix(prefix): value for name, value in named.items() if name.startswith(prefix)}


def links_of(facts: Mapping[str, Any]) -> list[contract.RunLink]:
    """Return the links among the facts of a run; addresses that are not of the web are left out."""
    links: list[contract.RunLink] = []
    for name, url in facts.items():
        if name.startswith(run_values.LINK) and isinstance(url, str) and _is_web_url(url):
            links.append({"title": name.removeprefix(run_values.LINK), "url": url})
    return links


def _is_web_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


READS: Mapping[str, Operation] = by_name(search)
WRITES: Mapping[str, Operation] = {}
