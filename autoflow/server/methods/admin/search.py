"""``autoflow.search``: everything that the caller sees, by a part of its name or by its number.

Each kind is one query over one table. Equal names come first, then names with that prefix, then names that contain it,
the newest first within each. Case is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, case, func, or_, select

from autoflow.server.db import datasets, items, jobs, projects, tasks
from autoflow.server.db.access import visible
from autoflow.server.db.schema import apps, workspaces
from autoflow.server.db.schema import datasets as dataset_table
from autoflow.server.db.schema import files as file_table
from autoflow.server.db.schema import items as item_table
from autoflow.server.db.schema import jobs as job_table
from autoflow.server.db.schema import projects as project_table
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.db.schema import versions as version_table
from autoflow.server.operations import Operation, by_name, implements
from autoflow.server.request_parser import as_number
from autoflow.server.versions import versions
from autoflow.wire.contract import admin as contract

DEFAULT_SIZE = 8  # results of each kind
MAX_SIZE = 100
MAX_RANKED = 2000  # newest matches that are ranked

Text = ColumnElement[str]


class Kind(NamedTuple):
    """The search over one table.

    Args:
        query: selects the rows that the caller sees.
        number: the column of their numbers.
        texts: the columns that are searched, the name first.
        result: makes a row a result, without its kind and number.
    """

    query: Callable[[Connection], Select[Any]]
    number: ColumnElement[int]
    texts: Sequence[Text]
    result: Callable[[RowMapping], _Texts]


class _Texts(TypedDict):
    title: str
    detail: str
    link: str
    at: str | None


def _result(title: str, detail: str, link: str, at: str | None) -> _Texts:
    return {"title": title, "detail": detail, "link": link, "at": at}


def _datasets(conn: Connection) -> Select[Any]:
    return datasets.listing(conn).add_columns(project_table.c.name.label("project_name"))


def _images(conn: Connection) -> Select[Any]:
    return items.listing(conn).add_columns(project_table.c.name.label("project_name"))


def _versions(conn: Connection) -> Select[Any]:
    return versions.listing(conn).where(projects.ACTIVE).add_columns(project_table.c.name.label("project_name"))


def _files(conn: Connection) -> Select[Any]:
    return select(file_table).where(file_table.c.current, visible(conn, file_table))


KINDS: Mapping[contract.SearchKind, Kind] = {
    "project": Kind(
        lambda conn: projects.listing(conn).add_columns(workspaces.c.name.label("workspace_name")),
        project_table.c.id,
        (project_table.c.name, project_table.c.description),
        lambda row: _result(row["name"], row["workspace_name"], f"/projects/{row['id']}", row["updated_at"]),
    ),
    "dataset": Kind(
        _datasets,
        dataset_table.c.id,
        (dataset_table.c.name,),
        lambda row: _result(
            row["name"],
            row["project_name"],
            f"/projects/{row['project_id']}/datasets/{row['id']}",
            row["updated_at"],
        ),
    ),
    "run": Kind(
        tasks.listing,
        task_table.c.id,
        (func.coalesce(apps.c.name, task_table.c.name), task_table.c.name),
        lambda row: _result(
            row["app_name"] or row["name"] or f"Task {row['number']}",
            row["state"],
            f"/apps/sessions/{row['id']}",
            row["started_at"] or row["created_at"],
        ),
    ),
    "file": Kind(
        _files,
        file_table.c.id,
        (file_table.c.name, file_table.c.path),
        lambda row: _result(row["name"], row["path"], f"/files/{row['id']}", row["created_at"]),
    ),
    "version": Kind(
        _versions,
        version_table.c.id,
        (func.coalesce(version_table.c.name, ""), func.coalesce(version_table.c.description, "")),
        lambda row: _result(
            f"V{row['number']} {row['name'] or ''}".strip(),
            row["project_name"],
            f"/projects/{row['project_id']}/versions#v{row['number']}",
            row["created_at"],
        ),
    ),
    "job": Kind(
        jobs.listing,
        job_table.c.id,
        (job_table.c.name,),
        lambda row: _result(row["name"], row["project_name"], f"/labeling/jobs/{row['id']}", row["created_at"]),
    ),
    "image": Kind(
        _images,
        item_table.c.id,
        (item_table.c.name,),
        lambda row: _result(row["name"], row["project_name"], f"/images/{row['id']}", row["updated_at"]),
    ),
}


def _spellings(text: str) -> list[str]:
    """Return the spellings of a text to search for: SQLite ignores the case of ASCII letters only."""
    return [text] if text.isascii() else sorted({text, text.lower(), text.upper(), text.title(), text.capitalize()})


def _ranked(kind: Kind, query: Select[Any], text: str, size: int) -> Select[Any]:
    spellings = _spellings(text)
    name = kind.texts[0]
    is_equal = or_(*(func.lower(name) == func.lower(spelling) for spelling in spellings))
    has_prefix = or_(*(name.istartswith(spelling, autoescape=True) for spelling in spellings))
    contains = or_(*(column.icontains(spelling, autoescape=True) for column in kind.texts for spelling in spellings))
    # A text in very many names is ranked among the newest only, so that not all are sorted.
    ranked = query.with_only_columns(kind.number, case((is_equal, 0), (has_prefix, 1), else_=2).label("rank"))
    newest = ranked.where(contains).order_by(kind.number.desc()).limit(MAX_RANKED).subquery()
    best = select(newest.c.id).order_by(newest.c.rank, newest.c.id.desc()).limit(size)
    return query.where(kind.number.in_(best.scalar_subquery()))


def _search_kind(
    conn: Connection, name: contract.SearchKind, text: str, number: int | None, size: int
) -> list[contract.SearchResult]:
    """Return the results of one kind, the one with the number first."""
    kind = KINDS[name]
    query = kind.query(conn)
    rows: list[RowMapping] = []
    if number is not None:
        rows += conn.execute(query.where(kind.number == number)).mappings().all()
    if text:
        matching = conn.execute(_ranked(kind, query, text, size + 1)).mappings().all()
        rows += [row for row in matching if row["id"] != number]
    return [{"kind": name, "id": row["id"], **kind.result(row)} for row in rows]


def _order(text: str, result: contract.SearchResult) -> tuple[int, int]:
    title = result["title"].lower()
    return (0 if title == text else 1 if title.startswith(text) else 2, -result["id"])


@implements(contract.SEARCH)
def search(conn: Connection, request: contract.SearchRequest) -> contract.SearchResponse:
    """``autoflow.search`` for ``q``.

    ``kinds`` are those to search (default: all), ``limit`` the most results of each. ``project:7``, ``#7`` and ``7``
    search by number.
    """
    text = request.q.strip()
    kinds: list[contract.SearchKind] = list(request.kinds)
    prefix, _, rest = text.partition(":")
    kind: contract.SearchKind | None = next((name for name in KINDS if name == prefix.lower()), None)
    if kind is not None and as_number(rest) is not None:
        kinds = [kind]
        text = f"#{rest.strip()}"
    number = as_number(text.removeprefix("#"))
    name_part = "" if text.startswith("#") and number is not None else text
    size = min(max(request.limit or DEFAULT_SIZE, 1), MAX_SIZE)
    results: list[contract.SearchResult] = []
    more: list[contract.SearchKind] = []
    for name in dict.fromkeys(kinds) or KINDS:
        matches = _search_kind(conn, name, name_part, number, size) if text else []
        first = [match for match in matches if match["id"] == number]
        others = sorted(
            (match for match in matches if match["id"] != number), key=lambda match: _order(name_part.lower(), match)
        )
        shown = [*first, *others][:size]
        results += shown
        if len(matches) > size:
            more.append(name)
    return {"results": results, "more": more}


READS: Mapping[str, Operation] = by_name(search)
WRITES: Mapping[str, Operation] = {}
